import assert from "node:assert/strict";
import { NatsInbox } from "../../src/net/nats_inbox.ts";

/** Turns that the test runs. */
function world() {
  const waiting: (() => void)[] = [];
  const state = { busy: true, paused: false };
  const inbox = new NatsInbox({
    take: (action) => {
      if (!state.busy) return void action();
      return new Promise<void>((done) =>
        waiting.push(() => {
          action();
          done();
        })
      );
    },
  }, () => ({ pause: () => state.paused = true, resume: () => state.paused = false }));
  return { inbox, waiting, state };
}

Deno.test("NatsInbox copies messages, and handles them in order in later turns", async () => {
  const { inbox, waiting, state } = world();
  const got: number[][] = [];
  const message = Uint8Array.of(1, 2);
  inbox.add(message, (bytes) => got.push([...bytes]));
  message.fill(9);
  assert.equal(got.length, 0);
  waiting.shift()!();
  state.busy = false;
  inbox.add(message, (bytes) => got.push([...bytes]));
  assert.deepEqual(got, [[1, 2], [9, 9]]);
  await Promise.resolve();
});

Deno.test("NatsInbox stops reading while 1 MiB waits, and drops messages beyond 32 MiB", async () => {
  const { inbox, waiting, state } = world();
  let handled = 0;
  const add = () => inbox.add(new Uint8Array(100_000), () => void handled++);
  for (let i = 0; i < 10; i++) add();
  assert.equal(state.paused, false);
  add();
  assert.equal(state.paused, true);
  for (let i = 0; i < 500; i++) add();
  assert.ok(inbox.waiting <= 32 << 20, `${inbox.waiting}`);
  assert.equal(inbox.dropped, 511 - waiting.length);
  assert.ok(inbox.dropped > 150, `${inbox.dropped}`);
  while (waiting.length > 3) waiting.shift()!();
  for (let i = 0; i < 5; i++) await Promise.resolve();
  assert.equal(state.paused, true, "less than 1 MiB waits");
  while (waiting.length > 0) waiting.shift()!();
  for (let i = 0; i < 5; i++) await Promise.resolve();
  assert.equal(state.paused, false);
  assert.equal(inbox.waiting, 0);
  assert.equal(handled, 511 - inbox.dropped);
});
