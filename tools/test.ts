/**
 * Runs the tests: `deno task test [--fast] [--slowest[=N]] [FILE or FOLDER…] [-- OPTIONS OF deno test]`.
 * `--fast` runs the tests that need no clock, socket or Lua: half a minute. `--slowest` lists the slowest
 * tests at the end (default: 20). Without a file it runs all tests.
 */
import { parseArgs } from "node:util";
import { allFiles, fastFiles, WAITING } from "./test_files.ts";
import { TestRuns } from "./test_runs.ts";

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

const processors = navigator.hardwareConcurrency;
const runs = new TestRuns();
if (positionals.length > 0) {
  await runs.run(positionals, 2 * processors);
} else if (values.fast) {
  await runs.run(fastFiles().map(inTests), 2 * processors);
} else {
  // Files that wait for clocks and other programs need little of the processors, which the others keep busy.
  // More of those at once would gain nothing, and let tests stand for more than a second.
  await Promise.all([
    runs.runEach(WAITING.map(inTests), 2 * processors),
    runs.run(allFiles().filter((name) => !WAITING.includes(name)).map(inTests), processors),
  ]);
}
runs.report(slowest);
Deno.exit(runs.code);

function inTests(name: string): string {
  return `tests/${name}`;
}
