import assert from "node:assert/strict";
import { LinkArrivals } from "../../src/server/link_arrivals.ts";

Deno.test("A source gets 128 connections a second, and others theirs", () => {
  const arrivals = new LinkArrivals();
  const many = (now: number, source = "a") =>
    Array.from({ length: 200 }, () => arrivals.allows(source, now)).filter((is) => is).length;
  assert.deepEqual([many(5_000), many(5_999), many(5_999, "b"), many(6_000)], [128, 0, 128, 128]);
});

Deno.test("A source whose server broke the rules waits 10 s", () => {
  const arrivals = new LinkArrivals();
  arrivals.bar("a", 1_000);
  assert.deepEqual(
    [arrivals.allows("a", 10_999), arrivals.allows("b", 10_999), arrivals.allows("a", 11_000)],
    [false, true, true],
  );
});
