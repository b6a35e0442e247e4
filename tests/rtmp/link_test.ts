import assert from "node:assert/strict";
import { fromHex } from "../../src/bytes/hex.ts";
import { ControlType, writeU32 } from "../../src/rtmp/control.ts";
import { WINDOW } from "../../src/rtmp/link.ts";
import { RtmpError } from "../../src/rtmp/rtmp_error.ts";
import { UserControl } from "../../src/tc/format/messages.ts";
import { joined, LinkEnd, pseudoRandom, read, settle, TestLane as Lane } from "./support.ts";

const message = (type: number, payload: Uint8Array, timestamp = 0) => ({
  chunkStream: 5,
  type,
  timestamp,
  stream: 1,
  payload,
});

/** Two ends after their handshake. */
function pair(pieceSize?: number) {
  const [client, server] = [new LinkEnd("initiator"), new LinkEnd("responder")];
  server.link.trust("streaming");
  settle(client, server, pieceSize);
  return { client, server };
}

/** The payload of a user control message, without the link's code. */
function userControl(event: number, value: number): Uint8Array {
  const bytes = new DataView(new ArrayBuffer(6));
  bytes.setUint16(0, event);
  bytes.setUint32(2, value);
  return new Uint8Array(bytes.buffer);
}

/** A message alone in a chunk, as the far end of a fresh link may send it. */
const chunk = (type: number, payload: Uint8Array) =>
  joined(
    fromHex(`02 000000 ${payload.length.toString(16).padStart(6, "0")}`),
    Uint8Array.of(type),
    new Uint8Array(4),
    payload,
  );

Deno.test("Two RtmpLinks open and carry messages both ways, in pieces of any size", () => {
  for (const size of [1, 1000, undefined]) {
    const { client, server } = pair(size);
    assert.deepEqual([client.opened, server.opened], [1, 1]);
    const body = pseudoRandom(4)(100_000);
    server.link.sendServerLimits();
    server.link.send(message(9, body, 77), new Lane(true));
    client.link.sendClientLimits();
    client.link.send(message(20, body.subarray(0, 1000)), new Lane());
    settle(client, server, size);
    assert.deepEqual(client.messages, [{ type: 9, timestamp: 77, stream: 1, payload: body }]);
    assert.deepEqual(server.messages[0].payload, body.subarray(0, 1000));
    assert.ok(client.link.drained && server.link.drained);
  }
});

Deno.test("A link reads messages right after C2, and sends S0, S1 and S2 in one piece", () => {
  const server = new LinkEnd("responder");
  const first = joined(Uint8Array.of(3), new Uint8Array(1536));
  server.link.receive(first.subarray(0, 1));
  assert.equal(server.take().length, 0);
  server.link.receive(first.subarray(1));
  assert.equal(server.take().length, 3073);
  const command = joined(fromHex("03 000000 000002 14 00000000"), fromHex("0500"));
  server.link.receive(joined(new Uint8Array(1536), command));
  assert.deepEqual(server.messages[0].payload, fromHex("0500"));
});

Deno.test("A link acknowledges each window of received bytes, at most 1 MiB", () => {
  const { client, server } = pair();
  client.link.send(message(9, new Uint8Array(900_000)), new Lane(true));
  settle(client, server);
  assert.equal(client.acknowledged.length, 0);
  client.link.send(message(9, new Uint8Array(200_000)), new Lane(true));
  settle(client, server);
  assert.equal(client.acknowledged.length, 1);
  assert.equal(client.link.bytesAcknowledged, client.acknowledged[0]);
  server.link.receive(chunk(ControlType.windowAckSize, writeU32(5000)));
  client.link.send(message(9, new Uint8Array(6000)), new Lane(true));
  settle(client, server);
  assert.equal(client.acknowledged.length, 2);
});

Deno.test("A link counts acknowledgements beyond 2^32 bytes, and ignores those that go back or exceed the sent bytes", () => {
  const { client, server } = pair();
  server.link.send(message(9, new Uint8Array(10_000)), new Lane(true));
  server.take(1 << 20);
  const handed = server.link.bytesHandedOut;
  const acknowledge = (count: number) =>
    server.link.receive(chunk(ControlType.acknowledgement, writeU32(count)));
  acknowledge(5000);
  acknowledge(4000);
  acknowledge(0xffffffff);
  assert.deepEqual(server.acknowledged, [5000]);
  acknowledge(handed + 10);
  assert.deepEqual(server.acknowledged, [5000, handed]);
  assert.equal(client.acknowledged.length, 0);
});

Deno.test("A link answers a ping with its number, and measures the round trip", () => {
  const { client, server } = pair();
  client.link.receive(chunk(4, userControl(UserControl.pingRequest, 0xfedcba98)));
  const [answer] = read(client.take());
  assert.deepEqual(answer.payload, fromHex("0007 fedcba98"));
  server.now = client.now = 5000;
  server.link.ping();
  server.link.ping();
  const asked = server.take();
  assert.equal(read(asked).length, 1, "one ping at a time");
  server.now = 5030;
  client.link.receive(asked);
  server.link.receive(client.take());
  assert.equal(server.link.rtt, 30);
  assert.equal(server.link.pinged, undefined);
  client.link.receive(chunk(4, userControl(UserControl.setBufferLength, 1)));
  assert.deepEqual(client.events, [[3, [1]]]);
});

Deno.test("A link sends its limits in the order of RTMP-220, before queued messages", () => {
  const { client, server } = pair();
  server.link.send(message(20, new Uint8Array(300)), new Lane());
  server.link.sendServerLimits();
  const types = read(server.take()).map(({ type, payload }) => [type, payload.length]);
  assert.deepEqual(types, [
    [ControlType.windowAckSize, 4],
    [ControlType.setPeerBandwidth, 5],
    [ControlType.setChunkSize, 4],
    [ControlType.userControl, 6],
    [20, 300],
  ]);
  assert.ok(WINDOW === 2_500_000 && client.link.open);
});

Deno.test("RtmpLink drops whole messages of one lane, never a started one nor messages of other lanes", () => {
  const { client, server } = pair();
  const [mine, other, data] = [new Lane(true), new Lane(true), new Lane()];
  const video = (length: number) => message(9, new Uint8Array(length));
  server.link.send(video(5000), mine);
  const block = new Uint8Array(100);
  const begun = block.slice(0, server.link.fill(block));
  server.now = 30;
  server.link.send(video(6000), mine);
  server.link.send(video(50), mine);
  server.now = 40;
  server.link.send(message(18, new Uint8Array(60)), data);
  server.link.send(video(70), other);
  assert.deepEqual([mine.queuedBytes, mine.queuedMessages, data.queuedBytes], [6050, 2, 60]);
  assert.equal(server.link.waitingSince(mine), 30);
  assert.equal(server.link.reliableSince, 40);
  assert.equal(server.link.abandon(mine), 2);
  assert.deepEqual([mine.queuedBytes, mine.queuedMessages], [0, 0]);
  assert.equal(server.link.waitingSince(mine), undefined);
  client.link.receive(joined(begun, server.take()));
  assert.deepEqual(client.messages.map(({ payload }) => payload.length), [5000, 60, 70]);
  assert.equal(server.link.reliableSince, undefined);
  assert.ok(server.link.drained);
});

Deno.test("A link notifies a lane of each message whose last byte was taken", () => {
  const { server } = pair();
  const lane = new Lane(true);
  const [first, second] = [message(9, new Uint8Array(1000), 1), message(8, new Uint8Array(9), 3)];
  server.link.send(first, lane);
  server.link.send(second, lane);
  const block = new Uint8Array(512);
  server.link.fill(block);
  assert.deepEqual(lane.handedOut, []);
  server.take();
  assert.deepEqual(lane.handedOut, [1, 3]);
});

Deno.test("A link closes a far end that requests pings without reading, not one that requests acknowledgements", () => {
  const { client } = pair();
  client.link.receive(chunk(ControlType.windowAckSize, writeU32(1)));
  for (let i = 0; i < 1000; i++) {
    client.link.receive(chunk(ControlType.acknowledgement, writeU32(0)));
  }
  assert.throws(() => {
    for (let i = 0; i < 1000; i++) {
      client.link.receive(chunk(4, userControl(UserControl.pingRequest, i)));
    }
  }, (error) => error instanceof RtmpError && error.reason === "not reading");
});

Deno.test("A link closes the connection at a truncated control message", () => {
  for (const type of [1, 2, 3, 4, 5]) {
    const { client } = pair();
    assert.throws(() => client.link.receive(chunk(type, Uint8Array.of(0))), RtmpError);
  }
  const { client } = pair();
  assert.throws(() => client.link.receive(chunk(1, writeU32(0x80000000))), RtmpError);
});

Deno.test("A closed link ignores input", () => {
  const { client } = pair();
  client.link.close();
  client.link.receive(chunk(20, Uint8Array.of(5)));
  assert.equal(client.messages.length, 0);
});
