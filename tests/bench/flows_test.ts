// The load generator's flows must neither lose nor invent data, or its figures are wrong.
import assert from "node:assert/strict";
import { assembling, InFlow, OutFlow, type Sent } from "../../bench/load/flows.ts";
import { Ack } from "../../src/rtmfp/wire/ack.ts";
import { UserData } from "../../src/rtmfp/wire/user_data.ts";
import { readFlowOptions } from "../../src/rtmfp/wire/flow_options.ts";
import { seeded } from "../support/random.ts";

/** A sending flow whose fragments are kept instead of sent. */
function sender() {
  const sent: Sent[] = [];
  const flow: OutFlow = new OutFlow(5, Uint8Array.of(1, 2), 3, (_flow, piece) => sent.push(piece));
  return { flow, sent };
}

function message(length: number, first: number): Uint8Array {
  return Uint8Array.from({ length }, (_, i) => first + i);
}

Deno.test("InFlow receives the messages of OutFlow complete and in order despite loss, duplication and reordering", () => {
  for (let seed = 1; seed <= 100; seed++) {
    const random = seeded(seed);
    const { flow, sent } = sender();
    const received: Uint8Array[] = [];
    const incoming = new InFlow(5, assembling((bytes) => received.push(bytes.slice())));
    const chunk = new UserData();
    const ack = new Ack();
    const wanted = Array.from({ length: 30 }, (_, i) => message(Math.floor(random() * 5000), i));
    let now = 0;
    for (const bytes of wanted) flow.write(bytes, now);
    for (let round = 0; received.length < wanted.length; round++) {
      assert.ok(round < 1000, `seed ${seed}`);
      const batch = sent.splice(0).sort(() => random() - 0.5);
      for (const piece of batch) {
        if (random() < 0.3) continue;
        for (let copies = random() < 0.1 ? 2 : 1; copies > 0; copies--) {
          incoming.receive(flow.fill(chunk, piece));
          if (random() < 0.5) continue;
          ack.cumulativeAck = incoming.cumulative;
          ack.ranges.length = 0;
          ack.ranges.push(...incoming.ranges);
          if (random() < 0.8) flow.acknowledge(ack, now);
        }
      }
      now += 400;
      flow.tick(now);
    }
    assert.deepEqual(received, wanted, `seed ${seed}`);
  }
});

Deno.test("OutFlow repeats the options of its flow until the first acknowledgement", () => {
  const { flow, sent } = sender();
  flow.write(message(10, 0), 0);
  const chunk = flow.fill(new UserData(), sent[0]);
  assert.deepEqual(readFlowOptions(chunk.options!).association, 3);
  flow.write(message(10, 0), 0);
  const ack = new Ack();
  ack.cumulativeAck = 1;
  flow.acknowledge(ack, 0);
  const second = flow.fill(new UserData(), sent[1]);
  assert.deepEqual([second.options, second.sequence, second.fsn], [undefined, 2, 1]);
});

Deno.test("OutFlow sends a fragment again after acknowledgements of three later ones", () => {
  const { flow, sent } = sender();
  for (let i = 0; i < 5; i++) flow.write(message(10, i), 0);
  const ack = new Ack();
  ack.cumulativeAck = 1;
  for (const last of [3, 4, 5]) {
    assert.equal(flow.resent, 0);
    ack.ranges.length = 0;
    ack.ranges.push(3, last);
    flow.acknowledge(ack, 10);
  }
  assert.equal(flow.resent, 1);
  assert.equal(sent.at(-1)!.sequence, 2);
});

Deno.test("InFlow skips sequence numbers that the sender abandoned", () => {
  const seen: number[] = [];
  const flow = new InFlow(1, (_part, data) => seen.push(data[0]));
  const chunk = new UserData();
  const receive = (sequence: number, fsn: number, abandoned = false) => {
    Object.assign(chunk, { sequence, fsn, abandoned, data: Uint8Array.of(sequence) });
    return flow.receive(chunk);
  };
  assert.equal(receive(1, 0), false);
  assert.equal(receive(4, 0), true);
  assert.deepEqual([flow.cumulative, flow.ranges], [1, [4, 4]]);
  receive(6, 0);
  assert.deepEqual(flow.ranges, [4, 4, 6, 6]);
  receive(3, 3, true);
  assert.deepEqual([flow.cumulative, flow.ranges, seen], [4, [6, 6], [1, 4]]);
  receive(5, 5, true);
  assert.deepEqual([flow.cumulative, flow.ranges, seen], [6, [], [1, 4, 6]]);
});
