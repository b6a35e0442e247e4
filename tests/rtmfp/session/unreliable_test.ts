// Messages that may be abandoned never arrive late, out of order or twice.
import assert from "node:assert/strict";
import type { LinkSettings } from "../../support/lossy_link.ts";
import { makePair, METADATA, numbered, numberOf, open } from "../../support/pair.ts";
import { seeded } from "../../support/random.ts";
import { SEEDS } from "../../support/seeds.ts";

const MESSAGES = 60;
const EVERY = 25;
/** Age (ms) at which unsent messages are abandoned. */
const MAX_AGE = 200;
const MOST_DELAY = 70;

interface Scenario {
  readonly link: Omit<LinkSettings, "seed">;
  /** Maximum time (ms) until a loss is detected and reported. */
  readonly notice: number;
}

const delay = [30, MOST_DELAY] as const;
const scenarios: Record<string, Scenario> = {
  "no loss": { link: { delay }, notice: 500 },
  "5 % loss": { link: { delay, loss: 0.05 }, notice: 2500 },
  "20 % loss and duplicates": { link: { delay, loss: 0.2, duplicate: 0.1 }, notice: 4000 },
  "less than half the necessary bandwidth": {
    link: { delay, ordered: true, bandwidth: 100_000, queue: 10_000 },
    notice: 4500,
  },
};

for (const [name, { link, notice }] of Object.entries(scenarios)) {
  Deno.test(`Session delivers unreliable messages in time or not at all over a network with ${name}`, () => {
    let arrived = 0;
    for (let seed = 1; seed <= SEEDS; seed++) {
      const pair = makePair({ seed, ...link });
      const random = seeded(seed);
      open(pair);
      const written: number[] = [];
      const latest = new Map<number, number>();
      let last = -1;
      pair.atClient.onMessage = (message) => {
        const number = numberOf(message);
        assert.ok(number > last, `seed ${seed}: ${number} after ${last}`);
        last = number;
        arrived++;
        latest.set(number, pair.link.now - written[number]);
      };
      const flow = pair.serverSession!.openFlow(METADATA);
      const start = pair.link.now;
      for (let i = 0; i < MESSAGES; i++) {
        const now = pair.link.now;
        written.push(now);
        const length = random() < 0.2 ? 2500 : 500;
        if (flow.queuedMessages >= MAX_AGE / EVERY) flow.abandonUnsent();
        flow.write(numbered(i, length), { reliable: false });
        pair.link.run({ until: start + (i + 1) * EVERY });
      }
      flow.close();
      pair.link.run({ until: pair.link.now + 30_000 });
      assert.equal(flow.state, "closed", `seed ${seed}`);
      assert.equal(pair.atClient.ended, 1, `seed ${seed}`);
      for (const [number, age] of latest) {
        const most = MAX_AGE + MOST_DELAY + notice;
        assert.ok(age <= most, `seed ${seed}: ${number} is ${Math.round(age)} ms old`);
      }
    }
    if (name === "no loss") assert.equal(arrived, SEEDS * MESSAGES);
    else assert.ok(arrived > SEEDS * MESSAGES / 5, `${arrived}`);
  });
}
