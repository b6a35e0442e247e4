import assert from "node:assert/strict";
import { median, numbersOf, quantile } from "../../bench/support/numbers.ts";

Deno.test("numbersOf() reads the requested number of figures, and throws if the text has fewer", () => {
  assert.deepEqual(numbersOf(["80", "1.5", "more"], 2), [80, 1.5]);
  assert.throws(() => numbersOf(["80"], 2), /Cannot read 2 numbers in "80"/);
  assert.throws(() => numbersOf(["80", "many"], 2), /Cannot read 2 numbers in "80 many"/);
});

Deno.test("quantile() and median() sort a copy by value", () => {
  const values = [10, 9, 100, 1];
  assert.equal(quantile(values, 0), 1);
  assert.equal(quantile(values, 0.75), 100);
  assert.equal(median(values), 10);
  assert.equal(median([3, 20, 100]), 20);
  assert.deepEqual(values, [10, 9, 100, 1]);
  assert.equal(median([]), NaN);
});
