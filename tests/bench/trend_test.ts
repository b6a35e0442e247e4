import assert from "node:assert/strict";
import { floors, isFlat, secondHalf, trend } from "../../bench/support/trend.ts";

const every = (seconds: number, values: number[]) =>
  values.map((value, i) => ({ at: i * seconds * 1000, value }));

Deno.test("trend() fits a line through samples, with its slope per hour", () => {
  const { mean, perHour, growth } = trend(every(60, [10, 20, 30, 40, 50]));
  assert.deepEqual({ mean, perHour: Math.round(perHour), growth: Math.round(growth) }, {
    mean: 30,
    perHour: 600,
    growth: 40,
  });
});

Deno.test("trend() of floors() reports no growth for collected garbage", () => {
  const saw = Array.from(
    { length: 600 },
    (_, i) => 100 + (i % 6) * 20 + (i > 580 ? 90 : 0) * +(i % 6 > 0),
  );
  const samples = floors(every(5, saw), 30_000);
  assert.equal(samples.length, 100);
  assert.equal(isFlat(trend(samples), 0.05, 0), true);
  const leaking = floors(every(5, saw.map((value, i) => value + i)), 30_000);
  assert.equal(isFlat(trend(secondHalf(leaking)), 0.05, 0), false);
});

Deno.test("secondHalf() returns the samples of the later half of the time, and trend() needs two samples", () => {
  assert.deepEqual(secondHalf(every(10, [1, 2, 3, 4, 5])).map(({ value }) => value), [3, 4, 5]);
  assert.deepEqual(secondHalf([]), []);
  assert.equal(trend(every(1, [7])).growth, 0);
});
