// Attacks on a running server, while an honest client connects and calls each second.
//
//     deno run -A bench/siege.ts [--seconds 5] [--only TEXT] [--limit 1000]
//
// Each attack gets a server of its own. The honest client and the attackers have different addresses
// (127.0.0.3 and 127.0.0.1), since limits count by address.
import { numberOption } from "../src/client/cli/arguments.ts";
import { ClientLoop } from "../src/client/client_loop.ts";
import { NetConnection } from "../src/client/net_connection.ts";
import { sleep } from "../src/common/wait.ts";
import type { SiegeDoors } from "./siege/attack.ts";
import { busAttacks, busSection } from "./siege/bus_attacks.ts";
import { otherAttacks } from "./siege/other_attacks.ts";
import { rtmpAttacks } from "./siege/rtmp_attacks.ts";
import { NatsServer } from "../tests/peers/nats.ts";
import { freePorts, listening, startServer, usageOf } from "./support/process.ts";
import { runProgram } from "./support/program.ts";
import { rounded } from "./support/samples.ts";

const APPLICATION = `
function onConnection(client)
  function client:echo(...) return ... end
end
function onServerConnection(server)
  function server:tell(...) end
end
`;
const IDLE = "none";
const HONEST_ADDRESS = "127.0.0.3";
/** Milliseconds between two visits of the honest client, and time-out (ms) of each. */
const INTERVAL = 1_000;
const TIMEOUT = 15_000;
/** Interval (ms) of samples of the server's memory. */
const SAMPLE_INTERVAL = 100;

interface Result {
  readonly attack: string;
  /** Milliseconds to connect and call. */
  readonly worst_ms: number | null;
  readonly visits: number;
  readonly failed: number;
  readonly memory_growth_mb: number | null;
  readonly log_bytes: number;
  readonly server_cpu_share: number | null;
  /** Whether the server still runs after the attack. */
  readonly alive: boolean;
  readonly attacker_failure?: string;
}

/** Connects, calls and closes. @returns milliseconds to connect and call */
async function visit(url: string): Promise<number> {
  const loop = await ClientLoop.open({ hostname: HONEST_ADDRESS });
  try {
    const started = performance.now();
    const connection = await NetConnection.connect(url, { loop, timeout: TIMEOUT });
    if (await connection.call("echo", "honest") !== "honest") throw new Error("wrong answer");
    const time = performance.now() - started;
    await connection.close();
    return time;
  } finally {
    await loop.close();
  }
}

async function attack(name: string, seconds: number): Promise<Result> {
  const [http, rtmp, web, servers] = freePorts(4);
  await using nats = Object.hasOwn(busAttacks, name) ? await NatsServer.start() : undefined;
  const server = await startServer(
    `${
      nats ? busSection(nats.url) : ""
    }[http]\nport = ${http}\n[rtmp]\nport = ${rtmp}\n[web]\nport = ${web}\n[servers]\nport = ${servers}`,
    APPLICATION,
    undefined,
    "note",
  );
  const rtmfp = Number(new URL(server.url).port);
  const doors: SiegeDoors = { rtmfp, rtmp, web, http, servers, bus: nats?.port };
  let attacker: Worker | undefined;
  try {
    await Promise.all([http, rtmp, web, servers].map(listening));
    await visit(server.url); // starts the application
    const before = usageOf(server.pid!);
    const logged = server.printed!();
    const started = performance.now();
    const end = started + seconds * 1_000;
    let failure: string | undefined;
    if (name !== IDLE) {
      attacker = new Worker(new URL("./siege/attacker.ts", import.meta.url), { type: "module" });
      attacker.onmessage = ({ data }) => failure = data;
      attacker.postMessage({ name, doors, seconds });
    }
    let most = before.memory;
    let alive = true;
    const watch = setInterval(() => {
      try {
        most = Math.max(most, usageOf(server.pid!).memory);
      } catch {
        alive = false;
      }
    }, SAMPLE_INTERVAL);
    let worst: number | undefined;
    let [visits, failed] = [0, 0];
    for (let next = started + INTERVAL / 2; next < end && alive; next += INTERVAL) {
      await sleep(next - performance.now());
      visits++;
      try {
        worst = Math.max(worst ?? 0, await visit(server.url));
      } catch {
        failed++;
      }
    }
    await sleep(end - performance.now());
    clearInterval(watch);
    const cpu = alive ? usageOf(server.pid!).cpu - before.cpu : NaN;
    return {
      attack: name,
      worst_ms: rounded(worst, 0),
      visits,
      failed,
      memory_growth_mb: rounded((most - before.memory) / 1e6, 0),
      log_bytes: server.printed!() - logged,
      server_cpu_share: rounded(cpu / (performance.now() - started) / 1_000, 2),
      alive,
      ...failure !== undefined && { attacker_failure: failure },
    };
  } finally {
    attacker?.terminate();
    await server.stop();
  }
}

/** Whether nats-server, which attacks by the bus need, is installed. */
function hasNats(): boolean {
  const path = `${Deno.env.get("PATH")}:/usr/sbin`;
  for (const folder of path.split(":")) {
    try {
      if (Deno.statSync(`${folder}/nats-server`).isFile) return true;
    } catch {
      // not in this folder
    }
  }
  console.error(
    "Skipped: attacks by the bus, which need nats-server (apt-get install nats-server)",
  );
  return false;
}

await runProgram(
  "bench/siege.ts",
  "Attacks on a server, and how long an honest client takes meanwhile.",
  {
    seconds: { value: "N", help: "how long each attack lasts (default 5)" },
    only: { value: "TEXT", help: "only attacks whose name contains it" },
    limit: { value: "MS", help: "longest time of the honest client (default 1000)" },
  },
  async (args) => {
    const seconds = numberOption(args, "seconds", 1, 600) ?? 5;
    const limit = numberOption(args, "limit", 1, 60_000) ?? 1_000;
    const only = args.options.get("only") ?? "";
    const names = Object.keys({ ...otherAttacks, ...rtmpAttacks, ...hasNats() && busAttacks });
    const results: Result[] = [];
    for (const name of [IDLE, ...names.filter((name) => name.includes(only)), IDLE]) {
      const result = await attack(name, seconds);
      console.error(JSON.stringify(result));
      results.push(result);
    }
    const held = results.every(({ alive, failed, worst_ms }) =>
      alive && failed === 0 && worst_ms !== null && worst_ms <= limit
    );
    console.log(JSON.stringify({ bench: "siege", seconds, limit, held, results }, null, 2));
    if (!held) Deno.exitCode = 1;
  },
);
