// `deno task fuzz [seed]`: fuzzes every target until it is stopped, or something fails; then it
// prints the seed and the input, and ends with 1.
import { endpointTargets } from "./endpoint.ts";
import { fuzz, type FuzzTarget } from "./harness.ts";
import { recordingTargets } from "./recordings.ts";
import { rtmfpTargets } from "./rtmfp.ts";

const targets: readonly FuzzTarget[] = [...rtmfpTargets, ...endpointTargets, ...recordingTargets];

const first = Number(Deno.args[0] ?? Date.now() % 1_000_000_000);
for (let seed = first;; seed++) {
  for (const target of targets) fuzz(target, seed, 1000);
  if ((seed - first) % 100 === 0) console.log(`seed ${seed}: ${targets.length} targets are well`);
}
