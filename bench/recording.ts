// Cost of recordings and players of files: publishers of 1 Mb/s by RTMP, first only live, then each
// recorded, then players of the recordings; and the idle server for comparison. The load runs on the
// other core.
// Options: `--help`.
//
// Gaps are milliseconds by which a timer of 1 ms inside of the server was late. "own" excludes the time in
// which the server waited for its core: on a quiet machine both are equal. Memory per client is the growth
// of the process, which may reuse memory freed by an earlier part, so the memory of the whole process is
// shown as well.
import { parseArgs } from "node:util";
import { sleep } from "../src/common/wait.ts";
import { Heartbeat } from "./support/heartbeat.ts";
import { helpOrRun } from "./support/help.ts";
import { numbersOf } from "./support/numbers.ts";
import { freePorts, startServer, usageOf } from "./support/process.ts";
import { rounded } from "./support/samples.ts";

helpOrRun(`
Usage: deno run -A bench/recording.ts [OPTIONS]

Measures what recordings, and players of the recorded files, cost the server.

Options:
  --recordings N   how many streams are recorded (default 200)
  --players N      how many players of files (default 500)
  --seconds N      how long to measure each part (default 12)
  --help           print this and exit
`);
const { values } = parseArgs({
  args: Deno.args,
  options: {
    recordings: { type: "string", default: "200" },
    players: { type: "string", default: "500" },
    seconds: { type: "string", default: "12" },
  },
});
const [recordings, players, seconds] = numbersOf(
  [values.recordings, values.players, values.seconds],
  3,
);

/** Records streams whose names begin with `r`. */
const APPLICATION = `
function onPublish(client, publication)
  if publication.name:sub(1, 1) == "r" then assert(publication:record()) end
end`;

const [rtmp, http] = freePorts(2);
const heartbeat = new Heartbeat();
const server = await startServer(
  `[rtmp]\nport = ${rtmp}\n[http]\nport = ${http}\n[vod]\nfiles = 10000\n[record]\nfree = 0`,
  APPLICATION,
  heartbeat,
);
const pid = server.pid!;

async function recorded(): Promise<number> {
  const text = await (await fetch(`http://127.0.0.1:${http}/metrics`)).text();
  return Number(/^cumulus_recorded_bytes_total (\S+)$/m.exec(text)?.[1] ?? NaN);
}

/** Measures the server for `seconds`, idle or with a load. */
async function measure(what: string, clients: number, seconds: number, load?: Load) {
  const memory = usageOf(pid).memory;
  const running = load && await begin(load, clients, seconds);
  const [from, stored, { cpu }] = [Date.now(), await recorded(), usageOf(pid)];
  const bytes = running
    ? await running()
    : await new Promise<number>((resolve) => setTimeout(() => resolve(0), seconds * 1_000));
  const [to, after] = [Date.now(), usageOf(pid)];
  const written = await recorded() - stored;
  if (what === "recordings" && written === 0) throw new Error("The server recorded nothing");
  const gaps = heartbeat.between(from, to);
  return {
    what,
    clients,
    cpu_share: rounded((after.cpu - cpu) / (to - from) / 1_000, 3),
    gap_p99_ms: rounded(gaps.p99, 1),
    gap_worst_ms: rounded(gaps.worst, 1),
    own_gap_p99_ms: rounded(gaps.ownP99, 1),
    own_gap_worst_ms: rounded(gaps.ownWorst, 1),
    process_mib: rounded(after.memory / 2 ** 20, 0),
    kib_per_client: clients > 0 ? rounded((after.memory - memory) / clients / 1_024, 0) : null,
    written_megabits: rounded(written * 8 / (to - from) / 1_000, 1),
    played_megabits: rounded(bytes * 8 / (to - from) / 1_000, 1),
  };
}

interface Load {
  readonly does: "publish" | "play";
  readonly prefix: string;
  readonly names: number;
}

/**
 * Starts clients, and resolves when they run.
 *
 * @returns a function that waits for their end, and returns the bytes that they received
 */
async function begin({ does, prefix, names }: Load, clients: number, seconds: number) {
  const child = new Deno.Command("taskset", {
    args: [
      ...["-c", "1", Deno.execPath(), "run", "-A"],
      new URL("./load/rtmp_streams.ts", import.meta.url).pathname,
      ...[rtmp, does, clients, seconds, names, prefix].map(String),
    ],
    stdin: "null",
    stdout: "piped",
  }).spawn();
  const output = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  const until = async (word: string) => {
    while (!text.includes(word)) {
      const { value, done } = await output.read();
      if (done) throw new Error("The load has ended");
      text += value;
    }
  };
  await until("ready");
  return async () => {
    await until("}");
    await child.status;
    const { bytes, ended } = JSON.parse(text.slice(text.indexOf("{")));
    if (ended > 0) throw new Error(`The server closed ${ended} connections`);
    return bytes as number;
  };
}

const pause = () => sleep(3_000); // the server closes the recordings
const publish = (prefix: string): Load => ({ does: "publish", prefix, names: recordings });
await pause();
const results = [await measure("idle", 0, seconds)];
results.push(await measure("live only", recordings, seconds, publish("l")));
await pause();
// Files must outlast their players, which begin 3 s before the measurement.
results.push(await measure("recordings", recordings, seconds + 10, publish("r")));
await pause();
const play: Load = { does: "play", prefix: "r", names: recordings };
results.push(await measure("players", players, seconds, play));
await server.stop();
heartbeat.close();
console.log(JSON.stringify({ bench: "recording", results }));
console.table(results);
