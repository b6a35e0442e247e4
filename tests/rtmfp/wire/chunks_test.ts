// Every chunk except those of flows, compared with bytes written by hand from RFC 7016 §2.3.
import assert from "node:assert/strict";
import { fromHex, toHex } from "../../../src/bytes/hex.ts";
import { Reader } from "../../../src/bytes/reader.ts";
import { WireError } from "../../../src/bytes/wire_error.ts";
import { Writer } from "../../../src/bytes/writer.ts";
import { Origin } from "../../../src/rtmfp/wire/address.ts";
import { bufferProbe } from "../../../src/rtmfp/wire/buffer_probe.ts";
import { type ChunkCodec, writeChunk } from "../../../src/rtmfp/wire/chunk.ts";
import { cookieChange } from "../../../src/rtmfp/wire/cookie_change.ts";
import { fiHello } from "../../../src/rtmfp/wire/fihello.ts";
import { flowException } from "../../../src/rtmfp/wire/flow_exception.ts";
import { iHello } from "../../../src/rtmfp/wire/ihello.ts";
import { iiKeying } from "../../../src/rtmfp/wire/iikeying.ts";
import { PacketReader } from "../../../src/rtmfp/wire/packet.ts";
import { packetFragment } from "../../../src/rtmfp/wire/packet_fragment.ts";
import { ping, pingReply } from "../../../src/rtmfp/wire/ping.ts";
import { redirect } from "../../../src/rtmfp/wire/redirect.ts";
import { rHello } from "../../../src/rtmfp/wire/rhello.ts";
import { riKeying } from "../../../src/rtmfp/wire/rikeying.ts";
import { sessionClose, sessionCloseAck } from "../../../src/rtmfp/wire/session_close.ts";
import { chunkTypes, rewriteChunk } from "../../support/chunks.ts";
import { seeded } from "../../support/random.ts";
import { vector } from "../../support/vectors.ts";

/**
 * A codec, a chunk and its bytes: type, length, payload.
 *
 * `fixed`: minimum length of the payload; later bytes belong to a last field of any length.
 * `cuts`: shorter lengths at which a payload is valid too.
 */
interface Case<Chunk = unknown> {
  readonly codec: ChunkCodec<Chunk>;
  readonly chunk: Chunk;
  readonly hex: string;
  readonly fixed: number;
  readonly cuts?: readonly number[];
}

const of = <Chunk>(
  codec: ChunkCodec<Chunk>,
  chunk: Chunk,
  hex: string,
  fixed: number,
  cuts?: number[],
): Case => ({ codec: codec as ChunkCodec<unknown>, chunk, hex, fixed, cuts });

const tag = fromHex("a0a1a2a3");
const observed = { hostname: "203.0.113.9", port: 50123, origin: Origin.observed };
const reported = { hostname: "2001:db8::1", port: 1935, origin: Origin.reported };

const cases: Case[] = [
  of(
    iHello,
    { epd: fromHex("020a61"), tag },
    "30 0008 | 03 020a61 | a0a1a2a3",
    4,
  ),
  of(
    iHello,
    { epd: new Uint8Array(130).fill(1), tag: new Uint8Array(0) },
    `30 0084 | 8102 ${"01".repeat(130)}`,
    132,
  ),
  of(
    fiHello,
    { epd: fromHex("020a61"), replyAddress: observed, tag },
    "0f 000f | 03 020a61 | 02 cb007109 c3cb | a0a1a2a3",
    11,
  ),
  of(
    rHello,
    { tag, cookie: fromHex("c0c1"), certificate: fromHex("010a") },
    "70 000a | 04 a0a1a2a3 | 02 c0c1 | 010a",
    8,
  ),
  of(
    redirect,
    { tag, addresses: [observed, reported] },
    "71 001f | 04 a0a1a2a3 | 02 cb007109 c3cb | 81 20010db8000000000000000000000001 078f",
    5,
    [5, 12],
  ),
  of(redirect, { tag, addresses: [] }, "71 0005 | 04 a0a1a2a3", 5),
  of(
    cookieChange,
    { oldCookie: fromHex("c0c1"), newCookie: fromHex("d0d1d2") },
    "79 0006 | 02 c0c1 | d0d1d2",
    3,
  ),
  of(
    iiKeying,
    {
      initiatorSessionId: 0x81000002,
      cookie: fromHex("c0c1"),
      certificate: fromHex("031d0207"),
      component: fromHex("021d02"),
      signature: fromHex("58"),
    },
    "38 0011 | 81000002 | 02 c0c1 | 04 031d0207 | 03 021d02 | 58",
    16,
  ),
  of(
    riKeying,
    { responderSessionId: 5, component: fromHex("031a0000"), signature: fromHex("58") },
    "78 000a | 00000005 | 04 031a0000 | 58",
    9,
  ),
  of(
    packetFragment,
    { more: true, packetId: 300, fragmentNumber: 1, bytes: fromHex("010203") },
    "7f 0007 | 80 | 822c | 01 | 010203",
    5,
  ),
  of(
    packetFragment,
    { more: false, packetId: 7, fragmentNumber: 2, bytes: fromHex("04") },
    "7f 0004 | 00 | 07 | 02 | 04",
    4,
  ),
  of(ping, fromHex("68656c6c6f"), "01 0005 68656c6c6f", 0),
  of(pingReply, fromHex("68656c6c6f"), "41 0005 68656c6c6f", 0),
  of(bufferProbe, 300, "18 0002 822c", 2),
  of(flowException, { flowId: 3, code: 129 }, "5e 0003 | 03 | 8101", 3),
  of(sessionClose, undefined, "0c 0000", 0),
  of(sessionCloseAck, undefined, "4c 0000", 0),
];

const strip = (hex: string) => hex.replace(/[ |]/g, "");

for (const { codec, chunk, hex, fixed, cuts } of cases) {
  Deno.test(`Codec of chunk type 0x${codec.type.toString(16)} reads and writes ${hex.slice(0, 40)}, and throws WireError for truncations`, () => {
    const to = new Writer();
    writeChunk(to, codec, chunk);
    assert.equal(toHex(to.view()), strip(hex));
    const payload = fromHex(strip(hex)).subarray(3);
    const from = new Reader(payload);
    assert.deepEqual(codec.read(from), chunk);
    for (let length = 0; length < payload.length; length++) {
      const cut = new Reader(payload, 0, length);
      if (length < fixed || (cuts && !cuts.includes(length))) {
        assert.throws(() => codec.read(cut), WireError, `${length} bytes`);
      } else codec.read(cut);
    }
  });
}

Deno.test("vector:chunk-misc: each chunk's codec writes the bytes that it has read", () => {
  for (const { name, hex } of vector("chunk-misc").cases) {
    const bytes = fromHex(hex);
    const to = new Writer();
    assert.ok(rewriteChunk(bytes[0], new Reader(bytes, 3), to), name);
    assert.equal(toHex(to.view()), hex, name);
  }
});

Deno.test("vector:pkt-redirect: redirect reads the addresses in order", () => {
  const { chunk, tag, addresses } = vector("pkt-redirect");
  const read = redirect.read(new Reader(fromHex(chunk), 3));
  assert.equal(toHex(read.tag), tag);
  assert.deepEqual(
    read.addresses.map(({ hostname, port, origin }) => ({ ip: hostname, port, origin })),
    addresses,
  );
});

Deno.test("writeChunk() writes nothing of a chunk that does not fit", () => {
  for (const { codec, chunk, hex } of cases) {
    const length = strip(hex).length / 2;
    for (let room = 0; room <= length; room++) {
      const to = Writer.over(new Uint8Array(10 + room), 10);
      if (room === length) writeChunk(to, codec, chunk);
      else assert.throws(() => writeChunk(to, codec, chunk), WireError);
      assert.equal(to.at, room === length ? 10 + length : 10);
    }
  }
});

Deno.test("Each chunk codec reads random bytes as a value or throws WireError", () => {
  const next = seeded(7016);
  const packet = new PacketReader();
  let read = 0;
  for (let round = 0; round < 20_000; round++) {
    const payload = Uint8Array.from({ length: next() * 40 }, () => {
      return next() < 0.5 ? next() * 6 : next() * 256; // often valid as lengths
    });
    const type = chunkTypes[Math.floor(next() * chunkTypes.length)];
    const to = new Writer().u8(1).u8(type).u16(payload.length).bytes(payload);
    assert.ok(packet.open(to.view()).next());
    const again = new Writer();
    try {
      rewriteChunk(packet.type, packet.payload, again);
      read++;
    } catch (error) {
      if (!(error instanceof WireError)) throw error;
      continue;
    }
    // A parsed chunk parses again after writing, without further loss.
    const once = again.copy();
    const twice = new Writer();
    rewriteChunk(type, new Reader(once, 3), twice);
    assert.equal(toHex(twice.view()), toHex(once), toHex(payload));
  }
  assert.ok(read > 5_000 && read < 19_000, `${read}`);
});
