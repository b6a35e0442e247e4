import assert from "node:assert/strict";
import { GRAIN, type Timed, TimerWheel } from "../../../src/rtmfp/session/timer_wheel.ts";
import { seeded } from "../../support/random.ts";

class Item implements Timed {
  due = Infinity;
  timerBefore: Timed | undefined;
  timerAfter: Timed | undefined;
  timerSlot = 0;
  wanted = Infinity;
}

Deno.test("TimerWheel fires each timer when it is due, less than one tick late", () => {
  for (let seed = 1; seed <= 200; seed++) {
    const random = seeded(seed);
    let now = random() < 0.5 ? 0 : 1.7e12 + random() * 1e6;
    const items = Array.from({ length: 20 }, () => new Item());
    const wheel = new TimerWheel<Item>((item) => {
      const late = now - item.wanted;
      assert.ok(late >= 0 && late < step + GRAIN, `seed ${seed}: late by ${late} of ${step}`);
      item.wanted = Infinity;
      // Handlers touch other timers.
      if (random() < 0.3) set(items[Math.floor(random() * items.length)]);
      if (random() < 0.2) cancel(items[Math.floor(random() * items.length)]);
    });
    const cancel = (item: Item) => {
      wheel.cancel(item);
      item.wanted = Infinity;
    };
    const set = (item: Item) => {
      const at = now + 1 + random() ** 4 * 900_000; // up to a quarter of an hour
      wheel.schedule(item, at, now);
      item.wanted = Math.min(item.wanted, at);
    };
    let step = 0;
    for (let i = 0; i < 80; i++) {
      const item = items[Math.floor(random() * items.length)];
      if (random() < 0.6) set(item);
      else if (random() < 0.1) cancel(item);
      const earliest = Math.min(...items.map(({ wanted }) => wanted));
      assert.ok(wheel.next <= earliest + GRAIN, `seed ${seed}: would sleep too long`);
      assert.equal(wheel.next === Infinity, earliest === Infinity);
      step = random() < 0.5 ? random() * 30 : random() * 20_000;
      const to = now + step;
      // Wakes up at every deadline, as the event loop does.
      while (wheel.next <= to) {
        step = Math.max(0, wheel.next - now);
        now = Math.max(now, wheel.next);
        step = 0;
        wheel.advance(now);
      }
      now = to;
      wheel.advance(now);
    }
  }
});

Deno.test("TimerWheel fires timers beyond 17 minutes early", () => {
  let called = 0;
  const wheel = new TimerWheel<Item>((item) => {
    called++;
    if (now < 7_200_000) wheel.schedule(item, 7_200_000, now);
  });
  let now = 0;
  wheel.schedule(new Item(), 7_200_000, now);
  while (wheel.next < Infinity) {
    now = wheel.next;
    wheel.advance(now);
  }
  assert.ok(now >= 7_200_000 && now < 7_200_000 + GRAIN, `at ${now}`);
  assert.ok(called < 10, `${called} calls`);
});

Deno.test("TimerWheel keeps the earlier of two times", () => {
  const at: number[] = [];
  let now = 0;
  const wheel = new TimerWheel<Item>(() => at.push(now));
  const item = new Item();
  wheel.schedule(item, 500, now);
  wheel.schedule(item, 900, now);
  wheel.schedule(item, 100, now);
  for (now = 0; now < 1000; now += 4) wheel.advance(now);
  assert.deepEqual(at, [112]);
});
