import assert from "node:assert/strict";
import { Pacing } from "../../src/server/pacing.ts";

Deno.test("Pacing lets as much time pass after a long pass as that took, at most 100 ms", () => {
  const pacing = new Pacing();
  assert.ok(pacing.next <= 0);
  pacing.passed(1_000, 1_003);
  assert.ok(pacing.next <= 1_003, "a short pass");
  pacing.passed(2_000, 2_030);
  assert.equal(pacing.next, 2_060);
  pacing.passed(3_000, 3_500);
  assert.equal(pacing.next, 3_600);
  pacing.passed(4_000, 4_001);
  assert.ok(pacing.next <= 4_001, "a short pass again");
});
