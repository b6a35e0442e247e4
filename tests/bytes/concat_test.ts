import assert from "node:assert/strict";
import { concat } from "../../src/bytes/concat.ts";
import { equalBytes } from "../../src/bytes/equal.ts";

Deno.test("concat() joins views, also empty ones, into a new array", () => {
  const whole = Uint8Array.of(1, 2, 3, 4, 5);
  const joined = concat([whole.subarray(3), new Uint8Array(0), whole.subarray(0, 1)]);
  assert.deepEqual(joined, Uint8Array.of(4, 5, 1));
  assert.deepEqual(concat([]), new Uint8Array(0));
  const one = concat([whole]);
  one[0] = 9;
  assert.equal(whole[0], 1);
});

Deno.test("equalBytes() detects every difference, also in length", () => {
  const bytes = Uint8Array.of(1, 2, 3);
  assert.equal(equalBytes(bytes, bytes.slice()), true);
  assert.equal(equalBytes(new Uint8Array(0), new Uint8Array(0)), true);
  for (const other of [[1, 2], [1, 2, 3, 0], [0, 2, 3], [1, 2, 131], []]) {
    assert.equal(equalBytes(bytes, Uint8Array.from(other)), false, String(other));
  }
});
