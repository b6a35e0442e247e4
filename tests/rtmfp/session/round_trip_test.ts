import assert from "node:assert/strict";
import { RoundTrip } from "../../../src/rtmfp/session/round_trip.ts";
import { vector } from "../../support/vectors.ts";

const near = (actual: number, expected: number, what: string) =>
  assert.ok(Math.abs(actual - expected) < 0.001, `${what}: ${actual}, not ${expected}`);

Deno.test("RoundTrip computes round trip and time-outs in ms from echoes as in the vectors", () => {
  const roundTrip = new RoundTrip();
  assert.equal(roundTrip.timeout, 3000);
  assert.equal(roundTrip.smoothed, 0);
  for (const { now, echo, rttMs, srttMs, rttvarMs, mrtoMs, ertoMs } of vector("rtt").cases) {
    assert.equal(roundTrip.receive(undefined, echo, now * 4), rttMs !== null);
    if (rttMs === null) continue;
    assert.equal(roundTrip.latest, rttMs);
    near(roundTrip.smoothed, srttMs, "SRTT");
    near(roundTrip.variance, rttvarMs, "RTTVAR");
    near(roundTrip.measuredTimeout, mrtoMs, "MRTO");
    near(roundTrip.timeout, ertoMs, "ERTO");
  }
});

Deno.test("RoundTrip measures an echo once", () => {
  const roundTrip = new RoundTrip();
  assert.equal(roundTrip.receive(undefined, 10, 80), true);
  assert.equal(roundTrip.receive(undefined, 10, 400), false);
  assert.equal(roundTrip.latest, 40);
});

Deno.test("RoundTrip.backOff() increases the time-out as in the vector, until the next sample", () => {
  const roundTrip = new RoundTrip();
  for (const expected of vector("erto-backoff").ertoMs) {
    near(roundTrip.timeout, expected, "ERTO");
    roundTrip.backOff();
  }
  roundTrip.receive(undefined, 0, 100);
  near(roundTrip.timeout, 100 + 200 + 200, "ERTO");
  for (let i = 0; i < 20; i++) roundTrip.receive(undefined, i + 1, 4 * (i + 1));
  assert.equal(roundTrip.timeout >= 250, true);
  roundTrip.reset();
  assert.equal(roundTrip.timeout, 3000);
});

Deno.test("RoundTrip echoes timestamps as in the vectors", () => {
  for (const { received, elapsedMs, echo } of vector("timestamp-echo").cases) {
    const roundTrip = new RoundTrip();
    assert.equal(roundTrip.echo(5000), undefined);
    roundTrip.receive(received, undefined, 5000);
    assert.equal(roundTrip.echo(5000 + elapsedMs), echo ?? undefined);
    if (echo === null) assert.equal(roundTrip.echo(5000), undefined, "the timestamp is forgotten");
  }
});

Deno.test("RoundTrip counts the time since a timestamp from its first arrival", () => {
  const roundTrip = new RoundTrip();
  roundTrip.receive(100, undefined, 1000);
  roundTrip.receive(100, undefined, 1100);
  roundTrip.receive(undefined, undefined, 1150);
  assert.equal(roundTrip.echo(1200), 150);
  roundTrip.receive(200, undefined, 1200);
  assert.equal(roundTrip.echo(1200), 200);
  assert.equal(roundTrip.isNewer(199), false);
  assert.equal(roundTrip.isNewer(200), true);
  assert.equal(roundTrip.isNewer(32_967), true);
  assert.equal(roundTrip.isNewer(32_968), false);
  assert.equal(roundTrip.isNewer(undefined), true);
});
