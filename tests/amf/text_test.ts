import assert from "node:assert/strict";
import fc from "fast-check";
import { fromUtf8 } from "../../src/bytes/text.ts";
import { readText } from "../../src/amf/text.ts";

Deno.test("readText() returns a cached text only for its own bytes", () => {
  const bytes = fc.oneof(
    fc.uint8Array({ maxLength: 30 }),
    fc.array(fc.constantFrom(0x41, 0x42, 0x7f, 0x80, 0xc2, 0xe9, 0xff, 0), { maxLength: 6 })
      .map((bytes) => Uint8Array.from(bytes)),
    fc.string({ unit: "binary", maxLength: 12 }).map((text) => new TextEncoder().encode(text)),
  );
  fc.assert(
    fc.property(bytes, (bytes) => {
      const expected = fromUtf8(bytes);
      assert.equal(readText(bytes, 0, bytes.length), expected);
      assert.equal(readText(bytes, 0, bytes.length), expected); // and when it is kept
    }),
    { numRuns: 20_000 },
  );
});
