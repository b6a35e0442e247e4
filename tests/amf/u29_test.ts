import assert from "node:assert/strict";
import fc from "fast-check";
import { fromHex, toHex } from "../../src/bytes/hex.ts";
import { Reader } from "../../src/bytes/reader.ts";
import { WireError } from "../../src/bytes/wire_error.ts";
import { Writer } from "../../src/bytes/writer.ts";
import { readU29, toSigned29, writeU29 } from "../../src/amf/u29.ts";

// The table of AMF3 specification §1.3.1, at both ends of each line.
const cases: [number, string][] = [
  [0x00, "00"],
  [0x7f, "7f"],
  [0x80, "8100"],
  [0x3fff, "ff7f"],
  [0x4000, "818000"],
  [0x1fffff, "ffff7f"],
  [0x200000, "80c08000"],
  [0x3fffffff & 0x1fffffff, "ffffffff"],
  [0x0fffffff, "bfffffff"],
  [0x10000000, "c0808000"],
];

Deno.test("writeU29() writes an integer of 29 bits in one to four bytes, and readU29() reads it", () => {
  for (const [value, hex] of cases) {
    const writer = new Writer();
    writeU29(writer, value);
    assert.equal(toHex(writer.view()), hex);
    assert.equal(readU29(new Reader(fromHex(hex))), value);
  }
});

Deno.test("readU29() and toSigned29() return the signed integer of 29 bits that writeU29() wrote", () => {
  fc.assert(fc.property(fc.integer({ min: -0x10000000, max: 0x0fffffff }), (value) => {
    const writer = new Writer();
    writeU29(writer, value);
    const reader = new Reader(writer.view());
    assert.equal(toSigned29(readU29(reader)), value);
    assert.equal(reader.left, 0);
  }));
});

Deno.test("readU29() throws WireError at a truncated integer", () => {
  for (const hex of ["", "80", "8181", "818181"]) {
    assert.throws(() => readU29(new Reader(fromHex(hex))), WireError, hex);
  }
});
