import assert from "node:assert/strict";
import { sameAddress } from "../../src/common/address.ts";
import type { LineSettings } from "../support/lossy_link.ts";
import { Network, numberedFrame, play, publish } from "./network.ts";

const KEY = [0x17, 1, 0, 0, 0];
const INTER = [0x27, 1, 0, 0, 0];

/** Asserts that a figure is within 10 % of the expected one. */
const near = (value: number, expected: number, what = "") =>
  assert.ok(Math.abs(value - expected) <= expected / 10, `${what} ${value}, not ${expected}`);

interface Case {
  /** The line of the publisher and that of the listener. */
  readonly up: LineSettings;
  readonly down: LineSettings;
  /** One of this number of media datagrams is lost, upstream and downstream. */
  readonly lost?: readonly [number, number];
  /** The publisher resends no lost frame. */
  readonly unreliable?: boolean;
  readonly bytes?: number;
  /** Frames a second. */
  readonly fps?: number;
  readonly seconds?: number;
}

/** Publishes and plays over two lines; returns the figures of both. */
function measure(
  { up, down, lost, unreliable = false, bytes = 4000, fps = 25, seconds = 20 }: Case,
) {
  const network = new Network({ seed: 7 });
  const publisher = network.connect("live", up);
  const listener = network.connect("live", down);
  const flow = publisher.stream();
  const video = publisher.session!.openFlow(flow.metadata, { association: publisher.answers });
  flow.write(publish("foo"));
  listener.stream().write(play("foo"));
  network.pass(2000);
  const counts = [0, 0];
  network.link.tap = (datagram, from, to) => {
    if (!lost || datagram.length < 500) return true;
    if (sameAddress(from, publisher.address)) return ++counts[0] % lost[0] !== 0;
    return !sameAddress(to, listener.address) || ++counts[1] % lost[1] !== 0;
  };
  const begin = network.link.now;
  for (let i = 0; i < seconds * fps; i++) {
    network.link.run({ until: begin + i * 1000 / fps });
    video.write(numberedFrame("video", i * 1000 / fps, KEY, i, bytes), { reliable: !unreliable });
  }
  network.link.run({ until: begin + seconds * 1000 });
  network.hub.now = network.link.now;
  const publication = network.hub.publications.get("foo")!;
  const [{ videoQos: out }] = publication.listeners.values();
  const [first, second] = [...network.server.connections()].map(({ ping }) => ping);
  return { in: publication.videoQos, out, rate: bytes * fps, pings: [first, second] };
}

const delays = [[40, 15], [80, 30], [20, 120], [150, 60]];

for (const [up, down] of delays) {
  Deno.test(`QualityOfService measures byte rate, latency and ping over lines of ${up} ms upstream and ${down} ms downstream`, () => {
    const { in: into, out, rate, pings } = measure({
      up: { delay: [up, up] },
      down: { delay: [down, down] },
    });
    for (const [qos, delay, ping] of [[into, up, pings[0]], [out, down, pings[1]]] as const) {
      near(qos.byteRate, rate, "byteRate");
      assert.equal(qos.lostRate, 0);
      near(qos.latency, delay, "latency");
      assert.ok(Math.abs(qos.congestionRate) < 0.01, `${qos.congestionRate}`);
      near(ping, 2 * delay, "ping");
    }
  });
}

Deno.test("QualityOfService measures losses of 4 % upstream and 5 % downstream within 10 %", () => {
  const { in: into, out, rate } = measure({
    up: { delay: [80, 80] },
    down: { delay: [30, 30] },
    lost: [25, 20],
    unreliable: true,
    bytes: 1000, // each in one fragment
    fps: 100,
  });
  near(into.lostRate, 0.04, "lostRate in");
  near(out.lostRate, 0.05, "lostRate out");
  near(into.latency, 80, "latency in");
  near(into.congestionRate, 0.04, "congestionRate in");
  near(into.byteRate, 0.96 * rate, "byteRate in");
  near(out.byteRate, 0.96 * rate, "byteRate out"); // reliable: all that came
});

const LIMIT = 400_000;

for (const way of ["up", "down"] as const) {
  Deno.test(`QualityOfService reports congestion and latency of a ${way}stream line slower than the stream`, () => {
    const thin = { delay: [20, 20], bandwidth: LIMIT } as const;
    const wide = { delay: [20, 20] } as const;
    const seconds = 20;
    const figures = measure({ up: wide, down: wide, [way]: thin, seconds });
    const qos = way === "up" ? figures.in : figures.out;
    near(qos.byteRate, LIMIT / 8, "byteRate");
    const growth = 1 - qos.byteRate / figures.rate; // of the delay, for each second
    near(qos.congestionRate, growth, "congestionRate");
    near(qos.latency, growth * seconds * 1000, "latency");
    if (way === "down") near(figures.in.byteRate, figures.rate, "the publisher notices nothing");
  });
}

Deno.test("A listener on a slow line gets key frames and a status, and another listener gets every frame in time", () => {
  const network = new Network({ seed: 3, delay: [15, 25], ordered: true }, {}, {
    sendQueue: 1 << 20,
  });
  const publisher = network.connect();
  const slow = network.connect();
  const quick = network.connect();
  const flow = publisher.stream();
  flow.write(publish("foo"));
  slow.stream().write(play("foo"));
  quick.stream().write(play("foo"));
  network.pass(2000);
  // The slow listener's line passes 40 datagrams a second and loses the rest.
  let allowed = 0;
  let since = network.link.now;
  network.link.tap = (_datagram, _from, to) => {
    if (to.hostname !== slow.address.hostname) return true;
    allowed = Math.min(10, allowed + (network.link.now - since) * 0.04);
    since = network.link.now;
    return allowed >= 1 && allowed-- > 0;
  };
  const begin = network.link.now;
  const frames = 400;
  for (let i = 0; i < frames; i++) { // 25 frames a second of 10 kB: 2 Mbit/s
    network.link.run({ until: begin + i * 40 });
    flow.write(numberedFrame("video", i * 40, i % 50 === 0 ? KEY : INTER, i, 10_000));
  }
  network.link.run({ until: begin + frames * 40 + 2000 });
  assert.deepEqual(
    quick.came.map(({ time }) => time),
    Array.from({ length: frames }, (_, i) => i * 40),
  );
  const settled = quick.came.filter(({ time }) => time > 4000); // the publisher's line has to open up
  assert.ok(settled.every(({ at, time }) => at - begin - time < 300));
  assert.ok(
    slow.log.some((line) => line.includes("NetStream.Play.InsufficientBW")),
    slow.log.join(),
  );
  const [first, second] = network.hub.publications.get("foo")!.listeners.values();
  assert.ok(first.videoQos.droppedFrames > 50, `${first.videoQos.droppedFrames}`);
  assert.equal(second.videoQos.droppedFrames, 0);
  // After a gap frames continue at a key frame.
  const numbers = slow.came.map(({ time }) => time / 40);
  for (const [i, number] of numbers.entries()) {
    assert.ok(
      number % 50 === 0 || numbers[i - 1] === number - 1,
      `${number} after ${numbers[i - 1]}`,
    );
  }
});
