import assert from "node:assert/strict";
import { Pacing } from "../../src/server/pacing.ts";

Deno.test("Pacing waits after a long pass for as long as that took, at most 200 ms", () => {
  const pacing = new Pacing();
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

Deno.test("Pacing puts frames together that come within a time that grows with the connections", () => {
  const pacing = new Pacing();
  const restWith = (connections: number) => {
    pacing.passed(1_000, 1_001, connections);
    return Math.max(0, pacing.next - 1_001);
  };
  assert.deepEqual([99, 100, 500, 2_000, 10_000].map(restWith), [0, 20, 100, 200, 200]);
});
