import assert from "node:assert/strict";
import { fuzz } from "./harness.ts";
import { rtmfpTargets } from "./rtmfp.ts";

for (const target of rtmfpTargets) {
  Deno.test(`fuzz: ${target.name}: throws only WireError, within the time limit`, () => {
    for (let seed = 1; seed <= 20; seed++) fuzz(target, seed, 250);
  });
}

Deno.test("fuzz: a target that fails is reported with its seed", () => {
  const broken = {
    name: "broken",
    samples: () => [Uint8Array.of(1, 2, 3, 4, 5, 6)],
    run(bytes: Uint8Array) {
      if (bytes[2] > 100) throw new TypeError("a bug");
    },
  };
  assert.throws(() => fuzz(broken, 7, 1000), /^Error: broken, seed 7, /);
});
