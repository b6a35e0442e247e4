// The gate from WebSockets to scripts' TCP servers, with a fake WebSocket.
import assert from "node:assert/strict";
import type { WebSocketConnection } from "../../src/net/web_server.ts";
import type { DoorHost } from "../../src/server/doors.ts";
import { TcpGate } from "../../src/server/tcp_gate.ts";
import { within } from "../../src/common/wait.ts";

/** A client whose messages the test makes. */
class FakeSocket {
  events: Parameters<WebSocketConnection["start"]>[0] | undefined;
  readonly closed = Promise.withResolvers<number>();
  paused = false;
  resumed = Promise.withResolvers<void>();
  readonly bufferedAmount = 0;

  start(events: Parameters<WebSocketConnection["start"]>[0]): void {
    this.events = events;
  }

  pause(): void {
    this.paused = true;
  }

  resume(): void {
    this.paused = false;
    this.resumed.resolve();
  }

  send(): void {}
  trust(): void {}

  close(code: number): void {
    this.closed.resolve(code);
  }
}

function open(port: number): FakeSocket {
  const socket = new FakeSocket();
  const gate = new TcpGate({} as DoorHost);
  void gate.open(socket as unknown as WebSocketConnection, port, () => {});
  return socket;
}

Deno.test("TcpGate closes a WebSocket that sends 1,025 empty messages before the TCP connection is open", async () => {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const socket = open((listener.addr as Deno.NetAddr).port);
  for (let i = 0; i < 1_025; i++) socket.events!.onMessage(new Uint8Array(0));
  assert.equal(await within(socket.closed.promise, 10_000, "not closed"), 1008);
});

Deno.test("TcpGate stops reading from a client while the script's server does not read", async () => {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const socket = open((listener.addr as Deno.NetAddr).port);
  using script = await listener.accept();
  const message = new Uint8Array(65_536);
  let sent = 0;
  // The system buffers some megabytes; the rest waits in the gate.
  for (; !socket.paused && sent < 64 << 20; sent += message.length) {
    socket.events!.onMessage(message);
    await new Promise((resolve) => setImmediate(resolve));
  }
  assert.ok(socket.paused, `${sent} bytes were taken`);
  socket.resumed = Promise.withResolvers();
  const block = new Uint8Array(1 << 20);
  for (let read = 0; read < sent;) read += (await script.read(block))!;
  await within(socket.resumed.promise, 10_000, "not resumed");
  socket.events!.onClose(1000);
});

Deno.test("TcpGate counts the memory overhead of tiny messages for a script's server that does not read", async () => {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const socket = open((listener.addr as Deno.NetAddr).port);
  using _script = await listener.accept();
  await new Promise((resolve) => setImmediate(resolve));
  let messages = 0;
  for (; !socket.paused && messages < 100_000; messages++) {
    socket.events!.onMessage(Uint8Array.of(1));
  }
  assert.ok(messages < 10_000, `${messages} messages were taken`);
  socket.events!.onClose(1000);
});

Deno.test("TcpGate copies messages, whose bytes are valid only until the call returns", async () => {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const socket = open((listener.addr as Deno.NetAddr).port);
  const message = Uint8Array.of(1, 2, 3);
  socket.events!.onMessage(message); // before the connection is open
  message.fill(9);
  using script = await listener.accept();
  const block = new Uint8Array(16);
  assert.deepEqual(block.slice(0, await script.read(block) ?? 0), Uint8Array.of(1, 2, 3));
  socket.events!.onClose(1000);
});
