// Whether sockets of scripts delay RTMFP: calls of a function, without and with a thousand busy
// connections to an echo server in Lua.
import { encodeAmf0 } from "../src/amf/mod.ts";
import { numberOption } from "../src/client/cli/arguments.ts";
import { Generator } from "./load/generator.ts";
import type { LeanClient } from "./load/lean_client.ts";
import { type Bench, runBench } from "./support/options.ts";
import { pin, usageOf } from "./support/process.ts";
import { rounded, Samples } from "./support/samples.ts";
import { connectAll } from "./support/steps.ts";

const APPLICATION = `
server = cumulus:createTCPServer()
function server:clientHandler(client)
  function client:onReception(data)
    -- disconnect a client that does not read
    if self:send(data) then self:disconnect() end
    return 0
  end
end
function onConnection(client)
  function client:echo(...) return ... end
  function client:listen(port) return server.running or server:start(port) end
end
`;

function freePort(): number {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr;
  listener.close();
  return port;
}

const numbersPort = freePort();
/** Also in the configuration, so that its worker runs before the script listens. */
const echoPort = freePort();

/** @returns maximum delay (ms) of the server's event loop in the last ten seconds */
async function worstLag(): Promise<number> {
  const answer = await fetch(`http://127.0.0.1:${numbersPort}/api/status`);
  return (await answer.json()).loop.lagWorst;
}

/** Calls at a steady rate, without waiting for earlier answers. @returns the delays (ms) */
async function callSteadily(
  generator: Generator,
  clients: LeanClient[],
  perSecond: number,
  seconds: number,
): Promise<Samples> {
  const samples = new Samples();
  const values = encodeAmf0(null, "x".repeat(64));
  const start = performance.now();
  let called = 0;
  let answered = 0;
  const callDue = () => {
    const now = generator.now = performance.now();
    if (now >= start + seconds * 1000) return answered === called;
    for (; now >= start + called * 1000 / perSecond; called++) {
      const due = start + called * 1000 / perSecond;
      clients[called % clients.length]!.call("echo", values, () => {
        answered++;
        samples.add(performance.now() - due);
      });
    }
    return false;
  };
  const done = await generator.run(callDue, start + (seconds + 10) * 1000);
  if (!done) throw new Error(`The server did not answer ${called - answered} calls`);
  return samples;
}

async function measure({ args, server, generator: options, app }: Bench) {
  const sockets = numberOption(args, "sockets", 0, 20_000) ?? 1000;
  const dead = numberOption(args, "dead", 0, 1000) ?? 0;
  const rate = numberOption(args, "rate", 0, 1_000_000) ?? 5000;
  const bytes = numberOption(args, "bytes", 1, 60_000) ?? 64;
  const calls = numberOption(args, "calls", 1, 10_000) ?? 500;
  const seconds = numberOption(args, "seconds", 1, 3600) ?? 8;
  const generator = new Generator(options);
  const run = async () => {
    const before = server.pid === undefined ? undefined : usageOf(server.pid);
    const started = performance.now();
    const samples = await callSteadily(generator, clients, calls, seconds);
    const elapsed = performance.now() - started;
    const after = server.pid === undefined ? undefined : usageOf(server.pid);
    return {
      rpc_p50_ms: rounded(samples.quantile(0.5), 2),
      rpc_p99_ms: rounded(samples.quantile(0.99), 2),
      rpc_max_ms: rounded(samples.quantile(1), 2),
      loop_worst_lag_ms: rounded(await worstLag(), 2),
      server_cpu_share: rounded(
        before && after ? (after.cpu - before.cpu) / elapsed / 1000 : NaN,
        3,
      ),
      server_memory_mb: rounded((after?.memory ?? NaN) / 1e6, 0),
    };
  };
  const clients = Array.from({ length: 10 }, () => generator.add());
  let load: Deno.ChildProcess | undefined;
  try {
    await connectAll(generator, clients, app);
    await callSteadily(generator, clients, calls, 2); // to warm up
    const without = await run();

    const port = echoPort;
    let listening: unknown;
    const started = performance.now();
    clients[0]!.call("listen", encodeAmf0(null, port), (_failed, values) => {
      listening = values.readValue();
    });
    await generator.run(() => listening !== undefined, performance.now() + 10_000);
    if (listening !== true) throw new Error("The script cannot listen");
    const listenedIn = performance.now() - started;
    load = new Deno.Command(Deno.execPath(), {
      args: [
        ...["run", "--allow-all", new URL("load/tcp_load.ts", import.meta.url).pathname],
        ...[port, sockets, dead, rate, bytes, seconds + 4].map(String),
      ],
      stdout: "piped",
      stderr: "inherit",
    }).spawn();
    pin(load.pid, 1);
    const lines = load.stdout.pipeThrough(new TextDecoderStream()).getReader();
    const { value: ready } = await lines.read();
    if (ready?.trim() !== "ready") throw new Error("The connections cannot be opened");
    await callSteadily(generator, clients, calls, 2);
    const meanwhile = await run();
    let report = "";
    for (;;) {
      const { value, done } = await lines.read();
      if (done) break;
      report += value;
    }
    return {
      sockets,
      echo_bytes: bytes,
      calls_per_second: calls,
      seconds,
      listen_took_ms: rounded(listenedIn, 1),
      without,
      with_sockets: meanwhile,
      sockets_seen: JSON.parse(report),
    };
  } finally {
    generator.close();
    await load?.status;
  }
}

await runBench(
  "bench/sockets.ts",
  "Calls echo in Lua while connections to a TCP echo server in Lua are busy.",
  {
    sockets: { value: "N", help: "how many connections (default 1000)" },
    dead: { value: "N", help: "more of them that send and never read (default 0)" },
    rate: { value: "N", help: "echoes a second, 0 for all it can (default 5000)" },
    bytes: { value: "N", help: "bytes of an echo (default 64)" },
    calls: { value: "N", help: "calls a second (default 500)" },
    seconds: { value: "N", help: "how long to measure each (default 8)" },
  },
  measure,
  {
    application: APPLICATION,
    settings:
      `[http]\nport = ${numbersPort}\n[script]\nsockets = 25000\n[echo]\nport = ${echoPort}\n`,
  },
);
