// What recordings and players of files cost: publishers of 1 Mb/s by RTMP, each recorded, then players of
// what was recorded. The load runs on the other core.
//
//     deno run -A bench/recording.ts [--recordings N] [--players N] [--seconds S]
import { parseArgs } from "node:util";
import { freePorts, startServer, usageOf } from "./support/process.ts";

const { values } = parseArgs({
  args: Deno.args,
  options: {
    recordings: { type: "string", default: "200" },
    players: { type: "string", default: "500" },
    seconds: { type: "string", default: "12" },
  },
});
const [recordings, players, seconds] = [values.recordings, values.players, values.seconds]
  .map(Number);

interface Figures {
  readonly what: string;
  readonly clients: number;
  /** Of one core. */
  readonly cpuPercent: number;
  /** Worst lateness of the loop over ten seconds, in milliseconds. */
  readonly worstGap: number;
  readonly kibPerClient: number;
  readonly megabits: number;
}

const [rtmp, http] = freePorts(2);
const server = await startServer(
  `[rtmp]\nport = ${rtmp}\n[http]\nport = ${http}\n[vod]\nfiles = 10000\n[record]\nfree = 0`,
  "function onPublish(client, publication) assert(publication:record()) end",
);

async function metric(name: string): Promise<number> {
  const text = await (await fetch(`http://127.0.0.1:${http}/metrics`)).text();
  return Number(new RegExp(`^${name} (\\S+)$`, "m").exec(text)?.[1] ?? NaN);
}

async function measure(
  what: "publish" | "play",
  clients: number,
  seconds: number,
): Promise<Figures> {
  const pid = server.pid!;
  const empty = usageOf(pid).memory;
  const written = await metric("cumulus_recorded_bytes_total");
  const load = new Deno.Command("taskset", {
    args: [
      ...["-c", "1", Deno.execPath(), "run", "-A"],
      new URL("./load/rtmp_streams.ts", import.meta.url).pathname,
      ...[rtmp, what, clients, seconds, recordings].map(String),
    ],
    stdin: "null",
    stdout: "piped",
  }).spawn();
  let text = "";
  let before: { cpu: number; written: number } | undefined;
  for await (const chunk of load.stdout.pipeThrough(new TextDecoderStream())) {
    text += chunk;
    if (!before && text.includes("ready")) {
      before = { cpu: usageOf(pid).cpu, written: await metric("cumulus_recorded_bytes_total") };
    }
    if (text.includes("}")) break;
  }
  const after = usageOf(pid);
  const { bytes, ended } = JSON.parse(text.slice(text.indexOf("{")));
  if (ended > 0) throw new Error(`${ended} clients were let go`);
  const stored = await metric("cumulus_recorded_bytes_total") - before!.written;
  const worstGap = await metric("cumulus_loop_lag_worst_seconds") * 1_000;
  if (what === "publish" && written >= before!.written) throw new Error("nothing was recorded");
  return {
    what,
    clients,
    cpuPercent: (after.cpu - before!.cpu) / seconds / 1e4,
    worstGap,
    kibPerClient: (after.memory - empty) / clients / 1024,
    megabits: (what === "publish" ? stored : bytes) * 8 / seconds / 1e6,
  };
}

/** Files are longer than players, who begin 3 s ahead and wait 3 s for one another, play them. */
const results = [await measure("publish", recordings, seconds + 10)];
await new Promise((resolve) => setTimeout(resolve, 3_000)); // the recordings are ended
results.push(await measure("play", players, seconds));
await server.stop();
console.table(results.map((one) =>
  Object.fromEntries(
    Object.entries(one).map(([name, value]) => [
      name,
      typeof value === "number" ? Number(value.toPrecision(4)) : value,
    ]),
  )
));
