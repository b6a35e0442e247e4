import assert from "node:assert/strict";
import {
  MAX_WAITING,
  type WaitingApplication,
  WaitingInput,
} from "../../src/media/waiting_input.ts";

function world() {
  const waiting = new WaitingInput();
  const done: string[] = [];
  const busy = new Set<string>(["a", "b"]);
  const application = (name: string): WaitingApplication => ({ waits: () => busy.has(name) });
  const add = (to: WaitingApplication, owner: object, text: string, bytes = 0) =>
    waiting.add(to, owner, bytes, () => done.push(text));
  return { waiting, done, busy, a: application("a"), b: application("b"), add };
}

Deno.test("WaitingInput delivers the input of each application in order, once the application is no longer busy", () => {
  const { waiting, done, busy, a, b, add } = world();
  const [one, two, three] = [{}, {}, {}];
  add(a, one, "a1");
  add(b, three, "b1");
  add(a, two, "a2");
  add(a, one, "a3");
  assert.equal(waiting.deadline, 0);
  waiting.flush(0);
  assert.deepEqual(done, []);
  assert.equal(waiting.deadline, 10);
  busy.delete("a");
  waiting.flush(5);
  assert.deepEqual(done, []);
  waiting.flush(10);
  assert.deepEqual(done, ["a1", "a2", "a3"]);
  assert.deepEqual([one, two, three].map((owner) => waiting.holds(owner)), [false, false, true]);
  busy.delete("b");
  waiting.flush(20);
  assert.equal(waiting.deadline, Infinity);
  assert.deepEqual(done, ["a1", "a2", "a3", "b1"]);
});

Deno.test("WaitingInput stops delivering input to an application that becomes busy meanwhile", () => {
  const { waiting, done, busy, a } = world();
  busy.delete("a");
  for (let i = 0; i < 5; i++) {
    waiting.add(a, {}, 0, () => {
      done.push(`${i}`);
      if (i === 1) busy.add("a");
    });
  }
  waiting.flush(0);
  assert.deepEqual(done, ["0", "1"]);
});

Deno.test("WaitingInput refuses more than 4,096 messages or 4 MiB of one client, and more than 64 MiB of all clients", () => {
  const { a, add } = world();
  const owner = {};
  assert.equal(add(a, owner, "large", MAX_WAITING.bytes), false);
  let messages = 0;
  while (add(a, owner, "")) messages++;
  assert.equal(messages, MAX_WAITING.messages);
  let owners = 0;
  while (add(a, {}, "", MAX_WAITING.bytes - 1000)) owners++;
  assert.ok(owners >= 14 && owners <= 16, `${owners}`);
});

Deno.test("WaitingInput releases the input of each of 200 disconnected clients", () => {
  const { waiting, done, busy, a, add } = world();
  const kept = {};
  add(a, kept, "kept");
  for (let i = 0; i < 200; i++) {
    const owner = {};
    const payload = new Uint8Array(1 << 20);
    assert.equal(waiting.add(a, owner, payload.length, () => done.push(`${payload.length}`)), true);
    waiting.drop(owner);
    assert.equal(waiting.holds(owner), false);
  }
  assert.ok(waiting.dropped <= 5 << 20, `${waiting.dropped} bytes of clients that are gone`);
  busy.delete("a");
  waiting.flush(0);
  assert.deepEqual(done, ["kept"]);
});

Deno.test("WaitingInput delivers the next input after one throws", () => {
  const { waiting, done, busy, a, add } = world();
  waiting.add(a, {}, 0, () => {
    throw new Error("a bug");
  });
  add(a, {}, "next");
  busy.delete("a");
  assert.throws(() => waiting.flush(0), /a bug/);
  waiting.flush(10);
  assert.deepEqual(done, ["next"]);
});
