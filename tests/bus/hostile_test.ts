// A hostile server on the bus: the work and memory that it costs other servers is bounded.
import assert from "node:assert/strict";
import { Envelope, type MessageCodec } from "../../src/bus/envelope.ts";
import { FrameBatch, FrameReader } from "../../src/bus/frames.ts";
import * as messages from "../../src/bus/messages.ts";
import { fromHex } from "../../src/bytes/hex.ts";
import { WireError } from "../../src/bytes/wire_error.ts";
import { Writer } from "../../src/bytes/writer.ts";
import { seededBytes } from "../support/random.ts";
import { FakeBus, type FakeServer, frameOf, hmac } from "./fake_bus.ts";

/** Sends messages in the name of a server to another one. */
class Forger {
  readonly #envelope: Envelope;
  #sequence = 100;

  constructor(readonly bus: FakeBus, readonly victim: FakeServer, number = 0) {
    this.#envelope = new Envelope(seededBytes(900_000 + number)(16), new Uint8Array(), hmac);
  }

  send<T>(subject: string, codec: MessageCodec<T>, message: T): void {
    this.victim.bus.receive(subject, this.#envelope.seal(subject, codec, message), this.bus.now);
  }

  beat(told: Partial<messages.Heartbeat> = {}): void {
    this.send(this.victim.bus.subjects.heartbeat, messages.heartbeat, {
      ...this.victim.self(),
      sequence: this.#sequence++,
      publicAddress: `${this.#envelope.self}.example:1935`,
      ...told,
    });
  }

  bye(): void {
    this.send(this.victim.bus.subjects.heartbeat, messages.bye, undefined);
  }
}

function world(): [FakeBus, FakeServer, Forger] {
  const bus = new FakeBus(1);
  const victim = bus.add("a");
  bus.run(200);
  const forger = new Forger(bus, victim);
  forger.beat();
  return [bus, victim, forger];
}

Deno.test("Presence reports at most 1,024 new servers at once, then 20 a second", () => {
  const [bus, victim] = world();
  for (let i = 0; i < 10_000; i++) {
    const forger = new Forger(bus, victim, 1 + i);
    forger.beat(i % 2 ? { publicAddress: "same.example:1", startedAt: i } : {});
    if (i % 2 === 0) forger.bye();
  }
  const met = () => victim.events.filter((event) => event.startsWith("+")).length;
  assert.equal(met(), 1_024);
  bus.run(1_000);
  for (let i = 0; i < 1_000; i++) new Forger(bus, victim, 20_000 + i).beat();
  assert.equal(met(), 1_044);
});

Deno.test("Presence refuses heartbeats above 64 KiB, and sends as many applications as fit", () => {
  const [bus, victim, forger] = world();
  const { counters, presence } = victim.bus;
  forger.beat({ properties: new Map([["zone", "x".repeat(100_000)]]) });
  assert.equal(counters.unreadable, 1);
  const honest = bus.add("b");
  honest.paths = Array.from({ length: 1_024 }, (_, i) => `/${i}`.padEnd(200, "x"));
  bus.run(1_500);
  const seen = [...presence.servers.values()].find(({ publicAddress }) =>
    publicAddress.startsWith("b.")
  );
  const paths = seen!.paths.length;
  assert.ok(paths > 300 && paths < 330, `${paths} paths of 200 characters`);
  assert.equal(counters.unreadable, 1);
});

Deno.test("A server reports 256 new members of a group to its clients at once, then 20 a second", () => {
  const [bus, victim, forger] = world();
  const group = "ab".repeat(32);
  victim.joins(group, new Uint8Array(32));
  let told = 0;
  victim.onMember = () => void told++;
  const random = seededBytes(5);
  const flood = () => {
    for (let i = 0; i < 200; i++) {
      forger.send(victim.bus.subjects.group(fromHex(group)), messages.members, {
        group: fromHex(group),
        peers: Array.from({ length: 13 }, () => random(32)),
        complete: i % 2 === 0, // the ones before have left
        asks: false,
      });
    }
  };
  flood();
  assert.equal(told, 256);
  bus.run(1_000);
  flood();
  assert.equal(told, 276);
  const { unreadable } = victim.bus.counters;
  forger.send(victim.bus.subjects.group(fromHex(group)), messages.members, {
    group: fromHex(group),
    peers: Array.from({ length: 65 }, () => random(32)),
    complete: false,
    asks: false,
  });
  assert.equal(victim.bus.counters.unreadable, unreadable + 1);
});

Deno.test("A server answers 1,000 small joins with at most 66 MiB of a stream's state, then 18 MiB a second", () => {
  const [bus, victim, forger] = world();
  victim.publishes("cam", [frameOf(1, "video", 1 << 20)]);
  bus.run(10);
  const before = bus.published.bytes;
  const join = (request: number) =>
    forger.send(victim.bus.subjects.control("cam"), messages.join, {
      name: "cam",
      from: "",
      id: 0,
      request,
    });
  for (let i = 0; i < 1_000; i++) join(i);
  const sent = (bus.published.bytes - before) / (1 << 20);
  assert.ok(sent > 60 && sent < 66, `${sent} MiB for 1,000 joins`);
  bus.run(1_000);
  forger.beat();
  const later = bus.published.bytes;
  for (let i = 0; i < 1_000; i++) join(i);
  const more = (bus.published.bytes - later) / (1 << 20);
  assert.ok(more >= 15 && more < 18, `${more} MiB a second later`);
});

Deno.test("FrameReader throws WireError at a frame of 300,000 pieces without bytes", () => {
  const reader = new FrameReader();
  const pieces = new Writer(8 * 10_000);
  for (let i = 0; i < 10_000; i++) pieces.u8(0xc0).u32(0).vlu(0).vlu(0);
  assert.deepEqual(reader.read(new Writer(8).u8(0x80).u32(0).vlu(0).vlu(0).copy()), []);
  assert.throws(() => {
    for (let i = 0; i < 30; i++) reader.read(pieces.view());
  }, WireError);
});

Deno.test("FrameBatch writes, and FrameReader accepts, at most 16,384 parts of frames in a message", () => {
  const batches: Uint8Array[] = [];
  const batch = new FrameBatch(1 << 20, (frames) => batches.push(frames));
  const empty = { kind: "audio", time: 0, name: "", payload: new Uint8Array(0) } as const;
  for (let i = 0; i < 20_000; i++) batch.add(empty);
  batch.flush();
  const reader = new FrameReader();
  assert.deepEqual(batches.map((frames) => reader.read(frames).length), [16_384, 3_616]);
  const [first] = batches;
  const larger = new Uint8Array(first!.length + 7);
  larger.set(first!);
  larger.set(first!.subarray(0, 7), first!.length);
  assert.throws(() => reader.read(larger), WireError);
});
