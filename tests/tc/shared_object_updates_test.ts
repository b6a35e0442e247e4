import assert from "node:assert/strict";
import { encodeAmf, encodeAmf0 } from "../../src/amf/mod.ts";
import type { SharedObjectChange } from "../../src/media/shared_object_queue.ts";
import { MessageType } from "../../src/tc/format/messages.ts";
import { updateMessage } from "../../src/tc/shared_object_updates.ts";
import { messageText } from "./message_text.ts";

const change = (slot: string, value: unknown): SharedObjectChange => ({
  type: "change",
  slot,
  value: encodeAmf(value as number),
});
const update = (...runs: [SharedObjectChange[], number, number][]) => ({
  name: "o",
  persistent: false,
  version: 3,
  runs: runs.map(([changes, from, to]) => ({ changes, from, to })),
});

Deno.test("updateMessage() joins parts of lists in both forms of AMF (SO-083)", () => {
  const all = [change("a", 1), change("b", "x".repeat(100)), change("c", 3)];
  const own: SharedObjectChange[] = [{ type: "success", slot: "b" }, {
    type: "sendMessage",
    values: encodeAmf0("say", 1),
  }];
  for (const encoding of [0, 3] as const) {
    const text = (...runs: [SharedObjectChange[], number, number][]) =>
      messageText(updateMessage(update(...runs), encoding));
    assert.equal(text([all, 0, 1], [own, 0, 2], [all, 2, 3]), 'o 3: a=1 ok:b "say"(1) c=3');
    assert.equal(text([all, 1, 3]), `o 3: b="${"x".repeat(100)}" c=3`);
  }
});

Deno.test("updateMessage() encodes a list that has grown to its new end", () => {
  const list = [change("a", 1)];
  const first = update([list, 0, 1]);
  assert.equal(messageText(updateMessage(first, 3)), "o 3: a=1");
  list.push(change("b", 2), change("c", 3));
  assert.equal(messageText(updateMessage(update([list, 1, 3]), 3)), "o 3: b=2 c=3");
  assert.equal(messageText(updateMessage(update([list, 0, 3]), 3)), "o 3: a=1 b=2 c=3");
});

Deno.test("updateMessage() encodes an update once for each form of AMF", () => {
  const one = update([[change("a", 1)], 0, 1]);
  assert.equal(updateMessage(one, 3), updateMessage(one, 3));
  assert.equal(updateMessage(one, 0), updateMessage(one, 0));
  assert.equal(updateMessage(one, 3).type, MessageType.sharedObjectAmf3);
  assert.equal(updateMessage(one, 0).type, MessageType.sharedObject);
});

Deno.test("updateMessage() omits values that AMF0 cannot represent", () => {
  const dictionary = Uint8Array.of(0x11, 0x11, 0x01, 0x00);
  const list: SharedObjectChange[] = [
    change("a", 1),
    { type: "change", slot: "d", value: dictionary },
    change("b", 2),
  ];
  assert.equal(messageText(updateMessage(update([list, 0, 3]), 0)), "o 3: a=1 b=2");
  assert.equal(messageText(updateMessage(update([list, 1, 2]), 0)), "o 3:" + " ");
});
