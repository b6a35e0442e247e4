// Live bodies and WebSockets, written by direct writers and by Deno's sockets.
import assert from "node:assert/strict";
import { type DirectWriterSource, openDirectWriters } from "../../src/net/native_stream.ts";
import { type ByteSink, ROOM, StreamedResponse } from "../../src/net/streamed_response.ts";
import {
  serveWeb,
  upgradeToWebSocket,
  type WebSocketConnection,
} from "../../src/net/web_server.ts";
import { sleep, until } from "../support/wait.ts";

const encoder = new TextEncoder();
/** Lengths around the limits of WebSocket headers and of chunks. */
const LENGTHS = [1, 15, 16, 125, 126, 4_095, 4_096, 65_535, 65_536, 200_000];
const patternAt = (at: number): number => at * 31 % 251;

function test(name: string, fn: (native: boolean) => Promise<void>): void {
  const run = async (native: boolean) => {
    direct = 0;
    await fn(native);
    assert.equal(direct > 0, native, `DirectWriters sent ${direct} bytes`);
  };
  Deno.test(`${name} (by Deno's sockets)`, () => run(false));
  if (Deno.build.os === "linux") Deno.test(`${name} (by DirectWriters)`, () => run(true));
}

/** Blocks of a pattern that continues from block to block, in reused memory. */
function* blocks(lengths: Iterable<number>) {
  const block = new Uint8Array(300_000);
  let at = 0;
  for (const length of lengths) {
    for (let i = 0; i < length; i++) block[ROOM + i] = patternAt(at + i);
    at += length;
    yield { block, from: ROOM, to: ROOM + length };
    block.fill(0);
  }
}

function assertPattern(bytes: Uint8Array, total: number): void {
  assert.equal(bytes.length, total);
  assert.equal(bytes.findIndex((byte, at) => byte !== patternAt(at)), -1);
}

/** Bytes that direct writers have sent. */
let direct = 0;

/** Direct writers that count their bytes. */
function watched(): DirectWriterSource {
  const source = openDirectWriters()!;
  return {
    open(ends) {
      const writer = source.open(ends)!;
      return {
        send(bytes, length) {
          const sent = writer.send(bytes, length);
          direct += sent;
          return sent;
        },
        close: () => writer.close(),
      };
    },
  };
}

const options = (native: boolean, sendBuffer?: number) => ({
  hostname: "127.0.0.1",
  port: 0,
  writers: native ? watched() : undefined,
  ...sendBuffer && { sendBuffer },
});

/** Starts a server that answers with streams. */
async function serve(native: boolean, sendBuffer?: number) {
  const sinks: ByteSink[] = [];
  const told = { drains: 0, closes: 0 };
  const server = await serveWeb(
    options(native, sendBuffer),
    () =>
      new StreamedResponse({}, (sink) => {
        sinks.push(sink);
        return { onDrain: () => told.drains++, onClose: () => told.closes++ };
      }),
  );
  return { server, sinks, told };
}

test("StreamedResponse sends a whole live body, and its connection the next body", async (native) => {
  const { server, sinks } = await serve(native);
  const total = LENGTHS.reduce((sum, length) => sum + length, 0);
  for (let round = 0; round < 2; round++) { // fetch reuses the connection
    const response = fetch(`http://127.0.0.1:${server.port}/`);
    const sink = await until(() => sinks[round], "a request");
    for (const { block, from, to } of blocks(LENGTHS)) {
      sink.write(block, from, to);
      if (to % 2 === 0) await sleep(0);
    }
    sink.end(true);
    assertPattern(new Uint8Array(await (await response).arrayBuffer()), total);
  }
  assert.equal(server.accepted, 1);
  assert.ok(server.traffic.bytesOut > 2 * total && server.traffic.bytesOut < 2 * total + 3_000);
  await server.close();
});

test("StreamedResponse sends a live body in order to a client that reads late", async (native) => {
  const { server, sinks, told } = await serve(native, 8_192);
  const conn = await Deno.connect({ hostname: "127.0.0.1", port: server.port });
  await conn.write(encoder.encode("GET / HTTP/1.0\r\n\r\n")); // a body without chunks
  const sink = await until(() => sinks[0], "the request");
  const lengths = Array.from({ length: 100 }, (_, i) => 1 + i * 7_919 % 60_000);
  const total = lengths.reduce((sum, length) => sum + length, 0);
  for (const { block, from, to } of blocks(lengths.slice(0, 60))) sink.write(block, from, to);
  assert.ok(sink.waiting > 0, "the buffer is full");
  const reading = readAll(conn);
  await until(() => told.drains > 0 && sink.waiting === 0, "room");
  let sent = 0;
  for (const { block, from, to } of blocks(lengths)) {
    if (sent++ < 60) continue;
    sink.write(block, from, to);
    if (sent % 3 === 0) await sleep(0);
  }
  sink.end(true);
  const all = await reading;
  const head = new TextDecoder().decode(all.subarray(0, 1_000)).indexOf("\r\n\r\n") + 4;
  assertPattern(all.subarray(head), total);
  await until(() => told.closes === 1, "the end");
  conn.close();
  await server.close();
});

test("StreamedResponse and its connection end when the client has gone", async (native) => {
  const { server, sinks, told } = await serve(native, 8_192);
  const conn = await Deno.connect({ hostname: "127.0.0.1", port: server.port });
  await conn.write(encoder.encode("GET / HTTP/1.1\r\nHost: a\r\n\r\n"));
  const sink = await until(() => sinks[0], "the request");
  for (const { block, from, to } of blocks([60_000, 60_000])) sink.write(block, from, to);
  conn.close();
  await until(() => {
    for (const { block, from, to } of blocks([1_000])) sink.write(block, from, to);
    return told.closes === 1;
  }, "the end");
  for (const { block, from, to } of blocks([1_000])) sink.write(block, from, to); // has no effect
  await until(() => server.connections === 0, "its connection to be closed");
  await server.close();
});

test("WebSocketConnection sends parts, messages and the close frame in order", async (native) => {
  let socket: WebSocketConnection | undefined;
  const server = await serveWeb(options(native, 16_384), (request) => {
    const upgraded = upgradeToWebSocket(request)!;
    socket = upgraded.socket;
    upgraded.socket.start({ onMessage() {}, onClose() {} });
    return upgraded.response;
  });
  const client = new WebSocket(`ws://127.0.0.1:${server.port}/`);
  client.binaryType = "arraybuffer";
  const heard: (string | ArrayBuffer)[] = [];
  client.onmessage = ({ data }) => heard.push(data);
  const closed = new Promise<number>((resolve) => client.onclose = ({ code }) => resolve(code));
  const server1 = await until(() => socket, "a WebSocket");
  const lengths = [...LENGTHS, ...LENGTHS];
  let count = 0;
  for (const { block, from, to } of blocks(lengths)) {
    server1.sendPart(block, from, to);
    server1.sendText(`${count++}`);
    if (count % 3 === 0) await sleep(1);
  }
  server1.close();
  assert.equal(await closed, 1000);
  const parts = heard.filter((one) => typeof one !== "string");
  assert.deepEqual(parts.map(({ byteLength }) => byteLength), lengths);
  assert.deepEqual(
    heard.map((one, i) => typeof one === "string" ? [i, one] : undefined).filter(Boolean),
    lengths.map((_, i) => [2 * i + 1, `${i}`]),
  );
  const total = lengths.reduce((sum, length) => sum + length, 0);
  assertPattern(new Uint8Array(await new Blob(parts).arrayBuffer()), total);
  await server.close();
});

async function readAll(conn: Deno.TcpConn): Promise<Uint8Array> {
  const parts: Uint8Array<ArrayBuffer>[] = [];
  const buffer = new Uint8Array(20_000);
  for (let length; (length = await conn.read(buffer)) !== null;) {
    parts.push(buffer.slice(0, length));
  }
  return new Uint8Array(await new Blob(parts).arrayBuffer());
}
