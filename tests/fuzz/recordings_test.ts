import { flvTargets } from "./flv.ts";
import { fuzz } from "./harness.ts";
import { recordingTargets } from "./recordings.ts";

for (const target of recordingTargets) {
  Deno.test(`fuzz: a player of damaged ${target.name} reaches their end, and needs at most 50 ms per file`, () => {
    for (let seed = 1; seed <= 10; seed++) fuzz(target, seed, 100);
  });
}

for (const target of flvTargets) {
  Deno.test(`fuzz: the ${target.name} throws only WireError, and needs at most 50 ms per input`, () => {
    for (let seed = 1; seed <= 20; seed++) fuzz(target, seed, 250);
  });
}
