import { fuzz } from "./harness.ts";
import { recordingTargets } from "./recordings.ts";

for (const target of recordingTargets) {
  Deno.test(`fuzz: ${target.name}: files that are anything come to an end, and never take long`, () => {
    for (let seed = 1; seed <= 10; seed++) fuzz(target, seed, 100);
  });
}
