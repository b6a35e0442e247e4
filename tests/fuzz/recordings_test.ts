import { flvTargets } from "./flv.ts";
import { fuzz } from "./harness.ts";
import { recordingTargets } from "./recordings.ts";

for (const target of recordingTargets) {
  Deno.test(`fuzz: ${target.name}: files that are anything come to an end, and never take long`, () => {
    for (let seed = 1; seed <= 10; seed++) fuzz(target, seed, 100);
  });
}

for (const target of flvTargets) {
  Deno.test(`fuzz: ${target.name}: nothing but WireError, and never long`, () => {
    for (let seed = 1; seed <= 20; seed++) fuzz(target, seed, 250);
  });
}
