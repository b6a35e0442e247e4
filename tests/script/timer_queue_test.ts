import assert from "node:assert/strict";
import { type Due, TimerQueue } from "../../src/script/api/timer_queue.ts";
import { seeded } from "../support/random.ts";

Deno.test("TimerQueue returns entries by time, and entries of equal time in the order of adding", () => {
  for (let seed = 1; seed <= 50; seed++) {
    const random = seeded(seed);
    const queue = new TimerQueue<number>();
    let model: Due<number>[] = [];
    for (let i = 0; i < 300; i++) {
      const removes = model.length > 0 && random() < 0.4;
      if (removes) {
        const [one] = model.splice(Math.floor(random() * model.length), 1);
        queue.remove(one);
        queue.remove(one);
      } else model.push(queue.add(Math.floor(random() * 20), i));
    }
    assert.equal(queue.size, model.length);
    model = model.sort((a, b) => a.at - b.at || a.value - b.value);
    for (const expected of model) {
      assert.equal(queue.first, expected, `seed ${seed}`);
      queue.remove(expected);
    }
    assert.equal(queue.first, undefined);
  }
});
