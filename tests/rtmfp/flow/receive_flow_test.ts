import assert from "node:assert/strict";
import { toHex } from "../../../src/bytes/hex.ts";
import { Writer } from "../../../src/bytes/writer.ts";
import { BufferPool } from "../../../src/rtmfp/flow/buffer_pool.ts";
import { ReceiveFlow, type ReceiveHost } from "../../../src/rtmfp/flow/receive_flow.ts";
import { Fragment as Part, UserData } from "../../../src/rtmfp/wire/user_data.ts";
import { seeded } from "../../support/random.ts";
import { vector } from "../../support/vectors.ts";
import { SEEDS } from "../../support/seeds.ts";

/** Takes the part of the session for one receiving flow. */
class Host implements ReceiveHost {
  readonly buffers = new BufferPool();
  maxMessage = 1 << 20;
  held = 0;
  atOnce: boolean | undefined;
  violations = 0;
  readonly completed: ReceiveFlow[] = [];
  readonly messages: string[] = [];
  ended = 0;
  readonly flow = new ReceiveFlow(3, new Uint8Array(0), undefined, this);

  constructor() {
    this.flow.receiver = {
      onMessage: (message) => void this.messages.push(toHex(message)),
      onEnd: () => void this.ended++,
    };
  }

  hold(bytes: number): void {
    this.held += bytes;
  }

  acknowledge(_flow: ReceiveFlow, atOnce: boolean): void {
    this.atOnce = atOnce;
  }

  violated(): void {
    this.violations++;
  }

  complete(flow: ReceiveFlow): void {
    this.completed.push(flow);
  }

  /** Passes a fragment to the flow; `kind` is its type as one letter. */
  take(sequence: number, fsn: number, data: string | number[], kind = "w"): this {
    const chunk = new UserData();
    chunk.flowId = 3;
    chunk.sequence = sequence;
    chunk.fsn = fsn;
    chunk.fragment =
      ({ b: Part.begin, m: Part.middle, e: Part.end } as Record<string, Part>)[kind] ??
        Part.whole;
    chunk.abandoned = kind === "a" || kind === "z";
    chunk.final = kind === "f" || kind === "z";
    chunk.data = typeof data === "string" ? new TextEncoder().encode(data) : Uint8Array.from(data);
    this.flow.receive(chunk);
    return this;
  }

  ack(): string {
    const to = new Writer();
    assert.ok(this.flow.writeAcknowledgement(to));
    return toHex(to.view());
  }
}

Deno.test("ReceiveFlow acknowledges as in the scenario of the specification", () => {
  const host = new Host();
  for (const { seq, fsn, abandon, cumulative, ack } of vector("receiver-scenario").cases) {
    host.take(seq, fsn, [seq], abandon ? "a" : "w");
    assert.equal(host.flow.cumulativeAck, cumulative, `after ${seq}`);
    assert.equal(host.ack(), ack, `after ${seq}`);
  }
  assert.deepEqual(host.messages, ["01", "03", "04", "05", "06", "07", "08", "09"]);
  assert.equal(host.flow.receivedFragments, 8);
  assert.equal(host.flow.lostFragments, 1);
  assert.equal(host.held, 0);
});

Deno.test("ReceiveFlow reassembles messages from fragments in any order", () => {
  const parts = ["b", "m", "m", "e", "w", "b", "e"];
  const texts = ["ab", "cd", "ef", "gh", "W", "12", "34"];
  for (let seed = 1; seed <= SEEDS; seed++) {
    const random = seeded(seed);
    const host = new Host();
    const order = parts.map((_, i) => ({ i, at: random() })).sort((a, b) => a.at - b.at);
    for (const { i } of order) {
      host.take(i + 1, 0, texts[i], parts[i]);
      if (random() < 0.3) host.take(i + 1, 0, texts[i], parts[i]); // and again
    }
    const messages = ["abcdefgh", "W", "1234"].map((text) => toHex(new TextEncoder().encode(text)));
    assert.deepEqual(host.messages, messages, `seed ${seed}`);
    assert.equal(host.held, 0, `seed ${seed}`);
  }
});

Deno.test("ReceiveFlow drops the fragments of an abandoned message", () => {
  const cut = new Host().take(1, 0, "a", "b").take(2, 0, "b", "m").take(4, 3, "c");
  assert.deepEqual(cut.messages, ["63"], "its end was abandoned");
  assert.equal(cut.held, 0);
  const headless = new Host().take(2, 1, "b", "m").take(3, 1, "c", "e").take(4, 1, "d");
  assert.deepEqual(headless.messages, ["64"], "its beginning was abandoned");
  const early = new Host().take(1, 0, "a", "b").take(3, 0, "c", "e").take(4, 2, "d");
  assert.deepEqual(early.messages, ["64"], "its middle was abandoned");
  assert.equal(early.held, early.flow.heldForRanges);
  const again = new Host().take(1, 0, "a", "b").take(2, 0, "b", "b").take(3, 0, "c", "e");
  assert.deepEqual(again.messages, ["6263"], "a message begins before the one before has ended");
  const told = new Host().take(1, 0, "a", "b").take(5, 5, "", "a");
  assert.equal(told.held, 0, "an update of only the forward number");
  assert.equal(told.flow.cumulativeAck, 5);
  assert.equal(told.flow.lostFragments, 4);
});

Deno.test("ReceiveFlow acknowledges duplicates, abandoned fragments, gaps and the final number at once", () => {
  const host = new Host().take(1, 0, "a");
  assert.equal(host.atOnce, false);
  host.take(1, 0, "a");
  assert.equal(host.atOnce, true, "a duplicate");
  host.take(2, 1, "b");
  assert.equal(host.atOnce, false);
  host.take(3, 2, "", "a");
  assert.equal(host.atOnce, true, "an abandoned fragment");
  host.take(5, 3, "e");
  assert.equal(host.atOnce, true, "a gap after it");
  host.take(4, 3, "d");
  assert.equal(host.atOnce, true, "a gap before it");
  host.take(6, 5, "f", "f");
  assert.equal(host.atOnce, true, "the final number");
});

Deno.test("ReceiveFlow completes with all fragments up to its final number, and acknowledges late ones", () => {
  const host = new Host().take(1, 0, "a").take(3, 2, "", "z");
  assert.equal(host.ended, 1);
  assert.equal(host.flow.state, "complete");
  assert.deepEqual(host.completed, [host.flow]);
  assert.equal(host.flow.lostFragments, 1);
  host.take(3, 2, "", "z");
  assert.equal(host.atOnce, true);
  assert.equal(host.ended, 1);
  assert.equal(host.ack(), "510003037f03");
  const withData = new Host().take(2, 0, "b", "f").take(1, 0, "a");
  assert.deepEqual(withData.messages, ["61", "62"], "the last message may be the end");
  assert.equal(withData.ended, 1);
});

Deno.test("ReceiveFlow ignores fragments beyond the final number", () => {
  const host = new Host().take(2, 0, "", "z").take(3, 0, "c").take(1, 0, "a");
  assert.deepEqual(host.messages, ["61"]);
  assert.equal(host.flow.cumulativeAck, 2);
});

Deno.test("ReceiveFlow writes an exception before each acknowledgement after reject()", () => {
  const host = new Host().take(1, 0, "a").take(3, 0, "c");
  assert.notEqual(host.held, 0);
  host.flow.reject(5);
  assert.equal(host.held, 16, "only the gap uses memory");
  assert.equal(host.ack(), "5e00020305" + "510005037f010000");
  host.take(2, 0, "b");
  assert.equal(host.held, 0);
  assert.deepEqual(host.messages, ["61"]);
  assert.equal(host.ack(), "5e00020305" + "510003037f03");
  host.take(4, 3, "", "z");
  assert.equal(host.flow.state, "complete");
  assert.equal(host.ended, 0);
  assert.equal(host.ack(), "510003037f04", "no exception after the end");
});

Deno.test("ReceiveFlow reduces its window by the waiting bytes, but never to 0", () => {
  const host = new Host();
  host.flow.bufferCapacity = 4096;
  host.take(2, 0, Array.from({ length: 1500 }, () => 1));
  assert.equal(host.ack(), "5100050303000000");
  host.take(3, 0, Array.from({ length: 3000 }, () => 1));
  assert.equal(host.ack(), "5100050301000001");
  assert.equal(host.atOnce, true);
  host.take(1, 0, "a");
  assert.equal(host.atOnce, true, "the last acknowledged window was too small");
  assert.equal(host.ack(), "510003030403");
});

Deno.test("ReceiveFlow limits far sequence numbers, gaps to 128, and message sizes in bytes", () => {
  const far = new Host().take(200_000, 0, "x");
  assert.equal(far.violations, 1);

  const gaps = new Host();
  for (let i = 1; i <= 300; i++) gaps.take(2 * i, 0, "x");
  assert.equal(gaps.violations, 0);
  assert.equal(gaps.flow.receivedFragments, 128, "the other fragments count as lost");

  const long = new Host();
  long.maxMessage = 10;
  long.take(1, 0, "12345", "b").take(2, 0, "12345", "m");
  assert.equal(long.flow.state, "open");
  long.take(3, 0, "1", "e");
  assert.equal(long.flow.state, "rejected");
  assert.equal(long.held, 0);

  const early = new Host();
  for (let i = 2; i < 100; i++) early.take(i, 0, Array.from({ length: 1000 }, () => 1));
  assert.ok(early.held > 98_000, `${early.held} bytes of waiting fragments counted`);
  early.flow.abort();
  assert.equal(early.held, early.flow.heldForRanges);

  const growing = new Host();
  growing.take(1, 0, Array.from({ length: 1000 }, () => 1), "b");
  for (let i = 2; i < 100; i++) growing.take(i, 0, Array.from({ length: 1000 }, () => 1), "m");
  assert.ok(growing.held > 98_000, `${growing.held} bytes of an unfinished message counted`);
  growing.flow.abort();
  assert.equal(growing.held, 0);
});

Deno.test("ReceiveFlow releases its memory when a handler rejects or aborts the flow during a message", () => {
  const rejecting = new Host();
  rejecting.flow.receiver = { onMessage: (_, flow) => flow.reject(9) };
  rejecting.take(2, 0, "b").take(3, 0, "c").take(1, 0, "a");
  assert.equal(rejecting.flow.state, "rejected");
  assert.equal(rejecting.held, 0);
  const aborting = new Host();
  aborting.flow.receiver = { onMessage: (_, flow) => flow.abort() };
  aborting.take(1, 0, "a", "b").take(3, 0, "c").take(2, 0, "b", "e");
  assert.equal(aborting.flow.state, "complete");
  assert.equal(aborting.held, 0);
});

Deno.test("BufferPool returns released buffers, up to its limit of 8,192 bytes", () => {
  const pool = new BufferPool(8192);
  const one = pool.take(3000);
  assert.equal(one.length, 4096);
  pool.give(one);
  assert.equal(pool.take(4096), one);
  assert.equal(pool.take(4097).length, 8192);
  assert.equal(pool.take(0).length, 1024);
  pool.give(one);
  const two = new Uint8Array(8192);
  pool.give(two);
  assert.notEqual(pool.take(8192), two, "beyond the limit");
});
