import assert from "node:assert/strict";
import type { Client } from "../../src/media/client.ts";
import {
  changesOf,
  type PendingChange,
  type SharedObjectChange,
  SharedObjectQueue,
  type SharedObjectUpdate,
  type SharedObjectUser,
} from "../../src/media/shared_object_queue.ts";
import { seeded } from "../support/random.ts";

/** A user with its expected changes, in the simplest implementation. */
class Plain implements SharedObjectUser {
  readonly client = {} as Client;
  readonly expected: SharedObjectChange[] = [];
  readonly heard: SharedObjectChange[] = [];
  update(update: SharedObjectUpdate): void {
    this.heard.push(...changesOf(update));
  }
}

Deno.test("SharedObjectQueue sends each user its changes once and in order, for any order of users", () => {
  for (let seed = 1; seed <= 300; seed++) {
    const next = seeded(seed);
    const random = (below: number) => Math.floor(next() * below);
    const queue = new SharedObjectQueue("o", false);
    const users = new Set([new Plain(), new Plain(), new Plain()]);
    const all = [...users];
    const some = () => [...users][random(users.size)];
    const give = (user: Plain) => {
      const update = queue.take(user, 1);
      if (update) user.update(update);
    };
    for (let step = 0; step < 100; step++) {
      const change = { type: "success", slot: String(step) } as const;
      const told: PendingChange = [
        { change },
        { change, only: some() },
        { change, except: some() },
      ][random(3)];
      queue.add(told);
      for (const user of users) {
        const isTold = told.only ? told.only === user : told.except !== user;
        if (isTold) user.expected.push(change);
      }
      if (random(4) === 0) give(some());
      if (random(20) === 0) {
        for (const user of users) give(user);
        queue.clear();
        assert.deepEqual([queue.events, queue.bytes], [0, 0]);
      }
      if (random(20) === 0) {
        const user = new Plain();
        queue.join(user);
        users.add(user);
        all.push(user);
      }
      if (random(30) === 0 && users.size > 1) {
        const user = some();
        give(user);
        queue.leave(user);
        users.delete(user);
      }
    }
    for (const user of users) give(user);
    for (const user of users) assert.equal(queue.take(user, 1), undefined);
    for (const user of all) assert.deepEqual(user.heard, user.expected, `seed ${seed}`);
  }
});

Deno.test("SharedObjectQueue shares one update among users with the same changes (SO-083)", () => {
  const queue = new SharedObjectQueue("o", true);
  const [one, two, three, late] = [new Plain(), new Plain(), new Plain(), new Plain()];
  queue.add({ change: { type: "clear" }, except: three });
  queue.join(late);
  queue.add({ change: { type: "success", slot: "a" }, only: three });
  queue.add({ change: { type: "remove", slot: "a" } });
  const update = queue.take(one, 7)!;
  assert.equal(queue.take(two, 7), update);
  assert.deepEqual([update.name, update.persistent, update.version], ["o", true, 7]);
  const ofThree = queue.take(three, 7)!;
  assert.deepEqual(changesOf(ofThree).map(({ type }) => type), ["success", "remove"]);
  assert.equal(ofThree.runs.at(-1)!.changes, update.runs[0].changes, "a part of the same list");
  assert.deepEqual(changesOf(queue.take(late, 7)!).map(({ type }) => type), ["remove"]);
  assert.equal(queue.take(late, 7), undefined);
});
