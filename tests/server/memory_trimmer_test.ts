import { MemoryTrimmer } from "../../src/server/memory_trimmer.ts";
import assert from "node:assert/strict";
import { openTrim } from "../../src/net/spare_memory.ts";

Deno.test("MemoryTrimmer releases memory after 100 sessions, and at most every 10 s", () => {
  let trims = 0;
  const frugality = new MemoryTrimmer(() => Promise.resolve(trims++));
  const ticks: [now: number, sessions: number, trims: number][] = [
    [0, 0, 0],
    [2_000, 99, 0],
    [4_000, 100, 1],
    [6_000, 5_000, 1],
    [14_000, 10_000, 2],
    [60_000, 10_050, 2],
    [62_000, 10_100, 3],
  ];
  for (const [now, sessions, expected] of ticks) {
    frugality.tick(now, sessions);
    assert.equal(trims, expected, `at ${now}`);
  }
});

Deno.test("MemoryTrimmer does not try again after a failure", async () => {
  let tries = 0;
  const frugality = new MemoryTrimmer(() => (tries++, Promise.reject(new Error("no"))));
  frugality.tick(0, 1_000);
  await Promise.resolve();
  frugality.tick(60_000, 2_000);
  assert.equal(tries, 1);
  new MemoryTrimmer(undefined).tick(0, 1_000);
});

Deno.test({
  name: "openTrim() releases memory of the C library, and returns 0 or 1",
  ignore: Deno.build.os !== "linux",
  fn: async () => assert.match(String(await openTrim()()), /^[01]$/),
});
