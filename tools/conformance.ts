// Runs tests/conformance and prints a table: id, fact in five words, passed, failed or missing.
// Arguments: test files (default: all). Exit code 1 unless all facts passed.
import { facts } from "../tests/conformance/support/ids.ts";

interface Outcome {
  readonly id: string;
  readonly passed: boolean;
  readonly problem: string;
}

const results = await Deno.makeTempFile({ prefix: "conformance-" });
const paths = Deno.args.length > 0 ? Deno.args : ["tests/conformance"];
const began = performance.now();
const { stdout, stderr } = await new Deno.Command(Deno.execPath(), {
  args: [
    "test",
    "--config",
    "tests/deno.json",
    "--allow-all",
    "--no-check",
    "--parallel",
    ...paths,
  ],
  cwd: new URL("..", import.meta.url).pathname,
  env: { CONFORMANCE_RESULTS: results, DENO_JOBS: "3", NO_COLOR: "1" },
}).output();
const seconds = (performance.now() - began) / 1000;

const outcomes = new Map<string, Outcome>();
for (const line of (await Deno.readTextFile(results)).split("\n")) {
  if (line === "") continue;
  const outcome: Outcome = JSON.parse(line);
  const before = outcomes.get(outcome.id);
  if (before?.passed !== false) outcomes.set(outcome.id, outcome);
}
await Deno.remove(results);

if (outcomes.size === 0) {
  // The tests did not start: print their output instead of results.
  await Deno.stdout.write(stdout);
  await Deno.stderr.write(stderr);
}

const widest = Math.max(...[...facts.values()].map(({ words }) => words.length));
const totals = { passed: 0, failed: 0, missing: 0 };
for (const { id, words } of facts.values()) {
  const outcome = outcomes.get(id);
  const verdict = !outcome ? "missing" : outcome.passed ? "passed" : "failed";
  totals[verdict]++;
  const why = outcome?.problem ? `  ${outcome.problem.replaceAll(/\s+/g, " ").slice(0, 160)}` : "";
  console.log(`${id.padEnd(9)} ${words.padEnd(widest)}  ${verdict}${why}`);
}
console.log(
  `\n${facts.size} facts: ${totals.passed} passed, ${totals.failed} failed, ` +
    `${totals.missing} missing, in ${seconds.toFixed(0)} s`,
);
Deno.exit(totals.passed === facts.size ? 0 : 1);
