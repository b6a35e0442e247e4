import assert from "node:assert/strict";
import { fromHex, toHex } from "../../../src/bytes/hex.ts";
import { Reader } from "../../../src/bytes/reader.ts";
import { WireError } from "../../../src/bytes/wire_error.ts";
import { Writer } from "../../../src/bytes/writer.ts";
import {
  Ack,
  MAX_RANGES,
  readBitmapAck,
  readRangeAck,
  writeRangeAck,
} from "../../../src/rtmfp/wire/ack.ts";
import { writeBitmapAck } from "../../support/bitmap_ack.ts";
import { seeded } from "../../support/random.ts";
import { vector } from "../../support/vectors.ts";

function read(hex: string): Ack {
  const bytes = fromHex(hex);
  const ack = new Ack();
  (bytes[0] === 0x50 ? readBitmapAck : readRangeAck)(new Reader(bytes, 3), ack);
  return ack;
}

Deno.test("vector:chunk-ack: readers and writers of both acknowledgements agree with the vector's ranges", () => {
  for (const { name, hex, bufferBytes, acknowledged } of vector("chunk-ack").cases) {
    const ack = read(hex);
    const pairs = [[0, ack.cumulativeAck]];
    for (let i = 0; i < ack.ranges.length; i += 2) pairs.push(ack.ranges.slice(i, i + 2));
    assert.deepEqual(pairs, acknowledged, name);
    assert.equal(ack.bufferBlocks * 1024, bufferBytes, name);
    const within = (number: number) =>
      pairs.some(([first, last]) => number >= first && number <= last);
    for (let number = 0; number < 100; number++) {
      assert.equal(ack.has(number), within(number), `${name}: ${number}`);
    }
    if (name.includes("truncated")) continue;
    const { flowId, bufferBlocks, cumulativeAck, ranges } = ack;
    const write = hex.startsWith("50") ? writeBitmapAck : writeRangeAck;
    const to = new Writer();
    write(to, flowId, bufferBlocks, cumulativeAck, ranges);
    assert.equal(toHex(to.view()), hex, name);
  }
});

Deno.test("vector:receiver-scenario: writeRangeAck() and readRangeAck() agree with the acknowledgements of the scenario", () => {
  let counted = 0;
  for (const { ack, cumulative, ranges } of vector("receiver-scenario").cases) {
    if (!ack) continue;
    const to = new Writer();
    writeRangeAck(to, 3, 127, cumulative, ranges.flat());
    assert.equal(toHex(to.view()), ack);
    assert.deepEqual(read(ack).ranges, ranges.flat());
    counted++;
  }
  assert.ok(counted > 4);
});

Deno.test("writeRangeAck() writes as many ranges as fit, and always a whole chunk", () => {
  const ranges = [10, 12, 20, 20, 400, 900, 902, 903];
  const whole = new Writer();
  writeRangeAck(whole, 2, 127, 5, ranges);
  for (let room = 0; room <= whole.at; room++) {
    const to = Writer.over(new Uint8Array(room));
    const written = writeRangeAck(to, 2, 127, 5, ranges);
    assert.equal(written, room >= 6);
    if (!written) {
      assert.equal(to.at, 0);
      continue;
    }
    const ack = read(toHex(to.view()));
    assert.equal((to.view()[1] << 8) | to.view()[2], to.at - 3);
    assert.deepEqual(ack.ranges, ranges.slice(0, ack.ranges.length), `room ${room}`);
  }
});

Deno.test("writeRangeAck() omits ranges that a chunk cannot hold, and the readers limit the number of ranges", () => {
  const ranges = Array.from({ length: 80_000 }, (_, i) => 10 + 2 * (i >> 1));
  const to = new Writer();
  assert.ok(writeRangeAck(to, 2, 127, 5, ranges));
  assert.ok(to.at <= 3 + 0xffff && to.at > 0xfff0);
  assert.deepEqual(read(toHex(to.view())).ranges, ranges.slice(0, 2 * MAX_RANGES));
  const bitmap = read(`50 0000 02 7f 05 ${"55".repeat(60_000)}`).ranges;
  assert.ok(bitmap.length >= 2 * MAX_RANGES && bitmap.length <= 2 * MAX_RANGES + 8);
});

Deno.test("readRangeAck() and readBitmapAck() throw WireError for truncation before the ranges, but not inside them", () => {
  for (const type of ["51", "50"]) {
    for (const payload of ["", "82", "02", "02 ff", "02 7f", "02 7f 81"]) {
      assert.throws(() => read(`${type} 0000 ${payload}`), WireError, `${type} ${payload}`);
    }
  }
  assert.deepEqual(read("51 0006 02 7f 01 00 00 00").ranges, [3, 3], "truncated after a gap");
  assert.deepEqual(read("51 0006 02 7f 01 00 00 81").ranges, [3, 3], "truncated inside a gap");
});

Deno.test("readRangeAck() ends the ranges at a sequence number above the maximum", () => {
  const ack = read(`51 0000 02 7f 01 00 00 ${"ff".repeat(12)}7f 00 00 00`);
  assert.deepEqual(ack.ranges, [3, 3]);
});

Deno.test("readBitmapAck() and writeBitmapAck() keep sequence numbers near 2^53", () => {
  for (let below = 0; below < 40; below++) {
    const cumulative = Number.MAX_SAFE_INTEGER - below;
    const to = new Writer().u8(0x50).u16(0).vlu(1).vlu(0).vlu(cumulative);
    const payload = to.bytes(Uint8Array.of(0x2c, 0x00, 0xdf, 0xfe, 0xff, 0x10)).copy();
    const ack = new Ack();
    readBitmapAck(new Reader(payload, 3), ack);
    assert.ok(ack.ranges.every(Number.isSafeInteger), `${below}`);
    const first = new Writer();
    writeBitmapAck(first, ack.flowId, ack.bufferBlocks, ack.cumulativeAck, ack.ranges);
    const again = new Ack();
    readBitmapAck(new Reader(first.copy(), 3), again);
    assert.deepEqual(again.ranges, ack.ranges, `${below}`);
  }
});

Deno.test("readBitmapAck() reads bytes 0xff and 0x00 as ranges", () => {
  assert.deepEqual(read("50 0006 02 7f 05 00 ff 01").ranges, [15, 23]);
  assert.deepEqual(read("50 0005 02 7f 05 ff ff").ranges, [7, 22]);
  assert.deepEqual(read("50 0005 02 7f 05 00 00").ranges, []);
  assert.throws(
    () => writeBitmapAck(Writer.over(new Uint8Array(7)), 2, 127, 5, [7, 40]),
    WireError,
  );
});

Deno.test("Range and bitmap acknowledgements encode the same ranges", () => {
  const next = seeded(51);
  for (let round = 0; round < 500; round++) {
    const cumulativeAck = Math.floor(next() * 1000);
    const ranges: number[] = [];
    for (let at = cumulativeAck; next() < 0.8;) {
      const first = at + 2 + Math.floor(next() * 20);
      at = first + Math.floor(next() * 20);
      ranges.push(first, at);
    }
    for (const write of [writeRangeAck, writeBitmapAck]) {
      const to = new Writer();
      write(to, 7, 300, cumulativeAck, ranges);
      const ack = read(toHex(to.view()));
      assert.deepEqual({ ...ack }, { flowId: 7, bufferBlocks: 300, cumulativeAck, ranges });
    }
  }
});
