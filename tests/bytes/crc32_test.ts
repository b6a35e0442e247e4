import assert from "node:assert/strict";
import { crc32 } from "../../src/bytes/crc32.ts";
import { toUtf8 } from "../../src/bytes/text.ts";

Deno.test('crc32() returns the check value of ISO 3309 for "123456789", and 0 for empty input', () => {
  assert.equal(crc32(toUtf8("123456789")), 0xcbf43926);
  assert.equal(crc32(new Uint8Array(0)), 0);
});
