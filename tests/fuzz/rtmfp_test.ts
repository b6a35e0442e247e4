import assert from "node:assert/strict";
import { fuzz } from "./harness.ts";
import { rtmfpTargets } from "./rtmfp.ts";

for (const target of rtmfpTargets) {
  Deno.test(`fuzz: the reader of RTMFP ${target.name} throws only WireError, and needs at most 50 ms per input`, () => {
    for (let seed = 1; seed <= 20; seed++) fuzz(target, seed, 250);
  });
}

Deno.test("fuzz: fuzz() names target and seed when a target throws another error than WireError", () => {
  const broken = {
    name: "broken",
    samples: () => [Uint8Array.of(1, 2, 3, 4, 5, 6)],
    run(bytes: Uint8Array) {
      if (bytes[2] > 100) throw new TypeError("a bug");
    },
  };
  assert.throws(() => fuzz(broken, 7, 1000), /^Error: broken, seed 7, /);
});
