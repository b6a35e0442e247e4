import assert from "node:assert/strict";
import { type AckSummary, Congestion } from "../../../src/rtmfp/session/congestion.ts";

let now = 0;

/** Reports one packet a second, so that two losses do not count as one. */
function tell(
  congestion: Congestion,
  before: number,
  acked: number,
  naks: number,
  timeCritical: boolean,
  fastGrow: boolean,
): void {
  now += 1000;
  const used = before >= congestion.window;
  const told: AckSummary = { now, before, used, acked, answered: 1, naks, timeCritical, fastGrow };
  congestion.receive(told);
}

/** A window of about `bytes`, grown in slow start, with nothing known of the path. */
function grown(bytes: number): Congestion {
  const congestion = new Congestion();
  while (congestion.window < bytes) tell(congestion, congestion.window, 1460, -1, false, true);
  return congestion;
}

/** The same, and above the threshold. */
function steady(bytes: number): Congestion {
  const congestion = grown(2 * bytes);
  congestion.measureRtt(100, 0);
  congestion.measureRtt(500, 0); // queues: losses are congestion
  tell(congestion, 2 * bytes, 0, 1, false, true);
  return congestion;
}

Deno.test("Slow start grows by acknowledged bytes, at most 1460 per packet", () => {
  const congestion = new Congestion();
  assert.equal(congestion.window, 4380);
  tell(congestion, 4380, 1000, -1, false, true);
  assert.equal(congestion.window, 5380);
  tell(congestion, 5380, 3000, -1, false, true);
  assert.equal(congestion.window, 6840);
  tell(congestion, 6839, 1000, -1, false, true);
  assert.equal(congestion.window, 6840, "the window was not used");
  tell(congestion, 6840, 1000, 0, false, true);
  assert.equal(congestion.window, 6840, "something is late");
});

Deno.test("Time-critical traffic grows the window by a quarter of the acknowledged bytes, other traffic beside it hardly", () => {
  const critical = new Congestion();
  tell(critical, 4380, 1001, -1, true, false);
  assert.equal(critical.window, 4380 + 251);
  const other = new Congestion();
  for (let i = 0; i < 16; i++) tell(other, other.window, 4380 / 16, -1, false, false);
  assert.equal(other.window, 4380 + 15 * 24, "384 bytes a round trip, and it is one step behind");
});

Deno.test("Above the threshold a round trip adds 768 bytes, or 1 % of a large window", () => {
  const small = steady(30_000);
  const before = small.window;
  assert.equal(before, 30_000);
  for (let i = 0; i < 30; i++) tell(small, small.window, 1000, -1, false, true);
  assert.ok(Math.abs(small.window - before - 768) <= 48, `${small.window - before}`);
  const large = steady(400_000);
  const start = large.window;
  assert.equal(start, 400_000);
  for (let i = 0; i < 400; i++) tell(large, large.window, 1000, -1, false, true);
  assert.ok(Math.abs(large.window - start - 4000) < 100, `${large.window - start}`);
});

Deno.test("A loss by congestion halves the window, or takes an eighth of it for time-critical traffic", () => {
  const congested = () => {
    const congestion = grown(40_000);
    congestion.measureRtt(50, 0);
    congestion.measureRtt(200, 0);
    return congestion;
  };
  const other = congested();
  tell(other, 40_000, 0, 1, false, true);
  assert.equal(other.window, 20_000);
  const critical = congested();
  tell(critical, 40_000, 0, 1, true, false);
  assert.equal(critical.window, 35_000);
  const small = congested();
  tell(small, 5000, 0, 1, false, true);
  assert.equal(small.window, 4380, "never less than at first");
});

/** A path of 300 bytes a millisecond at 100 ms has been measured: it holds 30,000 bytes. */
function measured(congestion: Congestion): Congestion {
  congestion.measureRtt(100, 0);
  for (let now = 0; now <= 300; now += 10) congestion.measureRate(3000, 100, now);
  return congestion;
}

Deno.test("After the start a loss does not shrink a window within the capacity of the path", () => {
  const within = measured(steady(30_000));
  const { window } = within;
  tell(within, window, 1000, 1, false, true);
  assert.equal(window, 30_000);
  assert.equal(within.window, window);
  const beyond = measured(steady(80_000));
  tell(beyond, 80_000, 1000, 1, false, true);
  assert.equal(beyond.window, 40_000);
  for (let i = 0; i < 20; i++) tell(beyond, beyond.window, 1000, 1, false, true);
  assert.equal(beyond.window, 27_000, "but no less than drains the queues");
  const together = measured(steady(80_000));
  for (let i = 0; i < 5; i++, now -= 1000) tell(together, 80_000, 1000, 1, false, true);
  assert.equal(together.window, 40_000, "losses within a round trip count once");
});

Deno.test("Losses end slow start only with a growing queue, or when there are many", () => {
  const started = () => measured(grown(90_000));
  const accident = started();
  tell(accident, 90_000, 1000, 1, false, true);
  assert.ok(accident.window >= 90_000);
  const queued = started();
  queued.measureRtt(150, 300);
  tell(queued, 90_000, 1000, 1, false, true);
  assert.equal(queued.window, 45_000);
  const many = started();
  for (let i = 0; i < 15; i++) tell(many, 90_000, 1000, 1, false, true);
  assert.equal(many.window, 45_000);
});

Deno.test("A timeout leaves one segment if something was lost", () => {
  const congestion = grown(40_000);
  congestion.expire(true);
  assert.equal(congestion.window, 1460);
  const { window } = congestion;
  tell(congestion, window, 1460, -1, false, true);
  assert.equal(congestion.window, 4380, "the least window when something gets through");
  congestion.expire(false);
  assert.equal(congestion.window, 4380);
  congestion.reset();
  assert.equal(congestion.window, 4380);
});
