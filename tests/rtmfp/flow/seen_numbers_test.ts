import assert from "node:assert/strict";
import { SeenNumbers } from "../../../src/rtmfp/flow/seen_numbers.ts";
import { seeded } from "../../support/random.ts";
import { SEEDS } from "../../support/seeds.ts";

/** The expected properties of {@link SeenNumbers}, computed from a set of numbers above 0. */
function summary(numbers: Set<number>): { cumulative: number; ranges: number[] } {
  let cumulative = 0;
  while (numbers.has(cumulative + 1)) cumulative++;
  const ranges: number[] = [];
  for (const number of [...numbers].filter((n) => n > cumulative).sort((a, b) => a - b)) {
    if (ranges.length > 0 && ranges[ranges.length - 1] === number - 1) ranges.pop();
    else ranges.push(number);
    ranges.push(number);
  }
  return { cumulative, ranges };
}

Deno.test("SeenNumbers has the same numbers and ranges as a set", () => {
  for (let seed = 1; seed <= SEEDS; seed++) {
    const random = seeded(seed);
    const seen = new SeenNumbers();
    const numbers = new Set<number>();
    for (let i = 0; i < 60; i++) {
      const number = 1 + Math.floor(random() * 50);
      if (random() < 0.9) {
        assert.equal(seen.has(number), numbers.has(number), `seed ${seed}: has ${number}`);
        assert.ok(seen.add(number, 1000));
        numbers.add(number);
      } else {
        const upTo = Math.floor(number / 4);
        let added = 0;
        for (let n = 1; n <= upTo; n++) {
          if (!numbers.has(n)) added++;
          numbers.add(n);
        }
        assert.equal(seen.addUpTo(upTo), added, `seed ${seed}: up to ${upTo}`);
      }
      const { cumulative, ranges } = seen;
      assert.deepEqual({ cumulative, ranges: [...ranges] }, summary(numbers), `seed ${seed}`);
      assert.equal(seen.gap, ranges.length > 0);
    }
  }
});

Deno.test("SeenNumbers at its limit accepts numbers that extend a range", () => {
  const seen = new SeenNumbers();
  for (const number of [2, 5, 8]) assert.ok(seen.add(number, 3));
  assert.equal(seen.add(11, 3), false);
  assert.equal(seen.has(11), false);
  assert.ok(seen.add(9, 3));
  assert.ok(seen.add(1, 3));
  assert.ok(seen.add(11, 3));
  assert.deepEqual([seen.cumulative, ...seen.ranges], [2, 5, 5, 8, 9, 11, 11]);
});
