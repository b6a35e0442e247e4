// Streams that clients open, over loopback.
import assert from "node:assert/strict";
import { type StreamEvents, StreamListener, StreamSocket } from "../../src/net/stream_socket.ts";
import { sleep, until } from "../support/wait.ts";

/** A listener, with the first connection to it. */
async function open(events: Partial<StreamEvents> = {}, sendBuffer?: number) {
  let accepted: StreamSocket | undefined;
  const listener = new StreamListener(
    { hostname: "127.0.0.1", port: 0, ...sendBuffer && { sendBuffer } },
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
      client.close();
      listener.close();
    },
  };
}

async function readAll(client: Deno.TcpConn): Promise<number> {
  const buffer = new Uint8Array(65_536);
  for (let sum = 0;;) {
    const length = await client.read(buffer);
    if (length === null) return sum;
    sum += length;
  }
}

Deno.test("StreamSocket passes on bytes of any amount, and the end of the far end", async () => {
  let received = 0;
  let ended = 0;
  using all = await open({
    onData: (bytes) => received += bytes.length,
    onEnd: () => ended++,
  });
  for (const length of [1, 2_000, 3_000, 300_000, 10]) {
    const before = received;
    for (let at = 0; at < length;) at += await all.client.write(new Uint8Array(length - at));
    await until(() => received === before + length, `${length} bytes`);
  }
  await all.client.closeWrite();
  await until(() => ended === 1, "the end");
});

Deno.test("StreamSocket ends after what was written, though bytes of the client are unread", async () => {
  let written = 0;
  using all = await open({ onWritten: () => written++ });
  await all.client.write(new Uint8Array(1000));
  all.socket.write(new Uint8Array(3_000_000));
  assert.ok(all.socket.writing);
  all.socket.end();
  all.socket.write(new Uint8Array(5)); // too late
  assert.equal(await readAll(all.client), 3_000_000);
  assert.equal(written, 0, "nobody is told any more");
});

Deno.test({
  name: "The system keeps no more for a client that does not read than it was told",
  ignore: Deno.build.os !== "linux",
  fn: async () => {
    let next = Promise.withResolvers<boolean>();
    using all = await open({ onWritten: () => next.resolve(true) }, 262_144);
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

Deno.test("A port is free for another listener once StreamListener has closed", async () => {
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
