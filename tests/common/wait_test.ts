import assert from "node:assert/strict";
import { waitAtMost, within } from "../../src/common/wait.ts";

const never = new Promise<never>(() => {});

Deno.test("within() returns the outcome of a promise, or throws after the time-out", async () => {
  assert.equal(await within(Promise.resolve(7), 60_000, "late"), 7);
  await assert.rejects(within(Promise.reject(new Error("no")), 60_000, "late"), /^Error: no$/);
  await assert.rejects(within(never, 1, "late"), /^Error: late$/);
});

Deno.test("waitAtMost() returns the outcome of a promise, or undefined after the time-out", async () => {
  assert.equal(await waitAtMost(Promise.resolve(7), 60_000), 7);
  await assert.rejects(waitAtMost(Promise.reject(new Error("no")), 60_000), /^Error: no$/);
  assert.equal(await waitAtMost(never, 1), undefined);
});
