import assert from "node:assert/strict";
import { WireError } from "../../../src/bytes/wire_error.ts";
import {
  readSharedObject,
  type SharedObjectMessage,
  writeSharedObject,
} from "../../../src/tc/format/shared_object.ts";
import { seeded } from "../../support/random.ts";

const bytes = (hex: string) =>
  Uint8Array.from(hex.replaceAll(/\s/g, "").match(/../g) ?? [], (pair) => parseInt(pair, 16));

/** Written out by hand from RTMP 1.0 §7.1.3: "so", version 3, persistent; x = 5 and release. */
const HAND = bytes(`
  0002 736f 00000003 00000002 00000000
  03 0000000c 0001 78 00 4014000000000000
  02 00000000`);
const EVERY: SharedObjectMessage = {
  name: "chat/users",
  version: 7,
  persistent: false,
  events: [
    { type: "use" },
    { type: "requestChange", slot: "ä", value: bytes("05") },
    { type: "change", slot: "b", value: bytes("1104 05") },
    { type: "success", slot: "b" },
    { type: "sendMessage", values: bytes("02 0001 68 05") },
    { type: "status", code: "SharedObject.NoReadAccess", level: "error" },
    { type: "clear" },
    { type: "remove", slot: "b" },
    { type: "requestRemove", slot: "b" },
    { type: "useSuccess" },
    { type: "release" },
  ],
};

Deno.test("readSharedObject() and writeSharedObject() agree with bytes written by hand (SO-001, SO-004)", () => {
  const message: SharedObjectMessage = {
    name: "so",
    version: 3,
    persistent: true,
    events: [
      { type: "requestChange", slot: "x", value: bytes("00 4014000000000000") },
      { type: "release" },
    ],
  };
  assert.deepEqual(readSharedObject(HAND, false, 10), message);
  assert.deepEqual(writeSharedObject(message, false), HAND);
});

Deno.test("readSharedObject() reads all eleven events of types 16 and 19", () => {
  for (const amf3 of [false, true]) {
    assert.deepEqual(readSharedObject(writeSharedObject(EVERY, amf3), amf3, 11), EVERY);
  }
  assert.equal(writeSharedObject(EVERY, true)[0], 0);
});

Deno.test("readSharedObject() reads one event that sets several slots (SO-013)", () => {
  const pairs = bytes(
    "0001 61 00000000 00000000 00000000 03 0000000a 0001 78 11 0405 0001 79 05",
  );
  assert.deepEqual(readSharedObject(pairs, false, 2).events, [
    { type: "requestChange", slot: "x", value: bytes("11 0405") },
    { type: "requestChange", slot: "y", value: bytes("05") },
  ]);
  assert.throws(() => readSharedObject(pairs, false, 1), WireError);
});

Deno.test("readSharedObject() skips unknown events, and refuses other formats (SO-024)", () => {
  const head = "0001 61 00000000 00000000 00000000";
  assert.deepEqual(
    readSharedObject(bytes(`${head} 63 00000002 abcd 02 00000000`), false, 5).events,
    [
      { type: "release" },
    ],
  );
  assert.throws(() => readSharedObject(bytes(`03 ${head}`), true, 5), WireError);
});

Deno.test("readSharedObject() returns a message or throws WireError for truncated or mutated bytes", () => {
  const whole = writeSharedObject(EVERY, true);
  const random = seeded(1);
  for (let i = 0; i < 3000; i++) {
    const mutated = whole.slice(0, i < whole.length ? i : whole.length);
    if (i >= whole.length) {
      mutated[Math.floor(random() * mutated.length)] = Math.floor(random() * 256);
    }
    try {
      assert.ok(readSharedObject(mutated, true, 100).events.length <= 100);
    } catch (error) {
      assert.ok(error instanceof WireError, String(error));
    }
  }
});
