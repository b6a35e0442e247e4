import assert from "node:assert/strict";
import { fromHex } from "../../src/bytes/hex.ts";
import { ChunkReader, LIMITS, type MessageLimits } from "../../src/rtmp/chunk_reader.ts";
import { ChunkWriter, type OutgoingMessage } from "../../src/rtmp/chunk_writer.ts";
import { ControlType, readAggregate, type RtmpMessage, writeU32 } from "../../src/rtmp/control.ts";
import { RtmpError } from "../../src/rtmp/rtmp_error.ts";
import { captured, capturedMessages, joined, pieces, pseudoRandom, read } from "./support.ts";

const HANDSHAKE = 1 + 2 * 1536;

Deno.test("ChunkReader reads the captures of clients and servers as another decoder does", () => {
  for (const [name, expected] of Object.entries(capturedMessages)) {
    const bytes = captured(name).subarray(HANDSHAKE);
    const inOne = read(bytes);
    const seen = inOne.slice(0, expected.length).map((message) => [
      message.type,
      message.timestamp,
      message.stream,
      message.payload.length,
    ]);
    assert.deepEqual(seen, expected, name);
    assert.deepEqual(read(bytes, 1), inOne, `${name} byte by byte`);
    assert.deepEqual(read(bytes, 7), inOne, `${name} in pieces of 7`);
  }
});

Deno.test("ChunkReaders that read one byte in turn return the same messages as alone", () => {
  const inputs = Object.keys(capturedMessages).map((name) => captured(name).subarray(HANDSHAKE));
  const results: RtmpMessage[][] = inputs.map(() => []);
  const readers = results.map((messages) => {
    const reader: ChunkReader = new ChunkReader((message) => {
      messages.push(message);
      if (message.type === ControlType.setChunkSize) {
        reader.chunkSize = new DataView(message.payload.buffer).getUint32(
          message.payload.byteOffset,
        );
      }
    });
    return reader;
  });
  const longest = Math.min(10_000, Math.max(...inputs.map(({ length }) => length)));
  for (let at = 0; at < longest; at++) {
    readers.forEach((reader, i) => reader.receive(inputs[i].subarray(at, at + 1)));
  }
  assert.deepEqual(results, inputs.map((input) => read(input.subarray(0, longest))));
});

/** Bytes of chunks that begin messages of 2 bytes. */
const times = (...chunks: string[]) =>
  read(fromHex(chunks.join(" ")), 1).map(({ timestamp }) => timestamp);

Deno.test("ChunkReader reads full times, differences and repeated headers", () => {
  const body = "aabb";
  const full = `04 000064 000002 08 01000000 ${body}`;
  assert.deepEqual(times(full, `c4 ${body}`), [100, 100], "RTMP-107");
  assert.deepEqual(times(full, `44 000005 000002 08 ${body}`, `c4 ${body}`), [100, 105, 110]);
  assert.deepEqual(times(full, `84 000007 ${body}`, `c4 ${body}`), [100, 107, 114]);
  assert.deepEqual(times(`44 000005 000002 08 ${body}`), [5], "RTMP-105");
  const late = `04 ffffff 000002 08 01000000 fffffffe ${body}`;
  assert.deepEqual(times(late, `84 000004 ${body}`), [0xfffffffe, 2], "modulo 2^32");
  const ahead = `84 ffffff 01000000 ${body}`;
  assert.deepEqual(times(full, ahead, `c4 01000000 ${body}`), [100, 0x1000064, 0x2000064]);
});

Deno.test("ChunkReader accepts later chunks that repeat or omit the message's 32-bit time", () => {
  const payload = pseudoRandom(2)(300);
  const head = fromHex("04 ffffff 00012c 09 01000000 01234567");
  const [a, b, c] = pieces(payload, 128);
  const [more, time] = [Uint8Array.of(0xc4), fromHex("01234567")];
  const adobe = joined(head, a, more, time, b, more, time, c);
  const librtmp = joined(head, a, more, b, more, c);
  for (const bytes of [adobe, librtmp]) {
    for (const size of [1, 3, 1000]) {
      const [message, ...others] = read(joined(bytes, fromHex("c4 01234567")), size);
      assert.deepEqual(message.payload, payload);
      assert.equal(message.timestamp, 0x01234567);
      assert.equal(others.length, 0);
    }
  }
  // A payload that begins like the time, and a last chunk shorter than the time.
  const alike = joined(time.subarray(0, 3), payload.subarray(0, 127));
  const [d, e] = pieces(alike, 128);
  const short = joined(fromHex("04 ffffff 000082 09 01000000 01234567"), d, more, e);
  assert.deepEqual(read(joined(short, short), 1).map(({ payload }) => payload), [alike, alike]);
});

Deno.test("ChunkReader reads chunk stream ids of one, two or three bytes", () => {
  const rest = "000000 000000 08 00000000";
  const ids: number[] = [];
  for (const basic of ["02", "3f", "00 00", "00 ff", "01 00 00", "01 ff ff"]) {
    const messages = read(fromHex(`${basic} ${rest}`), 1);
    ids.push(messages.length);
  }
  assert.deepEqual(ids, [1, 1, 1, 1, 1, 1], "messages of no bytes are messages");
  // 64 in the form of two bytes and of three is one chunk stream: format 3 continues it.
  assert.equal(read(fromHex(`00 00 ${rest} c1 00 00`), 1).length, 2);
  assert.throws(() => read(fromHex(`00 01 ${rest} c1 01 00 c1 00 01`)), /319|begins|320/);
});

Deno.test("ChunkReader reads interleaved messages, and drops one at Abort", () => {
  const reader = new ChunkReader((message) => {
    if (message.type === ControlType.abort) reader.abort(4);
    else types.push(message.type);
  });
  const types: number[] = [];
  const [a, b] = [new Uint8Array(128).fill(1), new Uint8Array(72).fill(2)];
  const audio = joined(fromHex("04 000000 0000c8 08 01000000"), a);
  const video = joined(fromHex("06 000000 0000c8 09 01000000"), a);
  const abort = fromHex("02 000000 000004 02 00000000 00000004");
  reader.receive(joined(audio, video, Uint8Array.of(0xc6), b, Uint8Array.of(0xc4), b));
  assert.deepEqual(types, [9, 8]);
  reader.receive(joined(audio, abort, audio, Uint8Array.of(0xc4), b));
  assert.deepEqual(types, [9, 8, 8]);
  assert.equal(reader.discarded, 0);
  reader.receive(joined(audio, audio, Uint8Array.of(0xc4), b));
  assert.deepEqual(types, [9, 8, 8, 8]);
  assert.equal(reader.discarded, 1, "RTMP-110");
});

Deno.test("ChunkReader throws RtmpError with its reason at an invalid chunk, and at a message beyond its limits", () => {
  const reasons = (bytes: Uint8Array) => {
    try {
      read(bytes, 1000);
    } catch (error) {
      if (error instanceof RtmpError) return error.reason;
      throw error;
    }
    return "none";
  };
  assert.equal(reasons(fromHex("84 000000")), "chunk");
  assert.equal(reasons(fromHex("c4")), "chunk");
  for (const size of [0, 1, 127]) {
    const message = joined(fromHex("02 000000 000004 01 00000000"), writeU32(size));
    assert.equal(reasons(message), "chunk", `chunks of ${size}`);
  }
  assert.equal(reasons(fromHex("03 000000 100001 14 00000000")), "message length");
  assert.equal(reasons(fromHex("02 000000 000401 05 00000000")), "message length");
  const many = Array.from({ length: 65 }, (_, i) => `00 ${i.toString(16).padStart(2, "0")}`);
  const empty = "000000 000000 08 00000000";
  assert.equal(
    reasons(fromHex(many.map((basic) => `${basic} ${empty}`).join(" "))),
    "chunk streams",
  );
});

Deno.test("ChunkReader refuses messages longer than LIMITS of a client before connect, and of a connected client", () => {
  const claim = (limits: MessageLimits, length: number) => {
    const reader = new ChunkReader(() => {});
    reader.limits = limits;
    reader.receive(
      joined(fromHex("04 000000"), writeU32(length).subarray(1), fromHex("09 01000000")),
    );
  };
  for (const limits of [LIMITS.stranger, LIMITS.connected]) {
    claim(limits, limits.message);
    assert.throws(() => claim(limits, limits.message + 1), /Cannot take a message of type 9/);
  }
  claim(LIMITS.streaming, 0xffffff);
});

Deno.test("ChunkReader allocates memory for received bytes, not for a claimed length", () => {
  const head = (id: number) =>
    joined(Uint8Array.of(id), fromHex("000000 3fffff 09 01000000"), new Uint8Array(128));
  const reader = new ChunkReader(() => {});
  for (let id = 3; id < 64; id++) reader.receive(head(id)); // 61 claims of 4 MiB are few bytes
  const more = new Uint8Array(129);
  let chunks = 0;
  assert.throws(() => {
    for (let id = 3; id < 64; id++) {
      more[0] = 0xc0 | id;
      for (let i = 0; i < 8000; i++, chunks++) reader.receive(more);
    }
  }, (error) => error instanceof RtmpError && error.reason === "partial messages");
  assert.ok(chunks * 128 > 15 << 20 && chunks * 128 <= 32 << 20, `${chunks} chunks`);
});

/** The chunks of messages, in blocks of a size. */
function write(messages: OutgoingMessage[], blockSize: number): Uint8Array {
  const writer = new ChunkWriter();
  const parts: Uint8Array[] = [];
  for (const message of messages) {
    writer.begin(message);
    for (let turn = 0; !writer.idle; turn++) {
      const block = new Uint8Array(blockSize);
      parts.push(block.slice(0, writer.write(block, 0)));
      assert.ok(turn < 100_000);
    }
  }
  return joined(...parts);
}

Deno.test("ChunkReader reads the output of ChunkWriter in blocks of any size", () => {
  const bytes = pseudoRandom(11);
  const message = (type: number, timestamp: number, stream: number, length: number) => ({
    chunkStream: type === 1 ? 2 : 6,
    type,
    timestamp,
    stream,
    payload: type === 1 ? writeU32(length) : bytes(length),
  });
  const messages = [
    message(9, 0, 1, 500),
    message(9, 40, 1, 0),
    message(9, 30, 1, 129), // goes back
    message(1, 0, 0, 1000),
    message(9, 31, 2, 5000), // another stream
    message(9, 0xffffff, 2, 1001),
    message(9, 0x1000010, 2, 1),
    message(9, 0xfffffff0, 2, 3000),
    message(9, 5, 2, 3000), // behind 2^32
  ];
  for (const blockSize of [17, 64, 1000, 65_536]) {
    const chunks = write(messages, blockSize);
    const seen = read(chunks, 333);
    assert.deepEqual(
      seen.map(({ type, timestamp, stream, payload }) => ({ type, timestamp, stream, payload })),
      messages.map(({ type, timestamp, stream, payload }) => ({
        type,
        timestamp,
        stream,
        payload,
      })),
    );
  }
});

Deno.test("ChunkWriter writes the bytes of RTMP 1.0 §5.3.2.2", () => {
  const payload = new Uint8Array(307);
  const chunks = write(
    [{ chunkStream: 4, type: 9, timestamp: 1000, stream: 12346, payload }],
    4096,
  );
  assert.deepEqual(chunks.subarray(0, 12), fromHex("04 0003e8 000133 09 3a300000"));
  assert.equal(chunks.length, 140 + 129 + 52);
  assert.equal(chunks[140], 0xc4);
  assert.equal(chunks[140 + 129], 0xc4);
});

Deno.test("ChunkReader splits an aggregate into messages with times relative to its own", () => {
  const part = (type: number, time: number, body: string) =>
    `${type.toString(16).padStart(2, "0")} ${(body.length / 2).toString(16).padStart(6, "0")} ${
      time.toString(16).padStart(6, "0")
    } 00 000000 ${body} 00000000`;
  const parts = (text: string) =>
    [...readAggregate({ type: 22, timestamp: 5000, stream: 3, payload: fromHex(text) })]
      .map(({ type, timestamp, stream, payload }) => [type, timestamp, stream, payload.toHex()]);
  const two = part(8, 100, "af01aa") + part(9, 120, "2701");
  const expected = [[8, 5000, 3, "af01aa"], [9, 5020, 3, "2701"]];
  assert.deepEqual(parts(two), expected);
  assert.deepEqual(parts(two.slice(0, -8)), expected, "without its last back pointer");
  assert.deepEqual(parts(`${two} ${part(9, 130, "27").replace("000001", "ffffff")}`), expected);
  assert.deepEqual(parts(part(22, 0, "")), []);
  assert.deepEqual(parts("08 0000"), []);
});

Deno.test("ChunkReader returns messages or throws RtmpError for mutated captures in any pieces", () => {
  const random = pseudoRandom(42);
  const names = ["ffmpeg-publish.client", "gst-rtmpsink-publish.client", "rtmpdump-play.client"];
  const counts = { messages: 0, refused: 0 };
  for (const name of names) {
    const original = captured(name).subarray(HANDSHAKE, HANDSHAKE + 6000);
    for (let round = 0; round < 150; round++) {
      const bytes = original.slice();
      for (const [i, at] of random(6).entries()) {
        bytes[(at * 257 + round * 31 + i * 7) % bytes.length] ^= 1 << (at & 7);
      }
      try {
        counts.messages += read(bytes, 1 + round).length;
      } catch (error) {
        if (!(error instanceof RtmpError)) throw error;
        counts.refused++;
      }
    }
  }
  assert.ok(counts.messages > 1000 && counts.refused > 20, JSON.stringify(counts));
});
