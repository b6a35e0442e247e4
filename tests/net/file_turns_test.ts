import assert from "node:assert/strict";
import { FileTurns } from "../../src/net/file_turns.ts";
import { Turns } from "../../src/net/turns.ts";
import { until } from "../support/wait.ts";

/** Operations that the test ends. */
function world(turns: Pick<Turns, "take"> = { take: (action) => void action() }) {
  const files = new FileTurns(turns);
  const ends: ((error?: Error) => void)[] = [];
  const began: number[] = [];
  const run = (number: number) =>
    files.run(() =>
      new Promise<number>((resolve, reject) => {
        began.push(number);
        ends.push((error) => error ? reject(error) : resolve(number));
      })
    );
  return { files, ends, began, run };
}

Deno.test("FileTurns runs at most eight operations at once, in the order of the calls", async () => {
  const { files, ends, began, run } = world();
  const all = Array.from({ length: 300 }, (_, i) => run(i));
  await until(() => began.length === 8, "the first operations");
  assert.equal(files.waiting, 292);
  for (let i = 0; i < 300; i++) {
    await until(() => ends.length > i, `operation ${i}`);
    ends[i]!();
    assert.equal(await all[i], i);
    assert.ok(began.length <= i + 9, `${began.length} began before ${i + 1} ended`);
  }
  assert.deepEqual(began, Array.from({ length: 300 }, (_, i) => i));
  assert.equal(files.waiting, 0);
});

Deno.test("FileTurns starts the next operation after one has failed", async () => {
  const { ends, began, run } = world();
  const all = Array.from({ length: 9 }, (_, i) => run(i));
  await until(() => began.length === 8, "the first operations");
  ends[0]!(new Error("no such file"));
  await assert.rejects(all[0]!, /no such file/);
  await until(() => began.length === 9, "the last operation");
  for (const end of ends.slice(1)) end();
  assert.deepEqual(await Promise.all(all.slice(1)), [1, 2, 3, 4, 5, 6, 7, 8]);
});

Deno.test("FileTurns runs operations for at most 4 ms of each turn of the event loop", async () => {
  let next: (() => void) | undefined;
  let now = 0;
  const { began, ends, run } = world(
    new Turns(() => now, (action, delay) => {
      next = () => {
        now += delay;
        action();
      };
    }),
  );
  const running = Array.from({ length: 100 }, async (_, i) => {
    await run(i);
  });
  let turns = 0;
  const finish = async () => {
    for (let settled = -1; settled !== began.length;) { // until no further operation begins
      settled = began.length;
      for (const end of ends.splice(0)) end();
      for (let i = 0; i < 10; i++) await Promise.resolve();
    }
  };
  for (await finish(); began.length < 100; await finish()) {
    turns++;
    const turn = next;
    next = undefined;
    turn!();
  }
  await Promise.all(running);
  assert.ok(turns >= 3 && turns < 20, `${turns} turns`); // some 26 operations take 4 ms
});
