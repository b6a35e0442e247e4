import { flvTargets } from "./flv.ts";
import { fuzz } from "./harness.ts";
import { recordingTargets } from "./recordings.ts";

for (const target of recordingTargets) {
  Deno.test(`fuzz: ${target.name}: arbitrary files end within the time limit`, () => {
    for (let seed = 1; seed <= 10; seed++) fuzz(target, seed, 100);
  });
}

for (const target of flvTargets) {
  Deno.test(`fuzz: ${target.name}: throws only WireError, within the time limit`, () => {
    for (let seed = 1; seed <= 20; seed++) fuzz(target, seed, 250);
  });
}
