// API-260: messages of one writer arrive in writing order over any network.
import assert from "node:assert/strict";
import { encodeAmf } from "../../src/amf/mod.ts";
import type { FlowWriter } from "../../src/media/connection.ts";
import type { LineSettings } from "../support/lossy_link.ts";
import { seeded } from "../support/random.ts";
import { Network } from "./network.ts";

const WRITERS = 5;
const MESSAGES = 60;

const lines: Record<string, LineSettings> = {
  "loses one datagram in five": { loss: 0.2, delay: [30, 30] },
  "reorders datagrams": { delay: [5, 250] },
  "loses, reorders, duplicates and corrupts datagrams, and is cut for 3 s": {
    loss: 0.1,
    delay: [10, 150],
    duplicate: 0.05,
    corrupt: 0.02,
    blackOut: [4000, 7000],
  },
  "has 500 kb/s and a queue of 15,000 bytes": {
    delay: [20, 20],
    bandwidth: 500_000,
    queue: 15_000,
  },
};

/** Writes to several writers in turn, large and small messages; returns received messages by writer. */
function run(seed: number, line: LineSettings, isReliable: (writer: number) => boolean) {
  const network = new Network({ seed, delay: [1, 1] });
  const client = network.connect("live", line);
  const [{ connection }] = network.hub.clients.values();
  const writers: FlowWriter[] = [connection.writer];
  while (writers.length < WRITERS) writers.push(connection.newWriter());
  writers.forEach((writer, i) => writer.reliable = isReliable(i));
  const random = seeded(seed);
  const before = client.log.length;
  const writtenAt: number[] = [];
  for (let number = 0; number < MESSAGES; number++) {
    network.link.run({ until: network.link.now + random() * 100 });
    writtenAt.push(network.link.now);
    for (const [i, writer] of writers.entries()) {
      writer.message("m", encodeAmf(i, number, "x".repeat(random() ** 4 * 6000)));
    }
  }
  network.pass(60_000);
  const came = writers.map((): number[] => []);
  for (const text of client.log.slice(before)) {
    const [, writer, number] = /^m 0 (\d+) (\d+)/.exec(text)!;
    came[Number(writer)].push(Number(number));
  }
  return { came, network };
}

const all = Array.from({ length: MESSAGES }, (_, i) => i);

for (const [what, line] of Object.entries(lines)) {
  Deno.test(`${WRITERS} writers deliver their messages in order over a line that ${what}`, () => {
    for (let seed = 1; seed <= 10; seed++) {
      const { came } = run(seed, line, () => true);
      for (const numbers of came) assert.deepEqual(numbers, all, `seed ${seed}`);
    }
  });

  Deno.test(`Writers deliver no unreliable message after a later one over a line that ${what}`, () => {
    let missing = 0;
    for (let seed = 1; seed <= 10; seed++) {
      const { came } = run(seed, line, (i) => i % 2 === 0);
      for (const [i, numbers] of came.entries()) {
        if (i % 2 === 0) assert.deepEqual(numbers, all, `seed ${seed}`);
        else missing += MESSAGES - numbers.length;
        const sorted = [...new Set(numbers)].sort((a, b) => a - b);
        assert.deepEqual(numbers, sorted, `seed ${seed}`);
      }
    }
    if (line.loss) assert.ok(missing > 0, "lost messages are not repeated");
  });
}
