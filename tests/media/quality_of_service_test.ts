import assert from "node:assert/strict";
import { QualityOfService } from "../../src/media/quality_of_service.ts";
import { Frame } from "../../src/media/frame.ts";
import { FakeOutput, world } from "./fakes.ts";

function meter() {
  const clock = { now: 1000 };
  const qos = new QualityOfService(clock);
  /** Sends `count` messages, one each `every` ms of media time, arriving `delay(i)` late. */
  const run = (
    count: number,
    { every = 20, bytes = 100, received = 1, lost = 0, delay = (_i: number) => 0 },
    ping = 100,
  ) => {
    const start = clock.now;
    for (let i = 0; i < count; i++) {
      clock.now = start + i * every + delay(i);
      qos.add({ time: start + i * every, bytes, received, lost, ping });
    }
  };
  return { clock, qos, run };
}

const near = (value: number, expected: number, share = 0.05) =>
  assert.ok(Math.abs(value - expected) <= Math.abs(expected) * share, `${value}, not ${expected}`);

Deno.test("QualityOfService figures are 0 before the first arrival and after reset()", () => {
  const { qos, run } = meter();
  const zero = () => {
    assert.deepEqual(
      [qos.byteRate, qos.lostRate, qos.congestionRate, qos.latency, qos.droppedFrames],
      [0, 0, 0, 0, 0],
    );
  };
  zero();
  run(500, { lost: 1, delay: (i) => i });
  qos.droppedFrames = 4;
  assert.ok(qos.byteRate > 0 && qos.lostRate > 0 && qos.congestionRate > 0 && qos.latency > 0);
  qos.reset();
  zero();
});

Deno.test("QualityOfService.byteRate averages bytes over the last 5 s, or since the first arrival", () => {
  const { clock, qos, run } = meter();
  run(51, {}); // one second
  near(qos.byteRate, 5000);
  run(450, {});
  near(qos.byteRate, 5000);
  run(500, { bytes: 1000 }); // nothing of the past is left
  near(qos.byteRate, 50_000);
  clock.now += 2500;
  near(qos.byteRate, 25_000, 0.1);
  clock.now += 2600;
  assert.equal(qos.byteRate, 0);
});

Deno.test("QualityOfService.lostRate is the share of lost fragments among lost and received ones over the last 5 s", () => {
  const { clock, qos, run } = meter();
  run(500, { received: 3, lost: 1 });
  near(qos.lostRate, 0.25, 0.001);
  run(500, { received: 4, lost: 0 });
  assert.equal(qos.lostRate, 0);
  clock.now += 6000;
  assert.equal(qos.lostRate, 0);
});

Deno.test("QualityOfService.latency is half a round trip, plus the delay in ms of an arrival against the earliest one", () => {
  const { qos, run } = meter();
  run(100, { delay: (i) => i }, 60);
  assert.equal(qos.latency, 30 + 99);
  const steady = meter();
  steady.run(100, {}, 60);
  assert.equal(steady.qos.latency, 30);
  const drained = meter();
  drained.run(100, { delay: (i) => 99 - i }, 60);
  assert.equal(drained.qos.latency, 30);
  drained.run(100, { delay: (i) => i }, 60);
  assert.ok(drained.qos.latency >= 30 + 99);
  const late = meter();
  late.run(100, { delay: (i) => i === 0 ? 500 : 0 }, 60);
  assert.equal(late.qos.latency, 30, "that the first one was late says nothing of the line");
});

Deno.test("QualityOfService.congestionRate measures growing delay and loss from -1 to 1", () => {
  const growing = meter();
  growing.run(500, { delay: (i) => i * 4 }); // 4 ms later with each 24
  near(growing.qos.congestionRate, 4 / 24);
  const steady = meter();
  steady.run(500, {});
  assert.equal(steady.qos.congestionRate, 0);
  const spare = meter();
  spare.run(500, { delay: (i) => 5000 - i * 10 });
  near(spare.qos.congestionRate, -1, 0.001);
  const lossy = meter();
  lossy.run(500, { received: 1, lost: 1 });
  near(lossy.qos.congestionRate, 0.5, 0.001);
});

Deno.test("QualityOfService measures latency while media times wrap at 2^32 ms", () => {
  const { clock, qos } = meter();
  for (let i = 0; i < 100; i++) {
    clock.now = 1000 + i * 20;
    qos.add({ time: (0xffffffff - 1000 + i * 20) >>> 0, bytes: 1, received: 1, lost: 0, ping: 40 });
  }
  assert.equal(qos.latency, 20);
});

Deno.test("Publication measures the quality of its publisher, and resets it for the next publisher", () => {
  const { hub, client } = world();
  const publish = () => hub.publish(client(), "a", 1, new FakeOutput());
  const publisher = publish();
  for (let i = 0; i < 250; i++) {
    hub.now += 20;
    const lost = i % 10 === 0 ? 1 : 0;
    publisher.audio(new Frame("audio", i * 20, new Uint8Array(200)), {
      received: 1,
      lost,
      ping: 80,
    });
  }
  const { audioQos, videoQos } = publisher.publication;
  near(audioQos.byteRate, 10_000, 0.1);
  near(audioQos.lostRate, 1 / 11, 0.05);
  assert.equal(audioQos.latency, 40);
  assert.equal(videoQos.byteRate, 0);
  hub.unpublish(publisher);
  assert.equal(audioQos.byteRate, 0);
  publish();
  assert.equal(audioQos.latency, 0);
});
