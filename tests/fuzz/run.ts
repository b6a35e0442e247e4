// `deno task fuzz`: fuzzes every parser until you stop it or a parser fails; then it prints the
// seed and the input, and exits with code 1.
//
//     deno task fuzz [--only NAME] [--count N] [--seed N]
//
// `--only` selects targets whose name contains a word, `--count` sets the number of inputs for each.
import { parseArgs } from "node:util";
import { endpointTargets } from "./endpoint.ts";
import { flvTargets } from "./flv.ts";
import { fuzz, type FuzzTarget } from "./harness.ts";
import { recordingTargets } from "./recordings.ts";
import { rtmfpTargets } from "./rtmfp.ts";

const { values: { only, count, seed } } = parseArgs({
  args: Deno.args,
  options: {
    only: { type: "string", default: "" },
    count: { type: "string", default: "Infinity" },
    seed: { type: "string", default: String(Date.now() % 1_000_000_000) },
  },
});
/** Inputs of one seed. */
const ROUNDS = 1_000;
const all: readonly FuzzTarget[] = [
  ...rtmfpTargets,
  ...endpointTargets,
  ...flvTargets,
  ...recordingTargets,
];
const targets = all.filter(({ name }) => name.includes(only));
const most = Number(count);
const first = Number(seed);
if (targets.length === 0 || !(most > 0) || !Number.isInteger(first)) {
  console.error(
    `Targets: ${all.map(({ name }) => name).join("; ")}. Options: --only, --count, --seed`,
  );
  Deno.exit(2);
}

const start = performance.now();
let inputs = 0;
for (let at = first; inputs < most; at++) {
  const rounds = Math.min(ROUNDS, most - inputs);
  for (const target of targets) fuzz(target, at, rounds);
  inputs += rounds;
  if ((at - first) % 100 === 99 || inputs >= most) {
    const seconds = ((performance.now() - start) / 1_000).toFixed(0);
    console.log(
      `seed ${at}: ${targets.length} targets passed ${inputs} inputs, ${seconds} s`,
    );
  }
}
