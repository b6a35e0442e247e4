import assert from "node:assert/strict";
import { Turns } from "../../src/net/turns.ts";

/** Turns with a virtual clock. */
function world() {
  let now = 0;
  let next: { action: () => void; at: number } | undefined;
  const turns = new Turns(() => now, (action, delay) => {
    assert.equal(next, undefined, "one turn at a time");
    next = { action, at: now + delay };
  });
  return {
    turns,
    spend: (milliseconds: number) => void (now += milliseconds),
    now: () => now,
    /** Runs the next turn. @returns whether a turn was due */
    turn: () => {
      const timer = next;
      next = undefined;
      now = Math.max(now, timer?.at ?? now);
      timer?.action();
      return timer !== undefined;
    },
  };
}

Deno.test("Turns delays actions beyond 4 ms of a turn, in order", async () => {
  const { turns, spend, turn } = world();
  const ran: number[] = [];
  const piece = (number: number) =>
    turns.take(() => {
      ran.push(number);
      spend(3);
    });
  const waits = [1, 2, 3, 4, 5].map(piece);
  assert.deepEqual([ran, waits.map((wait) => wait !== undefined)], [
    [1, 2],
    [false, false, true, true, true],
  ]);
  while (ran.length < 3) turn();
  assert.deepEqual(ran, [1, 2, 3, 4]);
  assert.ok(piece(6), "after waiting actions");
  while (ran.length < 6) turn();
  await Promise.all(waits);
  assert.deepEqual(ran, [1, 2, 3, 4, 5, 6]);
  while (turn());
  assert.equal(piece(7), undefined);
});

Deno.test("Turns limits the number of actions in a turn that take no time", () => {
  const { turns } = world();
  let ran = 0;
  for (let i = 0; i < 1_000; i++) turns.take(() => void ran++);
  assert.ok(ran > 100 && ran < 300, `${ran}`);
});

Deno.test("Turns waits for a quarter of the duration of a long action", () => {
  const { turns, spend, now, turn } = world();
  turns.take(() => spend(400));
  let at = 0;
  turns.take(() => void (at = now()));
  while (at === 0) turn();
  assert.ok(at >= 500 && at < 502, `${at}`);
});

Deno.test("Turns passes an error to the caller of the action, and runs the others", async () => {
  const { turns, spend, turn } = world();
  const fail = () => {
    throw new Error("mine");
  };
  assert.throws(() => turns.take(fail), /mine/);
  turns.take(() => spend(5));
  const failed = turns.take(fail)!;
  let ran = false;
  const other = turns.take(() => void (ran = true));
  while (!ran) turn();
  await assert.rejects(failed, /mine/);
  await other;
  assert.ok(ran);
});
