import assert from "node:assert/strict";
import { type AckSummary, Congestion } from "../../../src/rtmfp/session/congestion.ts";

let now = 0;

/** Reports one packet per second, so that each loss counts. */
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

/** A window of about `bytes`, grown in slow start, without a measured path. */
function grown(bytes: number): Congestion {
  const congestion = new Congestion();
  while (congestion.window < bytes) tell(congestion, congestion.window, 1460, -1, false, true);
  return congestion;
}

/** A window of about `bytes` above the threshold. */
function steady(bytes: number): Congestion {
  const congestion = grown(2 * bytes);
  congestion.measureRtt(100, 0);
  congestion.measureRtt(500, 0); // queues grow: losses are congestion
  tell(congestion, 2 * bytes, 0, 1, false, true);
  return congestion;
}

Deno.test("Congestion in slow start grows by the acknowledged bytes, at most 1,460 per packet", () => {
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

Deno.test("Congestion grows by a quarter of acknowledged time-critical bytes, and by 384 bytes a round trip beside such traffic", () => {
  const critical = new Congestion();
  tell(critical, 4380, 1001, -1, true, false);
  assert.equal(critical.window, 4380 + 251);
  const other = new Congestion();
  for (let i = 0; i < 16; i++) tell(other, other.window, 4380 / 16, -1, false, false);
  assert.equal(other.window, 4380 + 15 * 24, "384 bytes a round trip, one step late");
});

Deno.test("Congestion above the threshold grows by 768 bytes a round trip, or by 1 % of a large window", () => {
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

Deno.test("Congestion halves its window at a loss, or reduces it by an eighth for time-critical traffic", () => {
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
  assert.equal(small.window, 4380, "not below the initial window");
});

/** A path of 300 bytes a millisecond at 100 ms has been measured: it holds 30,000 bytes. */
function measured(congestion: Congestion): Congestion {
  congestion.measureRtt(100, 0);
  for (let now = 0; now <= 300; now += 10) congestion.measureRate(3000, 100, now);
  return congestion;
}

Deno.test("Congestion keeps a window within the capacity of the path at a loss, and halves a larger one", () => {
  const within = measured(steady(30_000));
  const { window } = within;
  tell(within, window, 1000, 1, false, true);
  assert.equal(window, 30_000);
  assert.equal(within.window, window);
  const beyond = measured(steady(80_000));
  tell(beyond, 80_000, 1000, 1, false, true);
  assert.equal(beyond.window, 40_000);
  for (let i = 0; i < 20; i++) tell(beyond, beyond.window, 1000, 1, false, true);
  assert.equal(beyond.window, 27_000, "not below the window that drains the queues");
  const together = measured(steady(80_000));
  for (let i = 0; i < 5; i++, now -= 1000) tell(together, 80_000, 1000, 1, false, true);
  assert.equal(together.window, 40_000, "losses within a round trip count as one");
});

Deno.test("Congestion ends slow start at a loss with a growing queue, or at 15 losses", () => {
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

Deno.test("Congestion.expire() sets the window to 1,460 bytes if a packet was lost", () => {
  const congestion = grown(40_000);
  congestion.expire(true);
  assert.equal(congestion.window, 1460);
  const { window } = congestion;
  tell(congestion, window, 1460, -1, false, true);
  assert.equal(congestion.window, 4380, "the minimum window after an acknowledgement");
  congestion.expire(false);
  assert.equal(congestion.window, 4380);
  congestion.reset();
  assert.equal(congestion.window, 4380);
});
