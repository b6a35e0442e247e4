// Arbitrary shared object messages of a client.
import assert from "node:assert/strict";
import { encodeAmf, encodeAmf0 } from "../../src/amf/mod.ts";
import { WireError } from "../../src/bytes/wire_error.ts";
import { type Message, MessageType } from "../../src/tc/format/messages.ts";
import { type SharedObjectEvent, writeSharedObject } from "../../src/tc/format/shared_object.ts";
import { ClientSharedObjects } from "../../src/tc/shared_objects.ts";
import { world } from "../media/fakes.ts";
import { seeded } from "../support/random.ts";
import { messageText } from "./message_text.ts";

/** A client, and its received messages as lines. */
function client(objectEncoding: 0 | 3 = 0) {
  const { hub, client } = world();
  const heard: string[] = [];
  const host = {
    client: client(),
    objectEncoding,
    waiting: 0,
    sendShared: (message: Message) => void heard.push(messageText(message)),
  };
  const shared = new ClientSharedObjects(host, hub.sharedObjects);
  return {
    hub,
    host,
    shared,
    take: () => heard.splice(0),
    send(...events: SharedObjectEvent[]): string[] {
      shared.receive(messageOf(...events));
      return heard.splice(0);
    },
  };
}

function messageOf(...events: SharedObjectEvent[]): Message {
  const message = { name: "o", version: 0xffffffff, persistent: false, events };
  return {
    type: MessageType.sharedObject,
    timestamp: 0,
    payload: writeSharedObject(message, false),
  };
}

Deno.test("ClientSharedObjects drops a whole message of more than 1,024 events", () => {
  const { send, hub } = client();
  const use = { type: "use" } as const;
  const many = Array.from({ length: 1024 }, () => ({ type: "release" }) as const);
  assert.throws(() => send(use, ...many), WireError);
  assert.equal(hub.sharedObjects.size, 0);
  assert.deepEqual(send(use, ...many.slice(1)), ["o 0: use+ clear"]);
  assert.equal(hub.sharedObjects.size, 0, "it has left");
});

Deno.test("ClientSharedObjects sends all of an object once for a message with several uses", () => {
  const { send, host } = client();
  send({ type: "use" });
  send({ type: "requestChange", slot: "x", value: encodeAmf0("text") });
  const use = { type: "use" } as const;
  assert.deepEqual(send(use, use, use), ['o 2: use+ clear x="text"']);
  host.waiting = 2 << 20;
  assert.deepEqual(send(use), [], "not while much waits for the client");
});

Deno.test("ClientSharedObjects refuses invalid values and calls without a name", () => {
  const { send } = client();
  send({ type: "use" });
  const refused = "o 0: SharedObject.NoWriteAccess";
  const long = encodeAmf0("x".repeat(70_000));
  assert.deepEqual(send({ type: "requestChange", slot: "x", value: long }), [
    "o 1: SharedObject.NoWriteAccess -x",
  ]);
  const calls = [encodeAmf0(), encodeAmf0(1, 2), encodeAmf0("say", "x".repeat(70_000))];
  for (const values of [...calls, Uint8Array.of(0x11, 0xff)]) {
    assert.deepEqual(send({ type: "sendMessage", values }), [refused.replace("0:", "1:")]);
  }
});

Deno.test("ClientSharedObjects sends no value to a client of AMF0 that AMF0 cannot represent", () => {
  const { send } = client(0);
  send({ type: "use" });
  const dictionary = Uint8Array.of(0x11, 0x11, 0x01, 0x00); // an empty one
  assert.deepEqual(send({ type: "requestChange", slot: "d", value: dictionary }), ["o 1: ok:d"]);
  assert.deepEqual(send({ type: "requestChange", slot: "x", value: encodeAmf("text") }), [
    "o 2: ok:x",
  ]);
  assert.deepEqual(send({ type: "use" }), ['o 3: use+ clear x="text"']);
});

Deno.test("ClientSharedObjects refuses changes by clients that do not use the object", () => {
  const { send, hub } = client();
  assert.deepEqual(send({ type: "requestChange", slot: "x", value: encodeAmf0(1) }), []);
  assert.deepEqual(send({ type: "sendMessage", values: encodeAmf0("say") }), []);
  assert.deepEqual(send({ type: "release" }), []);
  assert.equal(hub.sharedObjects.size, 0);
});

Deno.test("ClientSharedObjects reads or refuses truncated and mutated messages", () => {
  const { shared, hub, take } = client(3);
  const whole = messageOf(
    { type: "use" },
    { type: "requestChange", slot: "x", value: encodeAmf({ a: [1, "b"] }) },
    { type: "sendMessage", values: encodeAmf0("say", 1) },
    { type: "requestRemove", slot: "x" },
    { type: "release" },
  ).payload;
  const receive = (payload: Uint8Array, type: number) => {
    try {
      shared.receive({ type, timestamp: 0, payload });
    } catch (error) {
      if (!(error instanceof WireError)) throw error;
    }
    take();
    const used = [...hub.sharedObjects.all()];
    assert.ok(used.length <= 64);
    for (const object of used) assert.ok(object.bytes <= 1 << 20);
  };
  for (let length = 0; length <= whole.length; length++) {
    receive(whole.subarray(0, length), MessageType.sharedObject);
    receive(Uint8Array.of(0, ...whole.subarray(0, length)), MessageType.sharedObjectAmf3);
  }
  const random = seeded(20);
  for (let i = 0; i < 2000; i++) {
    const bytes = whole.slice();
    for (let n = 0; n < 3; n++) {
      bytes[Math.floor(random() * bytes.length)] = Math.floor(random() * 256);
    }
    receive(bytes, MessageType.sharedObject);
  }
});
