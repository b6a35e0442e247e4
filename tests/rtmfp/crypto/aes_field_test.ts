import assert from "node:assert/strict";
import {
  affine,
  inverses,
  multiply,
  ofByte,
  ofInverse,
  pair,
  quotients,
  unaffine,
} from "../../../src/rtmfp/crypto/aes_field.ts";

const bytes = Array.from({ length: 256 }, (_, i) => i);
/** Result of a swizzle: 0 for indices from 128 on; lower ones must be valid. */
function find(table: readonly number[], index: number): number {
  assert.ok(index < 16 || index >= 128, `index ${index}`);
  return index < 16 ? table[index] : 0;
}

Deno.test("The AES field computes the products of FIPS 197 §4.2", () => {
  assert.equal(multiply(0x57, 0x83), 0xc1);
  assert.equal(multiply(0x57, 0x13), 0xfe);
});

Deno.test("Bytes are pairs of nibbles, one to one, and sums stay sums", () => {
  assert.deepEqual(bytes.map(pair).sort((a, b) => a - b), bytes);
  for (const x of bytes) assert.equal(pair(x ^ 0x53), pair(x) ^ pair(0x53));
  for (const x of bytes) assert.equal(unaffine(affine(x)), x);
});

Deno.test("Nibbles lead to the inverse of each byte, and from there to any linear map", () => {
  for (const f of [(x: number) => x, affine, (x: number) => pair(multiply(3, x))]) {
    const tables = ofInverse(f);
    for (const x of bytes) {
      const [i, k] = [pair(x) >> 4, pair(x) & 15];
      const j = i ^ k;
      const over = find(quotients, k);
      const u = find(inverses, find(inverses, i) ^ over) ^ j;
      const v = find(inverses, find(inverses, j) ^ over) ^ i;
      const inverse = bytes.find((y) => multiply(x, y) === 1) ?? 0;
      assert.equal(find(tables.u, u) ^ find(tables.v, v), f(inverse), `of ${x}`);
    }
    const { low, high } = ofByte(f);
    for (const x of bytes) assert.equal(low[x & 15] ^ high[x >> 4], f(x));
  }
});
