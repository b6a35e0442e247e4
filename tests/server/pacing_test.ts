import assert from "node:assert/strict";
import { WritePacing } from "../../src/server/pacing.ts";

Deno.test("WritePacing waits after a long pass as long as the pass took, at most 200 ms", () => {
  const pacing = new WritePacing();
  assert.ok(pacing.next <= 0);
  pacing.passed(1_000, 1_003, 99);
  assert.ok(pacing.next <= 1_003, "a short pass");
  pacing.passed(2_000, 2_030, 99);
  assert.equal(pacing.next, 2_060);
  pacing.passed(3_000, 3_500, 99);
  assert.equal(pacing.next, 3_700);
  pacing.passed(4_000, 4_001, 99);
  assert.ok(pacing.next <= 4_001, "a short pass again");
});

/** Pause after passes of the same cost, in whole ms. */
function restOf(cost: number, connections: number, pacing = new WritePacing()): number {
  for (let i = 0; i < 40; i++) pacing.passed(1_000, 1_000 + cost, connections);
  return Math.round(Math.max(0, pacing.next - 1_000 - cost));
}

Deno.test("WritePacing collects frames for a time that grows with the cost of a pass", () => {
  const restsOf = (connections: number) =>
    [1, 7, 20, 90, 300].map((cost) => restOf(cost, connections));
  assert.deepEqual(restsOf(99), [0, 7, 20, 90, 200], "as long as the pass");
  assert.deepEqual(restsOf(100), [4, 20, 20, 90, 200], "at most 20 ms, or as long as the pass");
  assert.deepEqual(restsOf(500), [4, 28, 80, 100, 200], "at most 100 ms");
  assert.deepEqual(restsOf(10_000), [4, 28, 80, 200, 200]);
});

Deno.test("WritePacing does not take one delayed pass as the usual one", () => {
  const pacing = new WritePacing();
  assert.equal(restOf(4, 500, pacing), 16);
  pacing.passed(5_000, 5_024, 500);
  assert.equal(pacing.next, 5_048, "as long as that pass, not four times as long");
  assert.equal(restOf(4, 500, pacing), 16);
});
