import assert from "node:assert/strict";
import { FragmentPool } from "../../../src/rtmfp/flow/fragment.ts";
import { seededBytes } from "../../support/random.ts";

Deno.test("FragmentPool.part() returns the requested part of the message, as one view for all callers", () => {
  const pool = new FragmentPool();
  const random = seededBytes(1);
  const messages = [0, 1, 2].map(() => random(5000));
  for (let i = 0; i < 5000; i++) {
    const [a, b, c, d] = random(4);
    const message = messages[a % 3];
    const start = b * 16;
    const end = start + 1 + (c << 1 | d & 1);
    const part = pool.part(message, start, end);
    assert.equal(part.byteOffset, message.byteOffset + start);
    assert.equal(part.buffer, message.buffer);
    assert.equal(part.length, Math.min(end, 5000) - start);
    assert.equal(pool.part(message, start, Math.min(end, 5000)), part);
  }
});

Deno.test("FragmentPool.part() keeps no view of a long message", () => {
  const pool = new FragmentPool();
  const message = new Uint8Array(40_000);
  assert.notEqual(pool.part(message, 0, 1000), pool.part(message, 0, 1000));
});
