import assert from "node:assert/strict";
import { Network, numberedFrame, play, publish } from "./network.ts";

const KEY = [0x17, 1, 0, 0, 0];
const INTER = [0x27, 1, 0, 0, 0];

const near = (value: number, expected: number, share = 0.1) =>
  assert.ok(Math.abs(value - expected) <= expected * share, `${value}, not ${expected}`);

Deno.test("quality of service agrees with the network, at the publisher and at the listener", () => {
  const delay = 80;
  const loss = 0.04;
  const network = new Network({ seed: 7, delay: [delay, delay] });
  const publisher = network.connect();
  const listener = network.connect();
  const flow = publisher.stream();
  flow.write(publish("foo"));
  listener.stream().write(play("foo"));
  network.pass(2000);
  const begin = network.link.now;
  let count = 0;
  let lost = 0; // every 25th datagram with a frame in it, on its way to the listener
  network.link.tap = (datagram, _from, to) => {
    if (to.hostname !== listener.address.hostname || datagram.length < 500) return true;
    return ++count % (1 / loss) !== 0 || (lost++, false);
  };
  const bytes = 1000;
  for (let i = 0; i < 250; i++) { // 25 frames a second
    network.link.run({ until: begin + i * 40 });
    flow.write(numberedFrame("video", i * 40, KEY, i, bytes));
  }
  network.link.run({ until: begin + 10_000 });
  const { videoQos, listeners } = network.hub.publications.get("foo")!;
  const [{ videoQos: out }] = listeners.values();
  near(videoQos.byteRate, bytes * 25);
  assert.equal(videoQos.lostRate, 0);
  near(videoQos.latency, delay);
  assert.ok(Math.abs(videoQos.congestionRate) < 0.02, `${videoQos.congestionRate}`);
  near(out.byteRate, bytes * 25);
  assert.ok(lost >= 10);
  near(out.lostRate, loss, 0.15); // one fragment more or less at the edges of 5 s
  near(out.latency, delay);
  near(out.congestionRate, loss, 0.15); // the delay does not grow
  near([...network.server.connections()][0].ping, 2 * delay);
});

Deno.test("a line that cannot take the rate shows as congestion, with a growing latency", () => {
  const network = new Network({ seed: 5, delay: [20, 30], ordered: true, bandwidth: 400_000 });
  const publisher = network.connect();
  const listener = network.connect();
  const flow = publisher.stream();
  flow.write(publish("foo"));
  listener.stream().write(play("foo"));
  network.pass(2000);
  const begin = network.link.now;
  for (let i = 0; i < 200; i++) { // 800 kbit/s: each second of media takes two
    network.link.run({ until: begin + i * 40 });
    flow.write(numberedFrame("video", i * 40, KEY, i, 4000));
  }
  const { videoQos } = network.hub.publications.get("foo")!;
  near(videoQos.byteRate, 50_000, 0.2);
  assert.ok(videoQos.congestionRate > 0.4 && videoQos.congestionRate <= 1);
  assert.ok(videoQos.latency > 3000, `${videoQos.latency}`);
});

Deno.test("a listener on a thin line is dropped to key frames and told; the others get all, in time", () => {
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
  // The line of the slow one takes 40 datagrams a second and loses the rest.
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
  // What comes after a gap comes from a key frame on.
  const numbers = slow.came.map(({ time }) => time / 40);
  for (const [i, number] of numbers.entries()) {
    assert.ok(
      number % 50 === 0 || numbers[i - 1] === number - 1,
      `${number} after ${numbers[i - 1]}`,
    );
  }
});
