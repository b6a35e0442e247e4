import assert from "node:assert/strict";
import { name, signed, sized, unsigned, vector } from "../../src/wasm/encoding.ts";

Deno.test("unsigned() encodes numbers of 0 to 32 bits as LEB128, like bytes written by hand", () => {
  assert.deepEqual(unsigned(0), [0x00]);
  assert.deepEqual(unsigned(127), [0x7f]);
  assert.deepEqual(unsigned(128), [0x80, 0x01]);
  assert.deepEqual(unsigned(624485), [0xe5, 0x8e, 0x26]);
  assert.deepEqual(unsigned(2 ** 32 - 1), [0xff, 0xff, 0xff, 0xff, 0x0f]);
});

Deno.test("signed() encodes positive and negative numbers as LEB128, like bytes written by hand", () => {
  assert.deepEqual(signed(63), [0x3f]);
  assert.deepEqual(signed(64), [0xc0, 0x00], "bit 6 would be read as a sign");
  assert.deepEqual(signed(-1), [0x7f]);
  assert.deepEqual(signed(-64), [0x40]);
  assert.deepEqual(signed(-65), [0xbf, 0x7f]);
  assert.deepEqual(signed(-123456), [0xc0, 0xbb, 0x78]);
  assert.deepEqual(signed(-(2 ** 31)), [0x80, 0x80, 0x80, 0x80, 0x78]);
});

Deno.test("vector() writes the number of items first, name() and sized() the number of bytes", () => {
  assert.deepEqual(vector([[1, 2], [3]]), [2, 1, 2, 3]);
  assert.deepEqual(vector([]), [0]);
  assert.deepEqual(name("aé"), [3, 0x61, 0xc3, 0xa9]);
  const long = Array(200).fill(7);
  assert.deepEqual(sized(long), [0xc8, 0x01, ...long]);
});
