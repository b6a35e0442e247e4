// Runs all benchmarks and writes bench/results.json and the table in bench/README.md.
import { runLimit } from "./support/limit.ts";
import { insertTable, type Machine, type Results, type Run } from "./support/report.ts";

const HELP = `Usage: deno task bench [OPTIONS]

Runs all benchmarks and writes bench/results.json and the table in bench/README.md.

Options:
  --quick     short runs, for a look; nothing is written
  --url URL   measure a server that runs, instead of this project's
  --pid PID   its process, for CPU and memory
  --group N, --strict   how to speak with it
  --help      print this and exit
`;

const folder = new URL("./", import.meta.url);
const quick = Deno.args.includes("--quick");
const passed = Deno.args.filter((arg) => arg !== "--quick");
const elsewhere = passed.some((arg) => arg.startsWith("--url"));

/** Title, script and options of each run; a server elsewhere has no portable and native half. */
function* plan(): Generator<[title: string, script: string, ...options: string[]]> {
  const seconds = quick ? "2" : "6";
  for (const listeners of quick ? [50, 200] : [10, 50, 100, 200, 400, 800]) {
    yield [
      `fan-out of 1 Mb/s to ${listeners}`,
      "fanout.ts",
      ...["--listeners", `${listeners}`, "--seconds", seconds],
    ];
  }
  if (!elsewhere) {
    yield [
      "fan-out of 1 Mb/s to 200, portable",
      "fanout.ts",
      ...["--listeners", "200", "--seconds", seconds, "--native", "off"],
    ];
  }
  if (!quick) {
    yield [
      "fan-out of 1 Mb/s to 400, a tenth of them stalled",
      "fanout.ts",
      ...["--listeners", "400", "--stalled", "40", "--seconds", seconds],
    ];
  }
  if (!quick) {
    yield [
      "fan-out of 1 Mb/s to 200, with 500 handshakes/s at group 14 meanwhile",
      "fanout.ts",
      ...["--listeners", "200", "--handshakes", "500", "--seconds", seconds],
    ];
    yield ["listeners of 1 Mb/s that one core holds", "capacity.ts"];
    if (!elsewhere) {
      yield [
        "listeners of 1 Mb/s that one core holds, portable",
        "capacity.ts",
        ...["--native", "off", "--from", "100"],
      ];
    }
  }
  yield ["RPC echo of 64 bytes, 50 clients", "rpc.ts", "--clients", "50", "--seconds", seconds];
  yield ["RPC echo of 64 bytes, 1 client", "rpc.ts", "--clients", "1", "--seconds", seconds];
  const count = quick ? "500" : "4000";
  yield [
    "handshake and connect",
    "handshake.ts",
    "--count",
    count,
    "--idle",
    quick ? "500" : "10000",
  ];
  yield [
    "NetGroups and introductions",
    "groups.ts",
    ...["--members", quick ? "200" : "1000,10000", "--seconds", seconds],
  ];
  if (!elsewhere) {
    yield [
      "calls while 1,000 TCP sockets of a script echo",
      "sockets.ts",
      ...["--sockets", quick ? "200" : "1000", "--seconds", quick ? "2" : "8"],
    ];
  }
  if (!elsewhere && !quick) {
    yield ["cryptography, without a server", "crypto.ts"];
    yield ["Lua, without a server", "lua.ts"];
    yield [
      "handshake and connect, group 16, HMAC and sequence numbers",
      "handshake.ts",
      ...["--group", "16", "--strict", "--count", "800", "--idle", "0"],
    ];
  }
}

async function run([title, script, ...options]: [string, string, ...string[]]): Promise<Run> {
  const all = script === "crypto.ts" || script === "lua.ts" ? options : [...options, ...passed];
  const args = ["run", "--allow-all", new URL(script, folder).pathname, ...all];
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args,
    stdout: "piped",
    stderr: "piped",
  }).output();
  const text = new TextDecoder().decode(success ? stdout : stderr).trim();
  const command = ["bench/" + script, ...all].join(" ");
  if (!success) return { title, command, error: text.split("\n", 1)[0] };
  return { title, command, result: JSON.parse(text) };
}

function machine(): Machine {
  const info = Deno.build.os === "linux" ? Deno.readTextFileSync("/proc/cpuinfo") : "";
  return {
    cpu: /^model name\s*: (.*)$/m.exec(info)?.[1] ?? Deno.build.arch,
    cores: navigator.hardwareConcurrency,
    system: `${Deno.build.os} ${Deno.osRelease()}`,
    deno: Deno.version.deno,
    load: Deno.loadavg()[0],
  };
}

if (Deno.args.includes("--help")) {
  console.log(HELP.trimEnd());
} else {
  const before = machine();
  const limit = await runLimit(quick ? 50_000 : 200_000);
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
      limit: typeof limit === "string" ? limit : { ...limit },
      runs,
    };
    const json = new URL("results.json", folder);
    Deno.writeTextFileSync(json, JSON.stringify(results, null, 2) + "\n");
    const readme = new URL("README.md", folder);
    Deno.writeTextFileSync(readme, insertTable(Deno.readTextFileSync(readme), results));
  }
  if (runs.some(({ result }) => !result)) Deno.exitCode = 1;
}
