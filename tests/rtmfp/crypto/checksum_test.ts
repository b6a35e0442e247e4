import assert from "node:assert/strict";
import { fromHex } from "../../../src/bytes/hex.ts";
import { checksum } from "../../../src/rtmfp/crypto/checksum.ts";
import { seeded, seededBytes } from "../../support/random.ts";
import { vector } from "../../support/vectors.ts";

Deno.test("vector:checksum: checksum() returns the vector's sums at every alignment", () => {
  for (const { data, checksum: expected } of vector("checksum").cases) {
    const bytes = fromHex(data);
    for (let start = 0; start < 9; start++) {
      const buffer = new Uint8Array(start + bytes.length + 3).fill(0xa5);
      buffer.set(bytes, start);
      const sum = checksum(buffer, start, start + bytes.length);
      assert.equal(sum.toString(16).padStart(4, "0"), expected, data);
    }
  }
});

/** The definition of the checksum, without optimization. */
function simple(bytes: Uint8Array): number {
  let sum = 0;
  for (let i = 0; i + 1 < bytes.length; i += 2) {
    sum += bytes[i] * 256 + bytes[i + 1];
    if (sum > 0xffff) sum -= 0xffff;
  }
  if (bytes.length % 2 === 1) sum += bytes[bytes.length - 1];
  if (sum > 0xffff) sum -= 0xffff;
  return 0xffff - sum;
}

Deno.test("checksum() follows its definition for random bytes of every length", () => {
  const next = seeded(1071);
  const random = seededBytes(1071);
  for (let round = 0; round < 2_000; round++) {
    const bytes = random(Math.floor(next() * 100));
    if (round % 5 === 0) bytes.fill(0xff);
    assert.equal(checksum(bytes, 0, bytes.length), simple(bytes));
  }
  // Long inputs, at any position in their memory.
  for (let round = 0; round < 2_000; round++) {
    const memory = random(700 + Math.floor(next() * 9));
    if (round % 5 === 0) memory.fill(0xff);
    const part = memory.subarray(Math.floor(next() * 5), memory.length - Math.floor(next() * 5));
    const start = Math.floor(next() * 9);
    const end = part.length - Math.floor(next() * 500);
    assert.equal(checksum(part, start, end), simple(part.subarray(start, end)));
  }
  const largest = new Uint8Array(65_507).fill(0xff);
  assert.equal(checksum(largest, 0, largest.length), simple(largest));
});
