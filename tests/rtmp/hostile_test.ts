// Hostile clients: the server answers each, or closes it for a counted reason, and serves others.
import assert from "node:assert/strict";
import { fromHex } from "../../src/bytes/hex.ts";
import { writeU32 } from "../../src/rtmp/control.ts";
import { MessageType } from "../../src/tc/format/messages.ts";
import { commandOf, messageText } from "../tc/message_text.ts";
import { type RtmpClient, SimulatedDoor } from "./simulated.ts";
import { captured, joined, pieces, pseudoRandom, TestLane } from "./support.ts";

const MOMENT = 200;
const HANDSHAKE = 1 + 2 * 1_536;

/** Messages that a client has received, as text. */
const said = (client: RtmpClient) =>
  client.heard.splice(0).map(({ message }) => messageText(message)).join("\n");

/** Whether a new client is served. */
function serves(door: SimulatedDoor): boolean {
  const client = door.open("203.0.113.5");
  client.send(0, commandOf("connect", 1, { app: "live", tcUrl: "rtmp://h/live" }));
  door.pass(MOMENT);
  const success = said(client).includes("NetConnection.Connect.Success");
  client.close();
  return success;
}

/** Bytes of the raw connection after a valid handshake. */
function opened(door: SimulatedDoor): RtmpClient {
  const client = door.open();
  client.session.receive(captured("ffmpeg-publish.client").slice(0, HANDSHAKE));
  return client;
}

/** A message of stream 0 on chunk stream 3, in chunks of 128 bytes. */
function message(type: number, payload: Uint8Array): Uint8Array {
  const length = fromHex(payload.length.toString(16).padStart(6, "0"));
  const parts = [fromHex("03 000000"), length, Uint8Array.of(type), writeU32(0)];
  for (const [i, piece] of [...pieces(payload, 128)].entries()) {
    parts.push(i > 0 ? Uint8Array.of(0xc3) : new Uint8Array(), piece);
  }
  return joined(...parts);
}

Deno.test("RtmpServer answers or closes mutated handshakes, and counts the closed ones", () => {
  const door = new SimulatedDoor();
  const random = pseudoRandom(5);
  const block = new Uint8Array(1 << 16);
  const good = captured("ffmpeg-publish.client").slice(0, HANDSHAKE);
  let open = 0;
  for (let round = 0; round < 400; round++) {
    const bytes = good.slice();
    const [a, b, c, d] = random(4);
    bytes[round % 4 === 0 ? 0 : (a << 8 | b) % HANDSHAKE] = c;
    for (let i = 0; i < round % 40; i++) bytes[1 + (a * i + d * i * i) % (HANDSHAKE - 1)] ^= c;
    const client = door.open(`198.51.100.${round % 200}`);
    for (const piece of pieces(bytes.subarray(0, HANDSHAKE - round % 3), 1 + d)) {
      client.session.receive(piece);
      while (client.session.fill(block) > 0);
    }
    client.closed = true; // it only listens
    open += Number(client.session.link.open);
  }
  assert.ok(open > 50, `${open} handshakes in order`);
  const { closed } = door.server.counters;
  assert.ok(closed.handshake! > 50, JSON.stringify(closed));
  assert.ok(serves(door));
  door.pass(11_000);
  const sum = closed.handshake! + closed["handshake timeout"]! + closed["connect timeout"]!;
  assert.equal(sum, 400, JSON.stringify(closed));
  door.pass(3_000);
  assert.equal(door.server.size, 0);
});

Deno.test("RtmpServer serves clients with chunk sizes from 128 to 2^31 - 1 bytes, and closes and counts clients with others", () => {
  const command = commandOf("connect", 1, {
    app: "live",
    tcUrl: "rtmp://h/live",
    x: "y".repeat(300),
  });
  for (const size of [128, 129, 4_096, 65_536, 2 ** 24, 2 ** 31 - 1]) {
    const door = new SimulatedDoor();
    const client = door.open();
    const setChunkSize = {
      chunkStream: 2,
      stream: 0,
      timestamp: 0,
      type: 1,
      payload: writeU32(size),
    };
    client.link.send(setChunkSize, new TestLane());
    client.send(0, command);
    door.pass(MOMENT);
    assert.match(said(client), /NetConnection\.Connect\.Success/, `chunks of ${size}`);
  }
  for (const size of [0, 1, 2, 127, 2 ** 31, 2 ** 32 - 1]) {
    const door = new SimulatedDoor();
    opened(door).session.receive(joined(fromHex("02 000000 000004 01 00000000"), writeU32(size)));
    assert.equal(door.server.counters.closed.chunk, 1, `chunks of ${size}`);
    assert.ok(serves(door));
  }
});

Deno.test("RtmpServer times out a client that sends one byte every 10 s", () => {
  const door = new SimulatedDoor();
  const bytes = captured("ffmpeg-publish.client");
  const slow = door.open();
  slow.closed = true; // its bytes are sent here
  const inHandshake = door.server.counters.closed;
  slow.session.receive(bytes.slice(0, 1));
  door.pass(5_100);
  assert.equal(inHandshake["handshake timeout"], 1);
  const other = opened(door);
  other.closed = true;
  for (let at = HANDSHAKE, i = 0; i < 2; i++, at++) {
    other.session.receive(bytes.slice(at, at + 1));
    door.pass(5_100);
  }
  assert.equal(inHandshake["connect timeout"], 1);
  door.pass(3_000);
  assert.equal(door.server.size, 0);
});

Deno.test("RtmpServer closes only the session that sends an AMF bomb before or after connect", () => {
  const deep = "0300016a".repeat(15_000); // objects in objects
  const wide = "0affffffff"; // an array of 2^32 - 1 values
  const objects = "11" + "0a0b01036a".repeat(12_000); // the same of AMF3
  const references = "0a00000002" + "0a00000000" + "070000".repeat(15_000);
  const name = (text: string) => fromHex(`02 00${text.length.toString(16).padStart(2, "0")}`);
  for (const bomb of [deep, wide, objects, references]) {
    const door = new SimulatedDoor();
    for (const what of ["connect", "anything", "@setDataFrame"]) {
      for (const type of [MessageType.command, MessageType.commandAmf3, MessageType.data]) {
        const start = joined(
          type === MessageType.commandAmf3 ? Uint8Array.of(0) : new Uint8Array(),
          name(what),
          new TextEncoder().encode(what),
          fromHex("00 3ff0000000000000"),
        );
        for (const isConnected of [false, true]) {
          const client = opened(door);
          if (isConnected) {
            client.session.receive(
              message(MessageType.command, commandOf("connect", 1, { app: "live" }).payload),
            );
          }
          client.session.receive(message(type, joined(start, fromHex(bomb))));
          client.session.gone();
        }
      }
    }
    assert.equal(door.server.counters.closed["internal error"], undefined);
    const connected = door.application.events.filter((event) => event === "onConnection");
    assert.ok(connected.length >= 9, "the others connect, and are closed for the bomb");
    assert.ok(serves(door));
    assert.equal(door.hub.sessions.size, 0);
  }
});
