import assert from "node:assert/strict";
import fc from "fast-check";
import { fromHex, toHex } from "../../src/bytes/hex.ts";
import { Reader } from "../../src/bytes/reader.ts";
import { WireError } from "../../src/bytes/wire_error.ts";
import { vluLength, Writer } from "../../src/bytes/writer.ts";

Deno.test("vlu() reads and writes the values of RFC 7016 §2.1.2, and values around a change of length", () => {
  const cases: [number, string][] = [
    [0, "00"],
    [127, "7f"],
    [128, "8100"],
    [16383, "ff7f"],
    [16384, "818000"],
    [2000001, "fa8901"],
    [2 ** 32, "9080808000"],
    [Number.MAX_SAFE_INTEGER, "8fffffffffffff7f"],
  ];
  for (const [value, hex] of cases) {
    assert.equal(toHex(new Writer().vlu(value).view()), hex);
    assert.equal(vluLength(value), hex.length / 2);
    assert.equal(new Reader(fromHex(hex)).vlu(), value);
  }
});

Deno.test("Reader.vlu() skips redundant bytes 0x80, and returns 2^53 - 1 for longer integers", () => {
  assert.equal(new Reader(fromHex("80808001")).vlu(), 1);
  assert.equal(new Reader(fromHex("81ffffffffffffffff7f")).vlu(), Number.MAX_SAFE_INTEGER);
});

Deno.test("Reader throws WireError for a read past the end, and keeps its position", () => {
  const reads: ((from: Reader) => unknown)[] = [
    (from) => from.u16(),
    (from) => from.u24(),
    (from) => from.u32(),
    (from) => from.f64(),
    (from) => from.bytes(2),
    (from) => from.skip(2),
    (from) => from.vlu(),
    (from) => from.bytes(-1),
    (from) => from.bytes(NaN),
  ];
  for (const read of reads) {
    const from = new Reader(fromHex("0083"), 1);
    assert.throws(() => read(from), WireError);
    assert.equal(from.left, 1);
  }
});

Deno.test("Reader reads every kind of number that Writer writes", () => {
  fc.assert(fc.property(
    fc.integer({ min: 0, max: 255 }),
    fc.integer({ min: -32768, max: 32767 }),
    fc.integer({ min: 0, max: 0xffffff }),
    fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }),
    fc.double(),
    fc.maxSafeNat(),
    fc.uint8Array({ maxLength: 300 }),
    (a, b, c, d, e, f, g) => {
      const to = new Writer(1).u8(a).u16(b).u24(c).u32(d).f64(e).f32(0.5).vlu(f).bytes(g);
      const from = new Reader(to.copy());
      assert.equal(from.u8(), a);
      assert.equal(from.i16(), b);
      assert.equal(from.u24(), c);
      assert.equal(from.i32(), d);
      assert.ok(Object.is(from.f64(), e));
      assert.equal(from.f32(), 0.5);
      assert.equal(from.vlu(), f);
      assert.deepEqual([...from.rest()], [...g]);
      assert.equal(from.left, 0);
    },
  ));
});

Deno.test("Writer.over() writes only inside the given buffer, and throws WireError when it is full", () => {
  const buffer = new Uint8Array(6).fill(0xee);
  const to = Writer.over(buffer, 2);
  to.u16(0x0102);
  assert.throws(() => to.u32(1), WireError);
  assert.equal(to.at, 4);
  assert.equal(to.room, 2);
  assert.equal(toHex(buffer), "eeee0102eeee");
});

Deno.test("toHex() and fromHex() convert bytes both ways, and fromHex() names invalid text", () => {
  assert.equal(toHex(fromHex("00 Ff\n1a")), "00ff1a");
  assert.throws(() => fromHex("0g"), /Cannot read "0g"/);
  assert.throws(() => fromHex("123"), RangeError);
});

Deno.test("Writer keeps all bytes when its buffer grows during any kind of write", () => {
  const writes: [string, (to: Writer) => unknown][] = [
    ["01", (to) => to.u8(1)],
    ["0102", (to) => to.u16(0x0102)],
    ["010203", (to) => to.u24(0x010203)],
    ["01020304", (to) => to.u32(0x01020304)],
    ["3f000000", (to) => to.f32(0.5)],
    ["3ff8000000000000", (to) => to.f64(1.5)],
    ["8100", (to) => to.vlu(128)],
    ["0102", (to) => to.bytes(Uint8Array.of(1, 2))],
  ];
  for (const [hex, write] of writes) {
    for (let before = 0; before < 8; before++) {
      const to = new Writer(8);
      for (let i = 0; i < before; i++) to.u8(0);
      for (let i = 0; i < 100; i++) write(to);
      assert.equal(toHex(to.view()), "00".repeat(before) + hex.repeat(100));
    }
  }
});

Deno.test("Writer.part() writes short and long parts, and writes nothing of a part that does not fit", () => {
  const bytes = Uint8Array.from({ length: 200 }, (_, i) => i);
  for (const [start, end] of [[0, 0], [3, 10], [3, 50], [3, 51], [0, 200]]) {
    const to = new Writer(1).u8(9).part(bytes, start, end).u8(9);
    assert.deepEqual([...to.view()], [9, ...bytes.slice(start, end), 9]);
  }
  const full = Writer.over(new Uint8Array(4));
  assert.throws(() => full.part(bytes, 0, 5), WireError);
  assert.equal(full.at, 0);
});
