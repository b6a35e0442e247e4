import assert from "node:assert/strict";
import { fromHex, toHex } from "../../../src/bytes/hex.ts";
import { WireError } from "../../../src/bytes/wire_error.ts";
import { Writer } from "../../../src/bytes/writer.ts";
import {
  Mode,
  PacketFlag,
  PacketReader,
  timestampOf,
  writePacketHeader,
} from "../../../src/rtmfp/wire/packet.ts";
import { vector } from "../../support/vectors.ts";

/** A packet as a list: header fields, then type and payload of each chunk. */
function read(hex: string) {
  const packet = new PacketReader().open(fromHex(hex));
  const chunks: string[] = [];
  while (packet.next()) chunks.push(`${packet.type.toString(16)} ${toHex(packet.payload.rest())}`);
  const { mode, timestamp, timestampEcho, timeCritical, timeCriticalReverse } = packet;
  return { mode, timestamp, timestampEcho, timeCritical, timeCriticalReverse, chunks };
}

Deno.test("PacketReader and writePacketHeader() agree on the packet headers that peers send", () => {
  const { timeCritical, timeCriticalReverse } = PacketFlag;
  const cases: [string, number, number | undefined, number | undefined][] = [
    ["0b 1234", Mode.startup, 0x1234, undefined],
    ["0d 1250 0026", Mode.initiator, 0x1250, 0x26],
    ["09 ffff", Mode.initiator, 0xffff, undefined],
    ["8d 0000 0001", Mode.initiator | timeCritical, 0, 1],
    ["4e 0030 1255", Mode.responder | timeCriticalReverse, 0x30, 0x1255],
    ["0a 0001", Mode.responder, 1, undefined],
    ["82", Mode.responder | timeCritical, undefined, undefined],
    ["85 0007", Mode.initiator | timeCritical, undefined, 7],
  ];
  for (const [hex, flags, timestamp, timestampEcho] of cases) {
    const to = writePacketHeader(new Writer(), flags, timestamp, timestampEcho);
    assert.equal(toHex(to.view()), hex.replaceAll(" ", ""));
    assert.deepEqual(read(hex), {
      mode: flags & 3,
      timestamp,
      timestampEcho,
      timeCritical: (flags & timeCritical) !== 0,
      timeCriticalReverse: (flags & timeCriticalReverse) !== 0,
      chunks: [],
    });
  }
});

Deno.test("PacketReader throws WireError for mode 0 and truncated headers, and ignores reserved bits", () => {
  for (const hex of ["", "0c 0000 0000", "fc 0000 0000", "09", "09 00", "0d 0000", "0d 0000 00"]) {
    assert.throws(() => new PacketReader().open(fromHex(hex)), WireError, hex);
  }
  assert.equal(read("39 0001").timestamp, 1);
});

Deno.test("PacketReader reads consecutive chunks, then ignores any padding", () => {
  const ping = "01 0002 6869";
  const close = "0c 0000";
  const [two, one] = [["1 6869", "c "], ["1 6869"]];
  assert.deepEqual(read(`09 0000 ${ping} ${close}`).chunks, two);
  assert.deepEqual(read(`09 0000 ${ping} ${close} ff`).chunks, two);
  assert.deepEqual(read(`09 0000 ${ping} ${close} ${"ff".repeat(15)}`).chunks, two);
  assert.deepEqual(read(`09 0000 ${ping} ${close} ${"00".repeat(15)}`).chunks, two);
  assert.deepEqual(read(`09 0000 ${ping} 00 0001 aa ff 0002 aaaa ${close}`).chunks, two);
  assert.deepEqual(read(`09 0000 ${ping} 0c 00`).chunks, one, "shorter than a chunk");
  assert.deepEqual(read(`09 0000 ${ping} 0c 0001`).chunks, one, "begins a chunk that does not fit");
  assert.deepEqual(read(`09 0000 ${ping} cc 0001 00`).chunks, ["1 6869", "cc 00"], "unknown type");
});

Deno.test("PacketReader opened again stays inside the given part, without old fields", () => {
  const packet = new PacketReader();
  packet.open(fromHex("0d 0001 0002 01 0001 aa"));
  assert.ok(packet.next());
  packet.open(fromHex("ffff 81 0c0000 0c0000 0c0000"), 2, 6);
  assert.deepEqual([packet.timestamp, packet.timestampEcho], [undefined, undefined]);
  assert.deepEqual([packet.next(), packet.type, packet.payload.left], [true, 0x0c, 0]);
  assert.equal(packet.next(), false);
});

Deno.test("vector:timestamp: timestampOf() returns ticks of 4 ms in 16 bits", () => {
  for (const { milliseconds, ticks } of vector("timestamp").cases) {
    assert.equal(timestampOf(milliseconds), ticks);
  }
  assert.equal(timestampOf(1003.9), 250);
});
