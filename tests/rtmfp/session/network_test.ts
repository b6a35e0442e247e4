// Every reliable message arrives once and in order over any network. Each scenario runs with
// 200 seeds; a failure names the seed that replays it.
import assert from "node:assert/strict";
import { portable } from "../../../src/rtmfp/crypto/portable.ts";
import type { LinkSettings } from "../../support/lossy_link.ts";
import { makePair, METADATA, numbered, numberOf, open, type Pair } from "../../support/pair.ts";
import { seeded } from "../../support/random.ts";
import { SEEDS } from "../../support/seeds.ts";

const MESSAGES = 40;
const UNTIL = 180_000;

interface Scenario {
  readonly name: string;
  readonly link: Omit<LinkSettings, "seed">;
  /** Uses the real cipher, which detects changed bytes. */
  readonly encrypted?: boolean;
  readonly rebindEvery?: number;
  /** Time (ms) during which messages are written. */
  readonly during?: number;
}

const delay = [30, 70] as const;
const scenarios: Scenario[] = [
  { name: "no loss", link: { delay, ordered: true } },
  { name: "1 % loss", link: { delay, ordered: true, loss: 0.01 } },
  { name: "5 % loss", link: { delay, ordered: true, loss: 0.05 } },
  { name: "20 % loss", link: { delay, ordered: true, loss: 0.2 } },
  { name: "delays of 30 to 70 ms that change the order", link: { delay, loss: 0.01 } },
  { name: "duplicates", link: { delay, loss: 0.01, duplicate: 0.2 } },
  { name: "changed bytes", link: { delay, corrupt: 0.05 }, encrypted: true },
  { name: "an MTU of 1280", link: { delay, loss: 0.01, mtu: 1280 } },
  {
    name: "a black-out of 10 s",
    link: { delay, loss: 0.01, blackOut: [1500, 11_500] },
    during: 3000,
  },
  {
    name: "a NAT that forgets every 30 s",
    link: { delay, loss: 0.01 },
    rebindEvery: 30_000,
    during: 70_000,
  },
];

/** Writes numbered messages of many lengths on two flows each way, at random times. */
function talk(pair: Pair, seed: number, during: number): void {
  const random = seeded(seed + 7);
  const sessions = [pair.clientSession!, pair.serverSession!];
  const flows = sessions.flatMap((session) => [
    session.openFlow(METADATA),
    session.openFlow(METADATA, { priority: 1 }),
  ]);
  const numbers = flows.map(() => 0);
  const start = pair.link.now;
  for (let i = 0; i < MESSAGES; i++) {
    const flow = Math.floor(random() * flows.length);
    const length = random() < 0.2 ? random() * 8000 : random() * 400;
    flows[flow].write(numbered(numbers[flow]++, Math.floor(length)));
    pair.link.run({ until: start + during * (i + 1) / MESSAGES });
  }
  for (const flow of flows) flow.close();
}

function check(pair: Pair, what: string): void {
  let count = 0;
  for (const recorder of [pair.atServer, pair.atClient]) {
    assert.deepEqual(recorder.closed, [], what);
    const next = new Map<number, number>();
    for (const { flowId, number } of received.get(recorder)!) {
      assert.equal(number, next.get(flowId) ?? 0, `${what}, flow ${flowId}`);
      next.set(flowId, number + 1);
      count++;
    }
    assert.equal(recorder.ended, recorder.flows.length, `${what}: flows that ended`);
  }
  assert.equal(count, MESSAGES, what);
}

const received = new WeakMap<object, { flowId: number; number: number }[]>();

for (const { name, link, encrypted, rebindEvery, during = 1000 } of scenarios) {
  Deno.test(`Session delivers reliable messages once and in order over a network with ${name}`, () => {
    for (let seed = 1; seed <= SEEDS; seed++) {
      const crypto = encrypted ? { crypto: portable } : {};
      const pair = makePair({ seed, ...link }, { server: crypto, client: crypto, rebindEvery });
      for (const recorder of [pair.atServer, pair.atClient]) {
        const messages: { flowId: number; number: number }[] = [];
        received.set(recorder, messages);
        recorder.onMessage = (message, flow) =>
          messages.push({ flowId: flow.id, number: numberOf(message) });
      }
      open(pair);
      assert.ok(pair.clientSession && pair.serverSession, `seed ${seed}: no session`);
      talk(pair, seed, during);
      const { clientSession, serverSession } = pair;
      const done = () =>
        clientSession.sending.flows.length + serverSession.sending.flows.length === 0;
      pair.link.run({ until: UNTIL, done });
      check(pair, `seed ${seed}`);
    }
  });
}
