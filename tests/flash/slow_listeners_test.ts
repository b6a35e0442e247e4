// Listeners with too little bandwidth: their losses, and no effect on others.
import assert from "node:assert/strict";
import type { LineSettings } from "../support/lossy_link.ts";
import { type NetClient, Network, numberedFrame, play, publish } from "./network.ts";

const KEY = [0x17, 1, 0, 0, 0];
const INTER = [0x27, 1, 0, 0, 0];
const FPS = 25;
const GROUP = 50; // frames from key frame to key frame
const WIDE: LineSettings = { delay: [20, 20], bandwidth: 20e6 };
const THIN: LineSettings = { delay: [20, 20], bandwidth: 500e3, queue: 30_000 };
const INSUFFICIENT = "NetStream.Play.InsufficientBW";

interface Outcome {
  /** Numbers of the received frames, and the delay of each in ms. */
  readonly numbers: number[];
  readonly delays: number[];
  readonly dropped: number;
  readonly log: string[];
  /** Maximum length of its queue on the server, in bytes. */
  readonly waited: number;
}

/** Publishes for a time; returns the outcome of each listener, all on separate lines. */
function run(
  listeners: readonly { line: LineSettings; unbuffered?: boolean }[],
  { seconds = 30, bytes = 8000, sendQueue }: {
    seconds?: number;
    bytes?: number;
    sendQueue?: number;
  },
): Outcome[] {
  const network = new Network({ seed: 2 }, {}, sendQueue ? { sendQueue } : {});
  const publisher = network.connect("live", WIDE);
  const clients: NetClient[] = [];
  for (const { line, unbuffered } of listeners) {
    const client = network.connect("live", line);
    clients.push(client);
    client.stream().write(unbuffered ? play("foo", -3) : play("foo"));
  }
  const flow = publisher.stream();
  flow.write(publish("foo"));
  network.pass(2000);
  const here = [...network.hub.publications.get("foo")!.listeners.values()];
  const waited = listeners.map(() => 0);
  const begin = network.link.now;
  for (let i = 0; i < seconds * FPS; i++) {
    network.link.run({ until: begin + i * 1000 / FPS });
    const head = i % GROUP === 0 ? KEY : INTER;
    flow.write(numberedFrame("video", i * 1000 / FPS, head, i, bytes));
    for (const [j, { output }] of here.entries()) {
      waited[j] = Math.max(waited[j], output.queuedBytes);
    }
  }
  network.link.run({ until: begin + seconds * 1000 + 1000 });
  return clients.map(({ came, log }, j) => ({
    numbers: came.map(({ payload }) => new DataView(payload.buffer).getUint32(5)),
    delays: came.map(({ time, at }) => at - begin - time),
    dropped: here[j].videoQos.droppedFrames,
    log,
    waited: waited[j],
  }));
}

/** Counts received frames that lack their key frame or another frame that they refer to. */
function orphans({ numbers }: Outcome): number {
  let count = 0;
  let whole = false;
  for (const [i, number] of numbers.entries()) {
    whole = number % GROUP === 0 || (whole && number === numbers[i - 1] + 1);
    if (!whole) count++;
  }
  return count;
}

Deno.test("A slow buffered listener has a queue of at most 1 MiB, gets a status, and continues at a key frame", () => {
  const sendQueue = 1 << 20;
  const [slow, quick] = run([{ line: THIN }, { line: WIDE }], { sendQueue, seconds: 40 });
  assert.equal(orphans(slow), 0);
  assert.ok(slow.waited > sendQueue / 2, `${slow.waited}`);
  assert.ok(slow.waited <= sendQueue * 1.1, `${slow.waited} of ${sendQueue}`);
  assert.ok(slow.dropped > 100, `${slow.dropped}`);
  assert.ok(slow.log.some((line) => line.includes(INSUFFICIENT)), slow.log.join());
  assert.deepEqual(quick.numbers, Array.from({ length: 40 * FPS }, (_, i) => i));
  assert.equal(quick.dropped, 0);
  assert.ok(!quick.log.some((line) => line.includes(INSUFFICIENT)));
});

Deno.test("A slow buffered listener has a queue of 8 MiB by default", () => {
  const [slow] = run([{ line: THIN }], { seconds: 10, bytes: 60_000 });
  assert.equal(orphans(slow), 0);
  assert.ok(slow.waited > 7 << 20 && slow.waited <= (8 << 20) * 1.02, `${slow.waited}`);
  assert.ok(slow.log.some((line) => line.includes(INSUFFICIENT)));
});

Deno.test("A slow unbuffered listener gets frames from key frames on within 6 s, and counts dropped frames", () => {
  const seconds = 30;
  const [slow, quick] = run(
    [{ line: THIN, unbuffered: true }, { line: WIDE, unbuffered: true }],
    { seconds },
  );
  // Only frames in flight when the server detected a loss.
  assert.ok(orphans(slow) < slow.numbers.length / 5, `${orphans(slow)}`);
  const missing = seconds * FPS - slow.numbers.length;
  assert.ok(missing > 100, `${missing}`);
  const { dropped } = slow;
  assert.ok(dropped > missing / 2 && dropped <= missing, `${dropped} of ${missing} counted`);
  assert.ok(slow.numbers.length > 50, `${slow.numbers.length}`);
  assert.ok(Math.max(...slow.delays) < 6000, `${Math.max(...slow.delays)}`);
  assert.equal(quick.dropped, 0);
  assert.equal(quick.numbers.length, seconds * FPS);
});

Deno.test("Slow listeners delay other listeners by at most 1 ms", () => {
  const others = [{ line: WIDE }, { line: WIDE, unbuffered: true }];
  const alone = run(others, { sendQueue: 1 << 20 });
  const slow = [{ line: THIN }, { line: THIN, unbuffered: true }];
  const together = run([...others, ...slow], { sendQueue: 1 << 20 }).slice(0, others.length);
  for (const [i, { delays, numbers }] of together.entries()) {
    assert.deepEqual(numbers, alone[i].numbers);
    for (const [k, delay] of delays.entries()) {
      assert.ok(Math.abs(delay - alone[i].delays[k]) <= 1, `${delay}, not ${alone[i].delays[k]}`);
    }
  }
});
