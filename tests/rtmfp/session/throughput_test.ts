// Throughput of one session on a link, and of two sessions that share it.
import assert from "node:assert/strict";
import type { Endpoint } from "../../../src/rtmfp/endpoint.ts";
import type { SendFlow } from "../../../src/rtmfp/flow/send_flow.ts";
import { LossyLink, type Node } from "../../support/lossy_link.ts";
import {
  CLIENT,
  EPD,
  makeClient,
  makePair,
  makeServer,
  METADATA,
  numbered,
  open,
  Recorder,
  SERVER,
} from "../../support/pair.ts";
import { SEEDS } from "../../support/seeds.ts";

const MESSAGE = new Uint8Array(10_000);

/** Sends full datagrams at the rate of the link, regardless of losses. */
class FixedRate implements Node {
  deadline = 0;
  constructor(readonly every: number) {}
  receive(): void {}
  flush(now: number, out: { post(length: number, to: typeof SERVER): void }): void {
    for (; this.deadline <= now; this.deadline += this.every) out.post(1192, SERVER);
  }
}

/** Clients that send as fast as they may, started one after the other. */
class Senders {
  readonly link: LossyLink;
  readonly received: number[] = [];
  readonly flows: SendFlow[] = [];
  readonly #server: Endpoint;

  constructor(readonly seed: number, settings: { bandwidth: number; queue: number; loss: number }) {
    this.link = new LossyLink({ seed, delay: [50, 50], ordered: true, ...settings });
    this.#server = makeServer(seed, {
      onSession: ({ address }) => {
        const recorder = new Recorder();
        recorder.bufferCapacity = 4 << 20;
        const i = address.port - CLIENT.port;
        recorder.onMessage = (message) => void (this.received[i] += message.length);
        return recorder;
      },
    });
    this.link.attach(this.#server, SERVER, 0);
  }

  add(): void {
    const i = this.received.push(0) - 1;
    const client = makeClient(1000 * this.seed + i);
    this.link.attach(client, { ...CLIENT, port: CLIENT.port + i }, 1);
    client.connect(EPD, [SERVER], {
      onOpen: (session) => {
        this.flows[i] = session.openFlow(METADATA);
        return new Recorder();
      },
    });
  }

  /** @returns bytes that arrive from each sender until `until` */
  run(until: number): number[] {
    const before = [...this.received];
    while (this.link.now < until) {
      for (const flow of this.flows) {
        while (flow?.queuedBytes < 100_000) flow.write(MESSAGE);
      }
      this.link.run({ until: Math.min(until, this.link.now + 25) });
    }
    return this.received.map((bytes, i) => bytes - before[i]);
  }
}

Deno.test("Session gets 80 % of the throughput of a fixed-rate sender at 10 Mb/s, 50 ms and 1 % loss", () => {
  const settings = { bandwidth: 10e6, queue: 125_000, loss: 0.01 };
  const seconds = 7;
  for (let seed = 1; seed <= SEEDS; seed++) {
    const fixed = new LossyLink({ seed, delay: [50, 50], ...settings });
    fixed.attach({ receive() {}, flush() {}, deadline: Infinity }, SERVER, 0);
    fixed.attach(new FixedRate((1192 + 28) * 8000 / settings.bandwidth), CLIENT, 1);
    fixed.run({ until: seconds * 1000 });
    const senders = new Senders(seed, settings);
    senders.add();
    senders.link.run({ until: 90_000, done: () => senders.flows.length > 0 });
    const [bytes] = senders.run(senders.link.now + seconds * 1000);
    const share = bytes / fixed.delivered[0];
    assert.ok(share >= 0.8, `seed ${seed}: ${(100 * share).toFixed(1)} %`);
  }
});

Deno.test("Two sessions share a link within 2:1 although the second one starts later", () => {
  const byAccident = { bandwidth: 2e6, loss: 0.01, queue: 25_000 };
  const shortQueue = { bandwidth: 2e6, loss: 0, queue: 8_000 };
  for (let seed = 1; seed <= SEEDS; seed++) {
    const senders = new Senders(seed, seed % 2 ? byAccident : shortQueue);
    senders.add();
    senders.run(2000 + 10 * seed);
    senders.add();
    senders.run(10_000);
    const [first, second] = senders.run(20_000);
    const ratio = Math.max(first, second) / Math.min(first, second);
    assert.ok(ratio <= 2, `seed ${seed}: ${ratio.toFixed(2)}`);
    assert.ok(first + second > 0.8 * 10 * 2e6 / 8, `seed ${seed}: the link is not used`);
  }
});

Deno.test("Session sends 500 kB/s when acknowledgements arrive in batches", () => {
  // Datagrams sent at the same time arrive at the same time, and so do their acknowledgements.
  const pair = makePair({ seed: 1, delay: [20, 20] });
  open(pair);
  pair.atServer.bufferCapacity = 1 << 20;
  const flow = pair.clientSession!.openFlow(METADATA);
  const start = pair.link.now;
  for (let i = 1; i <= 500; i++) {
    for (let k = 0; k < 10; k++) flow.write(numbered(i, 1000)); // 500 kB/s
    pair.link.run({ until: start + 20 * i });
  }
  pair.link.run({ until: pair.link.now + 100 });
  assert.equal(pair.atServer.messages.length, 5000);
});
