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
/** Result of a swizzle: 0 for indices of 128 or more; others must be below 16. */
function find(table: readonly number[], index: number): number {
  assert.ok(index < 16 || index >= 128, `index ${index}`);
  return index < 16 ? table[index] : 0;
}

Deno.test("multiply() computes the products of FIPS 197 §4.2", () => {
  assert.equal(multiply(0x57, 0x83), 0xc1);
  assert.equal(multiply(0x57, 0x13), 0xfe);
});

Deno.test("pair() maps bytes to different bytes and keeps sums, and unaffine() inverts affine()", () => {
  assert.deepEqual(bytes.map(pair).sort((a, b) => a - b), bytes);
  for (const x of bytes) assert.equal(pair(x ^ 0x53), pair(x) ^ pair(0x53));
  for (const x of bytes) assert.equal(unaffine(affine(x)), x);
});

Deno.test("ofInverse() and ofByte() make tables that compute linear maps of each byte and its inverse", () => {
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
