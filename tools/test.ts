/**
 * Runs the tests: `deno task test [--fast] [--slowest[=N]] [FILE or FOLDER…] [-- OPTIONS OF deno test]`.
 * `--fast` runs the tests that need no clock, socket or Lua: half a minute. `--slowest` lists the slowest
 * tests at the end (default: 20). Without a file it runs all tests.
 */
import { parseArgs } from "node:util";
import { fastFiles, LONG } from "./test_files.ts";

const root = new URL("../", import.meta.url);
const { values, positionals } = parseArgs({
  args: Deno.args.map((one) => one === "--slowest" ? "--slowest=20" : one),
  options: { fast: { type: "boolean" }, slowest: { type: "string" } },
  allowPositionals: true,
});
const slowest = values.slowest === undefined ? 0 : Number(values.slowest);
if (!Number.isInteger(slowest) || slowest < 0) {
  console.error(`invalid --slowest=${values.slowest}: a number of tests`);
  Deno.exit(2);
}

const inTests = (name: string) => `tests/${name}`;
// `deno test` starts named files before files of folders, and each file once.
const paths = positionals.length > 0
  ? positionals
  : values.fast
  ? fastFiles().map(inTests)
  : [...LONG.map(inTests), "tests"];
// Types are checked by `deno task ok`.
const command = new Deno.Command(Deno.execPath(), {
  args: [
    "test",
    "--config",
    "tests/deno.json",
    "--no-check",
    "--allow-all",
    "--parallel",
    ...paths,
  ],
  cwd: root,
  // Many tests wait for other programs or the network: two jobs a core keep it busy. With three, a test may
  // get no core for more than a second, and exceed a time-out.
  env: { DENO_JOBS: Deno.env.get("DENO_JOBS") ?? String(2 * navigator.hardwareConcurrency) },
  stdout: "piped",
});
const child = command.spawn();
const times: { name: string; ms: number }[] = [];
let line = "";
const decoder = new TextDecoder();
for await (const chunk of child.stdout) {
  Deno.stdout.writeSync(chunk);
  if (slowest === 0) continue;
  const lines = (line + decoder.decode(chunk, { stream: true })).split("\n");
  line = lines.pop()!;
  lines.forEach(takeTime);
}
if (slowest > 0) {
  times.sort((a, b) => b.ms - a.ms);
  console.log(`\nThe ${Math.min(slowest, times.length)} slowest tests:`);
  for (const { name, ms } of times.slice(0, slowest)) {
    console.log(`${(ms / 1000).toFixed(1).padStart(7)} s  ${name}`);
  }
}
const { code, signal } = await child.status;
if (signal) console.error(`deno test was ended by ${signal}`);
Deno.exit(code);

/** Records the time in a line such as `name ... ok (1m2s)`. */
function takeTime(text: string): void {
  // deno-lint-ignore no-control-regex
  const plain = text.replaceAll(/\x1b\[[0-9;]*m/g, "");
  const [, name, time] = /^(.*) \.\.\. (?:ok|FAILED) \((.*)\)$/.exec(plain) ?? [];
  if (name === undefined || time === undefined) return;
  const [, minutes = "0", number = "0", unit] = /^(?:(\d+)m)?(?:(\d+)(µs|ms|s))?$/.exec(time) ?? [];
  const scale = unit === "s" ? 1000 : unit === "µs" ? 0.001 : 1;
  times.push({ name, ms: Number(minutes) * 60_000 + Number(number) * scale });
}
