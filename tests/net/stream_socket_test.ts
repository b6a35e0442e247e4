// TCP streams of clients, over loopback.
import assert from "node:assert/strict";
import { dialStream } from "../../src/net/dial.ts";
import { type StreamEvents, StreamListener, StreamSocket } from "../../src/net/stream_socket.ts";
import { tcpError } from "../../src/net/tcp.ts";
import { sleep, until } from "../support/wait.ts";

/** Starts a listener. @returns it with its first connection */
async function open(events: Partial<StreamEvents> = {}, native = false, sendBuffer?: number) {
  let accepted: StreamSocket | undefined;
  const listener = new StreamListener(
    { hostname: "127.0.0.1", port: 0, native, ...sendBuffer && { sendBuffer } },
    (socket) => {
      accepted = socket;
      socket.start({ onData() {}, onWritten() {}, onEnd() {}, ...events });
    },
  );
  const client = await Deno.connect({ hostname: "127.0.0.1", port: listener.port });
  const socket = await until(() => accepted, "a connection");
  return {
    socket,
    client,
    [Symbol.dispose]() {
      socket.end();
      try {
        client.close();
      } catch {
        // closed by the test
      }
      listener.close();
    },
  };
}

const patternAt = (at: number): number => at * 31 % 251;

/** @returns the position of the first wrong byte; -1 if all are right */
async function readPattern(client: Deno.TcpConn, total: number): Promise<number> {
  const buffer = new Uint8Array(5_000);
  for (let at = 0; at < total;) {
    const length = await client.read(buffer);
    if (length === null) return at;
    for (let i = 0; i < length; i++) if (buffer[i] !== patternAt(at + i)) return at + i;
    at += length;
  }
  return -1;
}

async function readAll(client: Deno.TcpConn): Promise<number> {
  const buffer = new Uint8Array(65_536);
  for (let sum = 0;;) {
    const length = await client.read(buffer);
    if (length === null) return sum;
    sum += length;
  }
}

/** Tests both ways of writing; only Linux has DirectWriters. */
function test(name: string, fn: (native: boolean) => Promise<void>): void {
  Deno.test(`${name} (by Deno's sockets)`, () => fn(false));
  if (Deno.build.os === "linux") Deno.test(`${name} (by DirectWriters)`, () => fn(true));
}

test("StreamSocket passes on all bytes, and the end of the client's stream", async (native) => {
  let received = 0;
  let ended = 0;
  using all = await open({
    onData: (bytes) => received += bytes.length,
    onEnd: () => ended++,
  }, native);
  for (const length of [1, 2_000, 3_000, 300_000, 10]) {
    const before = received;
    for (let at = 0; at < length;) at += await all.client.write(new Uint8Array(length - at));
    await until(() => received === before + length, `${length} bytes`);
  }
  await all.client.closeWrite();
  await until(() => ended === 1, "the end");
});

test("StreamSocket ends after its last write, even with unread bytes of the client", async (native) => {
  let written = 0;
  using all = await open({ onWritten: () => written++ }, native);
  await all.client.write(new Uint8Array(1000));
  all.socket.write(new Uint8Array(20_000_000));
  assert.ok(all.socket.writing);
  all.socket.end();
  all.socket.write(new Uint8Array(5)); // not sent
  assert.equal(await readAll(all.client), 20_000_000);
  assert.equal(written, 0, "onWritten is not called after end()");
});

test("StreamSocket keeps the order of its writes when buffers are full", async (native) => {
  let next = Promise.withResolvers<void>();
  using all = await open({ onWritten: () => next.resolve() }, native, 4_096);
  const total = 3_000_000;
  const reading = readPattern(all.client, total);
  const block = new Uint8Array(30_000);
  const kinds = { atOnce: 0, later: 0 };
  for (let at = 0; at < total;) {
    const length = Math.min(1 + at * 7 % 20_011, total - at);
    for (let i = 0; i < length; i++) block[i] = patternAt(at + i);
    at += length;
    next = Promise.withResolvers();
    if (all.socket.write(block, length)) kinds.atOnce++;
    else {
      kinds.later++;
      assert.ok(all.socket.writing);
      await next.promise;
    }
    block.fill(0); // the caller may reuse it
    if (at % 3 === 0) await sleep(0);
  }
  assert.equal(await reading, -1, "position of the first wrong byte");
  assert.equal(kinds.atOnce > 0, native, JSON.stringify(kinds));
  assert.ok(kinds.later > 0);
});

test("StreamSocket reports a vanished client when it writes", async (native) => {
  const ended = Promise.withResolvers<void>();
  using all = await open({ onEnd: () => ended.resolve() }, native);
  await all.client.write(new Uint8Array(10));
  all.client.close(); // the system answers the next write by a reset
  for (let i = 0; i < 100 && !all.socket.writing; i++) all.socket.write(new Uint8Array(100_000));
  await ended.promise;
  assert.equal(
    all.socket.write(new Uint8Array(1)),
    true,
    "a write to a closed socket needs no wait",
  );
});

Deno.test({
  name:
    "StreamSocket: the system buffers at most `sendBuffer` bytes for a client that does not read",
  ignore: Deno.build.os !== "linux",
  fn: async () => {
    let next = Promise.withResolvers<boolean>();
    using all = await open({ onWritten: () => next.resolve(true) }, false, 262_144);
    const block = new Uint8Array(65_536);
    let taken = 0;
    for (; taken < 64; taken++) {
      next = Promise.withResolvers();
      all.socket.write(block);
      if (!await Promise.race([next.promise, sleep(200).then(() => false)])) break;
    }
    assert.ok(taken > 0 && taken < 32, `${taken} blocks of 64 KiB were taken`);
  },
});

Deno.test("StreamListener frees its port when it closes", async () => {
  let port = 0;
  for (let round = 0; round < 5; round++) {
    const listener = new StreamListener({ hostname: "127.0.0.1", port }, (socket) => socket.end());
    port = listener.port;
    const client = await Deno.connect({ hostname: "127.0.0.1", port });
    assert.equal(await client.read(new Uint8Array(1)), null);
    client.close();
    await listener.close();
  }
});

Deno.test("tcpError() says why a certificate is not trusted", async () => {
  const read = (name: string) =>
    Deno.readTextFileSync(new URL(`./tls/${name}.pem`, import.meta.url));
  const key = Deno.readTextFileSync(new URL("./tls/localhost.key", import.meta.url));
  const listener = new StreamListener(
    { hostname: "127.0.0.1", port: 0, tls: { cert: read("localhost"), key } },
    (socket) => socket.start({ onData() {}, onWritten() {}, onEnd() {} }),
  );
  const address = { hostname: "127.0.0.1", port: listener.port };
  const error = await dialStream([address], 10_000, "localhost").catch((error) => error);
  listener.close();
  assert.match(tcpError(error), /signed by an unknown authority \(DENO_CERT=/);
  const text = "invalid peer certificate: Other(OtherError(CaUsedAsEndEntity))";
  assert.match(tcpError(new Error(text)), /certificate is a CA certificate/);
});
