import assert from "node:assert/strict";
import { WireError } from "../../src/bytes/wire_error.ts";
import { readRtws, writeDataAck, writeFlowOpen, writeUserData } from "../../src/rtws/messages.ts";
import type { ReceiveFlow } from "../../src/rtws/receive_flow.ts";
import { RtwsSession } from "../../src/rtws/session.ts";
import { seeded } from "../support/random.ts";

const bytes = (hex: string) =>
  Uint8Array.from(hex.replaceAll(/\s/g, "").match(/../g) ?? [], (pair) => parseInt(pair, 16));
const METADATA = bytes("544304 00");

/** One direction of a pipe. */
class PipeOutbox {
  constructor(readonly pipe: Pipe, readonly to: 0 | 1) {}

  get writable(): boolean {
    return this.pipe.writable;
  }

  wake(): void {}

  send(message: Uint8Array): void {
    const { pipe, to } = this;
    pipe.onTheWay.push({ at: pipe.now + pipe.delay, to, message });
  }
}

/** Two sessions joined by a pipe of a given delay, in virtual time. */
class Pipe {
  now = 0;
  readonly onTheWay: { at: number; to: 0 | 1; message: Uint8Array }[] = [];
  readonly ends: [RtwsSession, RtwsSession];
  readonly heard: [string[], string[]] = [[], []];
  readonly flows: [ReceiveFlow[], ReceiveFlow[]] = [[], []];
  accept = true;
  writable = true;

  constructor(readonly delay: number) {
    const make = (to: 0 | 1) => new RtwsSession(new PipeOutbox(this, to), 0);
    this.ends = [make(1), make(0)];
    this.ends.forEach((session, i) => {
      session.start(0);
      session.handler = {
        onFlow: (flow) => {
          this.flows[i].push(flow);
          return this.accept
            ? {
              onMessage: (message) => this.heard[i].push(new TextDecoder().decode(message)),
              onEnd: () => this.heard[i].push("end"),
            }
            : null;
        },
        onClose: (reason) => this.heard[i].push(`closed: ${reason ?? "in order"}`),
      };
    });
  }

  run(until: number): void {
    while (true) {
      for (const end of this.ends) end.flush(this.now);
      const next = this.onTheWay[0];
      const at = Math.min(next?.at ?? Infinity, ...this.ends.map(({ deadline }) => deadline));
      if (at > until) break;
      this.now = Math.max(this.now, at);
      while (this.onTheWay[0]?.at <= this.now) {
        const { to, message } = this.onTheWay.shift()!;
        this.ends[to].receive(message, this.now);
      }
    }
    this.now = until;
  }
}

const text = (value: string) => new TextEncoder().encode(value);

Deno.test("RtwsSession delivers messages of every size in order, also on return flows (WEB-502)", () => {
  const pipe = new Pipe(20);
  const [near, far] = pipe.ends;
  const flow = near.openFlow(METADATA);
  const sizes = [0, 1, 1399, 1400, 1401, 2800, 100_000, 3];
  for (const size of sizes) flow.write(text("x".repeat(size)));
  pipe.run(2000);
  assert.deepEqual(pipe.heard[1].map(({ length }) => length), sizes);
  assert.deepEqual(pipe.flows[1][0].metadata, METADATA);
  const answer = far.openFlow(METADATA, { association: pipe.flows[1][0] });
  answer.write(text("hello"));
  pipe.run(3000);
  assert.deepEqual(pipe.heard[0], ["hello"]);
  assert.equal(pipe.flows[0][0].association, flow);
  assert.equal(flow.outstanding, 0);
  assert.equal(flow.firstPending, sizes.length + 1);
});

Deno.test("RtwsSession delivers a flow's end after its messages, and acknowledges it", () => {
  const pipe = new Pipe(5);
  const flow = pipe.ends[0].openFlow(METADATA);
  let closed = 0;
  flow.handler = { onClosed: () => closed++ };
  flow.write(text("last"));
  flow.close();
  flow.write(text("too late"));
  pipe.run(1000);
  assert.deepEqual(pipe.heard[1], ["last", "end"]);
  assert.equal(closed, 1);
});

Deno.test("RtwsSession closes a refused flow, and abandons its queued messages", () => {
  const pipe = new Pipe(5);
  pipe.accept = false;
  const flow = pipe.ends[0].openFlow(METADATA);
  let refused = 0;
  flow.handler = { onException: () => refused++ };
  flow.write(text("x".repeat(200_000)));
  pipe.run(1000);
  assert.equal(refused, 1);
  assert.equal(flow.closed, true);
  assert.equal(flow.queuedBytes, 0);
  assert.deepEqual(pipe.heard[1], []);
});

Deno.test("RtwsSession sends flows of higher priority first, and abandons unsent messages on request", () => {
  const pipe = new Pipe(5);
  const [near] = pipe.ends;
  const low = near.openFlow(METADATA, { priority: 1 });
  const high = near.openFlow(METADATA, { priority: 3 });
  pipe.writable = false;
  for (let i = 0; i < 5; i++) low.write(text(`low ${i}`));
  pipe.run(100);
  high.write(text("high"));
  assert.equal(low.queuedMessages, 5);
  pipe.writable = true;
  pipe.run(200);
  assert.deepEqual(pipe.heard[1].slice(0, 2), ["high", "low 0"]);
  pipe.writable = false;
  low.write(text("lost"));
  low.write(text("lost too"));
  assert.equal(low.abandonUnsent(), 2);
  assert.equal(low.queuedBytes, 0);
  pipe.writable = true;
  low.write(text("kept"));
  pipe.run(400);
  assert.equal(pipe.heard[1].at(-1), "kept");
  assert.ok(!pipe.heard[1].some((one) => one.startsWith("lost")));
});

Deno.test("RtwsSession sends at most 65,536 bytes and one fragment without acknowledgement (WEB-506)", () => {
  const pipe = new Pipe(100);
  const flow = pipe.ends[0].openFlow(METADATA);
  flow.write(new Uint8Array(5 << 20));
  let most = 0;
  for (let at = 1; at < 4000; at += 10) {
    pipe.run(at);
    most = Math.max(most, flow.outstanding);
  }
  assert.ok(most <= 65_536 + 1500, `${most} bytes were on the way`); // the peer's buffer
  pipe.run(60_000);
  assert.equal(flow.queuedBytes, 0);
  assert.equal(flow.outstanding, 0);
});

Deno.test("RtwsSession answers the recorded opening of a browser byte for byte (WEB-503)", () => {
  const sent: string[] = [];
  const hex = (message: Uint8Array) => [...message].map((b) => b.toString(16).padStart(2, "0"));
  const session = new RtwsSession({
    send: (m) => sent.push(hex(m).join("")),
    writable: true,
    wake() {},
  }, 0);
  session.start(0);
  session.handler = {
    onFlow: (flow) => ({
      onMessage: (message) => {
        assert.deepEqual(message, bytes("14 00000000 0200 07"));
        session.openFlow(METADATA, { association: flow }).write(bytes("14"));
      },
    }),
    onClose() {},
  };
  session.receive(bytes("10 00 54430400"), 1);
  session.receive(bytes("1d 00 14 00000000 0200 07"), 1);
  session.flush(1);
  session.flush(300);
  assert.deepEqual(sent, [
    "0a818000",
    "5a0000848000",
    "30000054430400",
    "01",
    "1d0014",
    "5a000a848000",
  ]);
});

Deno.test("RtwsSession accepts at most 64 flows and messages of 16 MiB (WEB-510)", () => {
  const sent: Uint8Array[] = [];
  const session = new RtwsSession({ send: (m) => sent.push(m), writable: true, wake() {} }, 0);
  session.start(0);
  session.handler = { onFlow: () => ({ onMessage() {} }), onClose() {} };
  for (let i = 0; i < 70; i++) session.receive(Uint8Array.of(0x10, i, 0x54), 0);
  assert.equal(sent.filter(([type]) => type === 0x5e).length, 6);
  session.receive(Uint8Array.of(0x10, 3, 0x54), 0); // a number in use
  session.receive(Uint8Array.of(0x30, 99, 9, 0x54), 0); // answers no flow
  assert.equal(sent.filter(([type]) => type === 0x5e).length, 8);
  const fragment = new Uint8Array(1 << 20);
  const part = new Uint8Array(2 + fragment.length);
  part.set([0x3d, 1]);
  assert.throws(() => {
    for (let i = 0; i < 17; i++) session.receive(part, 0);
  }, WireError);
});

Deno.test("RTWebSocket codecs return a message or throw WireError for mutated and truncated bytes", () => {
  const random = seeded(7);
  const whole = [
    writeUserData(200, text("hello"), 0, 5),
    writeDataAck(3, 70_000, 65_536),
    bytes("30 05 06 544304"),
  ];
  for (let i = 0; i < 20_000; i++) {
    const mutated = whole[i % whole.length].slice(0, 1 + Math.floor(random() * 12));
    mutated[Math.floor(random() * mutated.length)] = Math.floor(random() * 256);
    const session = new RtwsSession({ send() {}, writable: true, wake() {} }, 0);
    session.start(0);
    session.handler = { onFlow: () => ({ onMessage() {} }), onClose() {} };
    try {
      readRtws(mutated);
      session.receive(mutated, 0);
      session.flush(0);
    } catch (error) {
      assert.ok(error instanceof WireError, String(error));
    }
  }
  assert.throws(() => readRtws(new Uint8Array(0)), WireError);
});

Deno.test("RtwsSession sends a message shared by flows with the timestamp of each flow", () => {
  const pipe = new Pipe(1);
  const flow = pipe.ends[0].openFlow(METADATA);
  const long = "x".repeat(3000);
  flow.write(text(`m0000${long}`), undefined, 0x61626364);
  flow.write(text("m0000 plain"));
  flow.write(text("m0000 short"), undefined, 0x65656565);
  pipe.run(100);
  assert.deepEqual(pipe.heard[1], [`mabcd${long}`, "m0000 plain", "meeee short"]);
});

Deno.test("RtwsSession counts one-byte fragments as 1 byte each, and limits an unconnected client to 65,536 bytes", () => {
  const session = new RtwsSession({ send() {}, writable: true, wake() {} }, 0);
  let flow: ReceiveFlow | undefined;
  const heard: number[] = [];
  session.handler = {
    onFlow: (one) => {
      flow = one;
      return { onMessage: (message) => void heard.push(message.length) };
    },
    onClose() {},
  };
  session.receive(writeFlowOpen(0, undefined, METADATA), 0);
  const part = (length: number, more = true) => {
    const message = new Uint8Array(length + 1);
    session.receive(writeUserData(0, message, 0, more ? length : length + 1), 0);
  };
  for (let i = 0; i < 100_000; i++) {
    part(1);
    part(0);
  }
  assert.equal(flow!.partBytes, 100_000);
  assert.equal(session.partialBytes, 100_000);
  part(0, false);
  assert.deepEqual(heard, [100_001]);
  assert.equal(session.partialBytes, 0);
  session.isTrusted = () => false;
  part(65_536);
  assert.throws(() => part(1), /more than 65536 bytes/);
});
