import assert from "node:assert/strict";
import { fromHex, toHex } from "../../../src/bytes/hex.ts";
import { Reader } from "../../../src/bytes/reader.ts";
import { WireError } from "../../../src/bytes/wire_error.ts";
import { Writer } from "../../../src/bytes/writer.ts";
import {
  readOption,
  readOptionList,
  readOptionSequence,
  writeMarker,
  writeOption,
} from "../../../src/rtmfp/wire/options.ts";
import { vector } from "../../support/vectors.ts";

Deno.test("vector:vlu, vector:vlu-decode-odd: vlu() reads and writes the vectors, and saturates above 53 bits", () => {
  for (const { value, hex } of vector("vlu").cases) {
    const number = Math.min(Number(value), Number.MAX_SAFE_INTEGER);
    assert.equal(new Reader(fromHex(hex)).vlu(), number);
    if (BigInt(value) === BigInt(number)) assert.equal(toHex(new Writer().vlu(number).view()), hex);
  }
  for (const { hex, value, consumed, error } of vector("vlu-decode-odd").cases) {
    const from = new Reader(fromHex(hex));
    if (error) assert.throws(() => from.vlu(), WireError, hex);
    else assert.deepEqual([from.vlu(), from.at], [Number(value), consumed]);
  }
});

Deno.test("vector:option: readOption() and writeOption() agree with the vector", () => {
  for (const { type, value, hex } of vector("option").cases) {
    if (value === undefined) {
      assert.equal(readOption(new Reader(fromHex(hex))), undefined, "the Marker");
      assert.equal(toHex(writeMarker(new Writer()).view()), hex);
      continue;
    }
    assert.equal(toHex(writeOption(new Writer(), type, fromHex(value)).view()), hex);
    assert.deepEqual(readOption(new Reader(fromHex(hex))), { type, value: fromHex(value) });
  }
});

Deno.test("vector:option-list: readOptionList() ends after the Marker, and throws WireError without it", () => {
  const { hex, options, consumed, remainder } = vector("option-list");
  const expected = options.map(({ type, value }: { type: number; value: string }) => ({
    type,
    value: fromHex(value),
  }));
  const from = new Reader(fromHex(hex));
  assert.deepEqual(readOptionList(from), expected);
  assert.equal(from.at, consumed);
  assert.equal(toHex(from.rest()), remainder);
  const to = new Writer();
  for (const { type, value } of expected) writeOption(to, type, value);
  assert.equal(toHex(writeMarker(to).view()) + remainder, hex);
  for (let length = 0; length < consumed; length++) {
    assert.throws(() => readOptionList(new Reader(fromHex(hex), 0, length)), WireError);
  }
});

Deno.test("vector:option-bad: readOption() throws WireError for an option that ends outside its field", () => {
  for (const { hex, reason } of vector("option-bad").cases) {
    assert.throws(() => readOption(new Reader(fromHex(hex))), WireError, reason);
    assert.throws(() => readOptionSequence(fromHex(hex)), WireError, reason);
  }
});

Deno.test("readOptionSequence() reads a whole field, or up to a Marker", () => {
  const types = (hex: string) => readOptionSequence(fromHex(hex)).map((option) => option.type);
  assert.deepEqual(types(""), []);
  assert.deepEqual(types("010a 021502"), [10, 21]);
  assert.deepEqual(types("010a 00 021502"), [10]);
  assert.deepEqual(types("010a 03818000"), [10, 16384]);
  assert.throws(() => readOptionSequence(fromHex("010a 0215")), WireError);
});
