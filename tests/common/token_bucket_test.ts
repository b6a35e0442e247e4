import assert from "node:assert/strict";
import { TokenBucket } from "../../src/common/token_bucket.ts";

/** @returns how many of 1,000 attempts at one time get a token */
const flood = (bucket: TokenBucket, now: number): number =>
  Array.from({ length: 1_000 }, () => bucket.take(now)).filter((taken) => taken).length;

Deno.test("TokenBucket gives its capacity at once, and then its rate", () => {
  const bucket = new TokenBucket(32, 50);
  assert.equal(flood(bucket, 7_000), 32);
  assert.equal(bucket.take(7_019), false, "a token takes 20 ms");
  assert.equal(flood(bucket, 7_020), 1);
  assert.equal(flood(bucket, 7_220), 10);
});

Deno.test("TokenBucket never holds more than its capacity", () => {
  const bucket = new TokenBucket(3, 1_000);
  assert.equal(flood(bucket, 0), 3);
  assert.equal(flood(bucket, 1e9), 3);
});

Deno.test("TokenBucket gains tokens while attempts fail", () => {
  const bucket = new TokenBucket(1, 1);
  assert.ok(bucket.take(0));
  for (let now = 125; now < 1_000; now += 125) assert.equal(bucket.take(now), false, `${now} ms`);
  assert.ok(bucket.take(1_000));
});

Deno.test("TokenBucket.take() takes several tokens at once or refuses them, and takes fractions of a token", () => {
  const bucket = new TokenBucket(10, 1);
  assert.equal(bucket.take(0, 11), false);
  assert.ok(bucket.take(0, 9.5));
  assert.equal(bucket.take(0), false);
  assert.ok(bucket.take(0, 0.5));
  assert.equal(bucket.take(0, 0.25), false);
});

Deno.test("TokenBucket.isFull() is true when all tokens have returned", () => {
  const bucket = new TokenBucket(2, 1);
  assert.ok(bucket.isFull(0));
  assert.ok(bucket.take(0, 2));
  assert.equal(bucket.isFull(1_999), false);
  assert.ok(bucket.isFull(2_000));
});

Deno.test("TokenBucket keeps its tokens when the clock goes back", () => {
  const bucket = new TokenBucket(5, 1);
  assert.ok(bucket.take(10_000));
  assert.equal(flood(bucket, 2_000), 4);
  assert.equal(flood(bucket, 3_000), 1, "1 s after the clock was set back");
});

Deno.test("TokenBucket with a rate of 0 gives its capacity once", () => {
  const bucket = new TokenBucket(2, 0);
  assert.equal(flood(bucket, 0), 2);
  assert.equal(flood(bucket, 1e9), 0);
});
