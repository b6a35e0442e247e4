import assert from "node:assert/strict";
import { LinkArrivals } from "../../src/server/link_arrivals.ts";

Deno.test("LinkArrivals allows each source 128 connections a second", () => {
  const arrivals = new LinkArrivals();
  const many = (now: number, source = "a") =>
    Array.from({ length: 200 }, () => arrivals.allows(source, now)).filter((is) => is).length;
  assert.deepEqual([many(5_000), many(5_999), many(5_999, "b"), many(6_000)], [128, 0, 128, 128]);
});

Deno.test("LinkArrivals blocks a source for 10 s after nine broken links within 10 s", () => {
  const arrivals = new LinkArrivals();
  for (let i = 0; i < 8; i++) arrivals.broke("a", 1_000 + i);
  assert.equal(arrivals.allows("a", 1_010), true);
  arrivals.broke("a", 1_020);
  assert.deepEqual(
    [arrivals.allows("a", 11_019), arrivals.allows("b", 11_019), arrivals.allows("a", 11_020)],
    [false, true, true],
  );
  for (let i = 0; i < 20; i++) arrivals.broke("b", 20_000 + 2_000 * i);
  assert.equal(arrivals.allows("b", 60_000), true, "a link now and then");
});
