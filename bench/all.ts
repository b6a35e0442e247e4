// Runs all benchmarks and writes bench/results.json and the tables in bench/README.md.
import { helpOrRun } from "./support/help.ts";
import { LimitProgram } from "./support/limit.ts";
import {
  insertTable,
  type Machine,
  type Result,
  type Results,
  type Run,
} from "./support/report.ts";
import { TITLES } from "./support/targets.ts";

helpOrRun(`
Usage: deno task bench [OPTIONS]

Runs all benchmarks and writes bench/results.json and the tables in bench/README.md.

Options:
  --quick     one or two minutes in all; writes no file
  --url URL   measure a server that runs, instead of this project's
  --pid PID   its process, for CPU and memory
  --group N, --strict   Diffie-Hellman group; require HMACs and sequence numbers
  --help      print this and exit
`);

const folder = new URL("./", import.meta.url);
const quick = Deno.args.includes("--quick");
const passed = Deno.args.filter((arg) => arg !== "--quick");
const elsewhere = passed.some((arg) => arg.startsWith("--url"));

interface Plan {
  readonly title: string;
  readonly script: string;
  readonly options: readonly string[];
  /** With this figure the benchmark runs three times, and the run with its median counts. */
  readonly middleOf?: string;
}

/** The runs. With `--url` those are left out that start a server, or need none. */
function* plan(): Generator<Plan> {
  const seconds = ["--seconds", quick ? "2" : "6"];
  const middleOf = quick ? undefined : "server_cpu_us_per_packet";
  const own = !elsewhere;
  const fanOut = (title: string, listeners: number, ...options: string[]) => ({
    title,
    script: "fanout.ts",
    options: ["--listeners", `${listeners}`, ...seconds, ...options],
  });
  if (own) yield { title: TITLES.start, script: "start.ts", options: [] };
  yield { ...fanOut(TITLES.fanOut(200), 200), middleOf };
  if (own) yield { ...fanOut(TITLES.fanOutPortable, 200, "--native", "off"), middleOf };
  for (const listeners of quick ? [50] : [10, 50, 100, 400, 800]) {
    yield {
      ...fanOut(TITLES.fanOut(listeners), listeners),
      middleOf: listeners === 400 ? middleOf : undefined,
    };
  }
  if (!quick) {
    yield { ...fanOut(TITLES.stalled, 400, "--stalled", "40"), middleOf };
    yield { ...fanOut(TITLES.meanwhile, 200, "--handshakes", "500"), middleOf };
    yield { title: TITLES.capacity, script: "capacity.ts", options: ["--from", "500"] };
    if (own) {
      const options = ["--native", "off", "--from", "200"];
      yield { title: TITLES.capacityPortable, script: "capacity.ts", options };
    }
  }
  const calls = { script: "rpc.ts", middleOf: quick ? undefined : "calls_per_second" };
  yield { title: TITLES.rpc, ...calls, options: ["--clients", "50", ...seconds] };
  yield { title: TITLES.rpcAlone, ...calls, options: ["--clients", "1", ...seconds] };
  const handshakes = {
    script: "handshake.ts",
    middleOf: quick ? undefined : "handshakes_per_second",
  };
  const [count, idle] = quick ? ["500", "500"] : ["4000", "10000"];
  yield { title: TITLES.handshake, ...handshakes, options: ["--count", count, "--idle", idle] };
  if (own && !quick) {
    const options = ["--group", "16", "--strict", "--count", "800", "--idle", "0"];
    yield { title: TITLES.handshakeStrict, ...handshakes, options };
  }
  yield {
    title: "NetGroups and introductions",
    script: "groups.ts",
    options: ["--members", quick ? "200" : "1000,10000", ...seconds],
  };
  if (!own) return;
  yield {
    title: "calls while 1,000 TCP sockets of a script echo",
    script: "sockets.ts",
    options: ["--sockets", quick ? "200" : "1000", "--seconds", quick ? "2" : "8"],
  };
  if (quick) return;
  yield { title: "the packet path, without sockets", script: "path.ts", options: [] };
  yield { title: "cryptography, without a server", script: "crypto.ts", options: [] };
  yield { title: "Lua, without a server", script: "lua.ts", options: [] };
}

/** Benchmarks that do not take `--url`, `--pid`, `--group` and `--strict`. */
const ALONE = ["start.ts", "path.ts", "crypto.ts", "lua.ts"];

async function run({ title, script, options, middleOf }: Plan): Promise<Run> {
  const all = ALONE.includes(script) ? options : [...options, ...passed];
  const args = ["run", "--allow-all", new URL(script, folder).pathname, ...all];
  const command = ["bench/" + script, ...all].join(" ");
  const limit = await program.run(quick ? 20_000 : 60_000);
  const results: Result[] = [];
  for (let i = middleOf ? 3 : 1; i > 0; i--) {
    const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
      args,
      env: { NO_COLOR: "1" }, // an error goes into the table
      stdout: "piped",
      stderr: "piped",
    }).output();
    const text = new TextDecoder().decode(success ? stdout : stderr).trim();
    if (!success) return { title, command, error: text.split("\n", 1)[0] };
    const result = JSON.parse(text);
    // Benchmarks without a server do not print their name.
    results.push("bench" in result ? result : { bench: script.replace(".ts", ""), ...result });
  }
  results.sort((a, b) => Number(a[middleOf!]) - Number(b[middleOf!]));
  const [result] = results.splice(results.length >> 1, 1);
  return {
    title,
    command,
    ...(typeof limit === "string" ? {} : { floor: limit }),
    result,
    ...(results.length > 0 ? { others: results } : {}),
  };
}

function machine(): Machine {
  const [load = 0] = Deno.loadavg();
  const info = Deno.build.os === "linux" ? Deno.readTextFileSync("/proc/cpuinfo") : "";
  return {
    cpu: /^model name\s*: (.*)$/m.exec(info)?.[1] ?? Deno.build.arch,
    cores: navigator.hardwareConcurrency,
    system: `${Deno.build.os} ${Deno.osRelease()}`,
    deno: Deno.version.deno,
    load,
  };
}

using program = await LimitProgram.compile();
const before = machine();
const limit = await program.run(quick ? 50_000 : 200_000);
console.log(
  JSON.stringify({ bench: "limit", ...(typeof limit === "string" ? { limit } : limit) }),
);
const runs: Run[] = [];
for (const planned of plan()) {
  const done = await run(planned);
  runs.push(done);
  console.log(JSON.stringify(done.result ?? done));
}
if (!quick && !elsewhere) {
  const results: Results = {
    date: new Date().toISOString().slice(0, 10),
    machine: before,
    limit,
    runs,
  };
  const json = new URL("results.json", folder);
  Deno.writeTextFileSync(json, JSON.stringify(results, null, 2) + "\n");
  const readme = new URL("README.md", folder);
  Deno.writeTextFileSync(readme, insertTable(Deno.readTextFileSync(readme), results));
}
if (runs.some(({ result }) => !result)) Deno.exitCode = 1;
