import assert from "node:assert/strict";
import {
  History,
  MAX_RATES,
  MAX_SAMPLES,
  RateHistory,
  SAMPLE_INTERVAL,
} from "../../src/monitor/history.ts";

Deno.test("History computes rates between samples, and takes at most one sample per interval", () => {
  const history = new History();
  const sample = (bytes: number, clients: number) => () => ({
    bytesIn: bytes,
    bytesOut: 2 * bytes,
    clients,
  });
  history.add(sample(1_000, 1), 0);
  assert.deepEqual(history.rows().clients, []);
  history.add(() => assert.fail("asked too early"), SAMPLE_INTERVAL - 1);
  history.add(sample(51_000, 2), SAMPLE_INTERVAL);
  history.add(sample(51_000, 3), 3 * SAMPLE_INTERVAL);
  assert.deepEqual(history.rows(), {
    interval: SAMPLE_INTERVAL,
    bytesIn: [5_000, 0],
    bytesOut: [10_000, 0],
    clients: [2, 3],
  });
});

Deno.test("History keeps the samples of 1 h, oldest first", () => {
  const history = new History();
  for (let i = 0; i <= MAX_SAMPLES + 5; i++) {
    history.add(() => ({ bytesIn: 0, bytesOut: 0, clients: i }), i * SAMPLE_INTERVAL);
  }
  const { clients } = history.rows();
  assert.equal(clients.length, MAX_SAMPLES);
  assert.deepEqual(clients.slice(0, 2), [6, 7]);
  assert.equal(clients.at(-1), MAX_SAMPLES + 5);
});

Deno.test("RateHistory takes one sample per interval, and keeps the newest MAX_RATES samples", () => {
  const rates = new RateHistory();
  rates.add(() => 1.6, 0);
  rates.add(() => assert.fail("asked too early"), SAMPLE_INTERVAL - 1);
  for (let i = 1; i <= MAX_RATES; i++) rates.add(() => 10 * i, i * SAMPLE_INTERVAL);
  assert.equal(rates.rows().length, MAX_RATES);
  assert.deepEqual(rates.rows().slice(0, 2), [10, 20]);
});
