// Clients of every door that come and go for a long time: checks that the server's memory stays flat.
//
//     deno run -A bench/soak.ts [--minutes 30] [--clients 50]
//
// They connect, call, publish, play and change a shared object, stay for some seconds, and leave with or
// without closing. The load takes at most a quarter of one core; the machine may do other work.
import { numberOption } from "../src/client/cli/arguments.ts";
import { sleep, within } from "../src/common/wait.ts";
import { visitRtmfp, visitRtmp, visitRtws } from "./soak/sessions.ts";
import { viewByHttp, viewByWebSocket } from "./soak/viewers.ts";
import type { Counts, Doors, Plan, Visitor } from "./soak/visit.ts";
import { freePorts, ownCpu, startServer, usageOf } from "./support/process.ts";
import { runProgram } from "./support/program.ts";
import { rounded } from "./support/samples.ts";
import { floors, isFlat, type Sample, secondHalf, trend } from "./support/trend.ts";

const APPLICATION = `
visits = 0
function onConnection(client)
  visits = visits + 1
  client.notes = {("note "):rep(20), visits}
  function client:echo(...) return ... end
end
`;
/** Milliseconds between two samples, and length (ms) of the spans whose smallest sample counts. */
const SAMPLE_INTERVAL = 5_000;
const SPAN = 30_000;
/** Maximum growth of a flat figure in the second half: a share of its mean, or bytes or number if larger. */
const MAX_SHARE = 0.05;
const MAX_BYTES = 4 << 20;
const MAX_NUMBER = 8;
/** Minimum and maximum time (ms) of a visit, and between two visits of a visitor. */
const STAY = [2_000, 12_000] as const, AWAY = [100, 2_000] as const;
/** Maximum time (ms) of a visit besides its stay. */
const VISIT_TIMEOUT = 15_000;
const STEADY = "steady";

/** Each door gets a fifth of the visitors. */
const DOORS: readonly (readonly [string, Visitor])[] = [
  ["rtmfp", visitRtmfp],
  ["rtmp", visitRtmp],
  ["rtws", visitRtws],
  ["http-flv", viewByHttp],
  ["ws-flv", viewByWebSocket],
];

const between = ([least, most]: readonly [number, number]): number =>
  least + Math.random() * (most - least);

interface Figures {
  readonly resident: Sample[];
  readonly heap: Sample[];
  readonly external: Sample[];
  readonly lua: Sample[];
  readonly descriptors: Sample[];
  readonly sessions: Sample[];
}

async function look(http: number, pid: number, into: Figures): Promise<void> {
  const response = await fetch(`http://127.0.0.1:${http}/api/status`);
  const { memory, sessions } = await response.json();
  const at = performance.now();
  into.resident.push({ at, value: usageOf(pid).memory });
  into.heap.push({ at, value: memory.heap });
  into.external.push({ at, value: memory.external });
  into.lua.push({ at, value: memory.lua });
  into.descriptors.push({ at, value: [...Deno.readDirSync(`/proc/${pid}/fd`)].length });
  into.sessions.push({ at, value: sessions.open });
}

/** Resolves when the web door serves a stream. @throws {Error} if it does not within ten seconds */
async function seen(url: string): Promise<void> {
  for (let i = 0; i < 50; i++) {
    try {
      const response = await fetch(url);
      await response.body?.cancel();
      if (response.ok) return;
    } catch {
      // the door is not open yet
    }
    await sleep(200);
  }
  throw new Error(`The server does not serve ${url}`);
}

/** Whether a figure stayed flat. @param bytes whether the samples are bytes, printed as MB */
function verdict(samples: readonly Sample[], bytes: boolean) {
  const unit = bytes ? 1e6 : 1;
  const all = floors(samples, SPAN);
  const line = trend(secondHalf(all));
  return {
    first: rounded(all[0]!.value / unit, 2),
    mean_of_second_half: rounded(line.mean / unit, 2),
    last: rounded(all.at(-1)!.value / unit, 2),
    growth_per_hour: rounded(line.perHour / unit, 2),
    growth_of_second_half: rounded(line.growth / unit, 2),
    flat: isFlat(line, MAX_SHARE, bytes ? MAX_BYTES : MAX_NUMBER),
  };
}

async function soak(minutes: number, clients: number, verbose: boolean) {
  const [http, rtmpPort, web] = freePorts(3);
  const settings = `[http]\nport = ${http}\n[rtmp]\nport = ${rtmpPort}\n[web]\nport = ${web}`;
  const server = await startServer(settings, APPLICATION);
  const doors: Doors = {
    rtmfp: server.url,
    rtmp: `rtmp://127.0.0.1:${rtmpPort}/bench`,
    rtmpPort,
    web: `127.0.0.1:${web}`,
    app: "bench",
  };
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    Deno.addSignalListener(signal, () => server.stop().finally(() => Deno.exit(130)));
  }
  const started = performance.now();
  const end = started + minutes * 60_000;
  const counts: Counts = { visits: 0, failed: 0, calls: 0, frames: 0, received: 0 };
  const byDoor = new Map<string, number>();
  const live = new Set<string>([STEADY]);
  let number = 0;

  /** Each publication and half of the objects have a new name, to reveal memory that is kept by name. */
  const plan = (publishing: boolean): Plan => {
    const own = ++number;
    const publishes = publishing && Math.random() < 0.4;
    const names = [...live];
    return {
      number: own,
      stay: between(STAY),
      vanishes: Math.random() < 0.4,
      publishes: publishes ? `stream ${own}` : undefined,
      plays: publishes || (publishing && Math.random() < 0.2)
        ? undefined
        : names[Math.floor(Math.random() * names.length)],
      object: Math.random() < 0.5 ? `object ${own}` : `room ${own % 5}`,
    };
  };
  const comeAndGo = async ([door, visitor]: readonly [string, Visitor]) => {
    await sleep(between([0, AWAY[1]]));
    while (performance.now() < end) {
      const one = plan(visitor !== viewByHttp && visitor !== viewByWebSocket);
      const { publishes } = one;
      const announced = setTimeout(() => publishes !== undefined && live.add(publishes), 1_000);
      const withdrawn = setTimeout(
        () => publishes !== undefined && live.delete(publishes),
        one.stay - 1_000,
      );
      try {
        await within(
          visitor({ doors, plan: one, counts }),
          one.stay + VISIT_TIMEOUT,
          "the visit does not end",
        );
        counts.visits++;
        byDoor.set(door, (byDoor.get(door) ?? 0) + 1);
      } catch (error) {
        counts.failed++;
        if (verbose) console.error(`${door}: ${error}`);
      }
      clearTimeout(announced);
      clearTimeout(withdrawn);
      if (publishes !== undefined) live.delete(publishes);
      await sleep(between(AWAY));
    }
  };
  const publishSteadily = async () => {
    while (performance.now() < end) {
      const stay = Math.min(end - performance.now(), 60_000);
      const steady = { number: 0, stay, vanishes: false, publishes: STEADY, object: "" };
      await visitRtmp({ doors, plan: steady, counts }).catch(() => sleep(100));
    }
  };
  const figures: Figures = {
    resident: [],
    heap: [],
    external: [],
    lua: [],
    descriptors: [],
    sessions: [],
  };
  const watch = async () => {
    while (performance.now() < end) {
      await sleep(Math.min(SAMPLE_INTERVAL, Math.max(0, end - performance.now())));
      await look(http, server.pid!, figures);
      if (!verbose) continue;
      const last = Object.entries(figures).map(([name, samples]) => [name, samples.at(-1).value]);
      console.error(JSON.stringify({ ...Object.fromEntries(last), ...counts }));
    }
  };
  try {
    const steady = publishSteadily();
    await seen(`http://${doors.web}/bench/${STEADY}.flv`);
    const before = usageOf(server.pid!).cpu;
    const own = ownCpu();
    await Promise.all([
      steady,
      ...Array.from({ length: clients }, (_, i) => comeAndGo(DOORS[i % DOORS.length]!)),
      watch(),
    ]);
    const elapsed = performance.now() - started;
    const results = {
      resident_mb: verdict(figures.resident, true),
      heap_mb: verdict(figures.heap, true),
      external_mb: verdict(figures.external, true),
      lua_mb: verdict(figures.lua, true),
      descriptors: verdict(figures.descriptors, false),
      sessions: verdict(figures.sessions, false),
    };
    return {
      bench: "soak",
      minutes: rounded(elapsed / 60_000, 1),
      clients,
      visits_per_minute: rounded(counts.visits / elapsed * 60_000, 0),
      by_door: Object.fromEntries(byDoor),
      ...counts,
      server_cpu_share: rounded((usageOf(server.pid!).cpu - before) / elapsed / 1000, 3),
      generator_cpu_share: rounded((ownCpu() - own) / elapsed / 1000, 3),
      ...results,
      flat: Object.values(results).every(({ flat }) => flat),
    };
  } finally {
    await server.stop();
  }
}

await runProgram(
  "bench/soak.ts",
  "Clients of every door that come and go, and the server's memory meanwhile.",
  {
    minutes: { value: "N", help: "how long (default 30)" },
    clients: { value: "N", help: "how many at once (default 50)" },
    verbose: { help: "print each sample, and why visits failed" },
  },
  async (args) => {
    const minutes = numberOption(args, "minutes", 0.2, 10_000) ?? 30;
    const clients = numberOption(args, "clients", 1, 1_000) ?? 50;
    const result = await soak(minutes, clients, args.options.has("verbose"));
    console.log(JSON.stringify(result, null, 2));
    if (!result.flat) Deno.exitCode = 1;
  },
);
