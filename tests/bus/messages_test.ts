// Bytes of messages, also truncated and mutated ones, and the limits of bytes in flight to the bus.
import assert from "node:assert/strict";
import { Envelope } from "../../src/bus/envelope.ts";
import { Gate } from "../../src/bus/gate.ts";
import * as messages from "../../src/bus/messages.ts";
import { base32, Subjects } from "../../src/bus/subjects.ts";
import { fromHex, toHex } from "../../src/bytes/hex.ts";
import { toUtf8 } from "../../src/bytes/text.ts";
import { WireError } from "../../src/bytes/wire_error.ts";
import { seededBytes } from "../support/random.ts";
import { FakeBus, hmac, sha256 } from "./fake_bus.ts";

const ID = fromHex("000102030405060708090a0b0c0d0e0f");

Deno.test("base32() encodes as in RFC 4648 §10, in lower case and without padding", () => {
  const cases = {
    "": "",
    f: "my",
    fo: "mzxq",
    foo: "mzxw6",
    foob: "mzxw6yq",
    foobar: "mzxw6ytboi",
  };
  for (const [plain, encoded] of Object.entries(cases)) {
    assert.equal(base32(toUtf8(plain)), encoded);
  }
});

Deno.test("Subjects.media() encodes any name as 26 letters and digits of one subject token", () => {
  const subjects = new Subjects("test", sha256);
  for (const name of ["a.b", "*", ">", "", " ", "\r\nPUB x", "ü".repeat(10_000), "cam"]) {
    assert.match(subjects.media(name), /^cum\.test\.pub\.[a-z2-7]{26}\.m$/);
  }
  assert.notEqual(subjects.media("a"), subjects.media("A"));
});

Deno.test("Envelope writes a call as version, kind, sender, handler, values and proof", () => {
  const call = { handler: "hello", payload: fromHex("0101") };
  const plain = new Envelope(ID, new Uint8Array(), hmac).seal("s", messages.call, call);
  assert.equal(toHex(plain), `0103${toHex(ID)}0568656c6c6f0101`);
  const secret = toUtf8("sesame");
  const sealed = new Envelope(ID, secret, hmac).seal("s", messages.call, call);
  assert.equal(toHex(sealed.subarray(0, plain.length)), toHex(plain));
  const other = new Envelope(new Uint8Array(16), secret, hmac);
  assert.equal(other.open("s", sealed)?.sender, base32(ID));
  assert.throws(() => other.open("t", sealed), WireError, "the subject is part of the proof");
  for (let i = 0; i < sealed.length; i++) {
    const changed = sealed.slice();
    changed[i] ^= 1;
    assert.throws(() => other.open("s", changed), WireError);
  }
});

Deno.test("A server counts truncated and mutated messages, and continues to see the sender", () => {
  const bus = new FakeBus(1);
  const [a, b] = [bus.add("a"), bus.add("b")];
  const seen: { subject: string; bytes: Uint8Array }[] = [];
  const publish = bus.publish.bind(bus);
  bus.publish = (from, subject, bytes) => {
    if (from === a) seen.push({ subject, bytes });
    publish(from, subject, bytes);
  };
  const group = "ab".repeat(32);
  const frame = { kind: "video", time: 1, name: "", payload: new Uint8Array(9) } as const;
  bus.run(200);
  a.publishes("cam", [frame]);
  b.plays("cam");
  a.plays("other");
  b.publishes("other");
  b.joins(group, new Uint8Array(32));
  a.joins(group, new Uint8Array(32).fill(1));
  a.bus.call(b.bus.self, "f", new Uint8Array(2), bus.now);
  a.bus.callAll([b.bus.self], "f", new Uint8Array(2), bus.now);
  bus.run(50);
  a.sends("cam", frame);
  bus.run(1_500);
  const kinds = new Set(seen.map(({ bytes }) => bytes[1]));
  assert.ok(kinds.size >= 8, [...kinds].join());
  const random = seededBytes(1);
  for (const { subject, bytes } of seen) {
    for (let length = 0; length < bytes.length; length++) {
      b.bus.receive(subject, bytes.subarray(0, length), bus.now);
    }
    for (let i = 0; i < 50; i++) {
      const changed = bytes.slice();
      const [at, value] = random(2);
      changed[18 + at % Math.max(1, bytes.length - 18)] = value;
      b.bus.receive(subject, changed, bus.now);
    }
  }
  assert.ok(b.bus.counters.unreadable > 50);
  bus.run(6_000); // a heartbeat from the far future may have hidden later ones
  assert.deepEqual(b.sees, ["a"]);
});

Deno.test("Gate drops frames above 4 MiB in flight, other messages above 16 MiB, and all while the bus is unavailable", () => {
  const gate = new Gate();
  assert.equal(gate.admit(1, false), false);
  gate.open = true;
  let media = 0;
  while (gate.admit(64 * 1024, true)) media++;
  assert.equal(media, 64);
  let control = 0;
  while (gate.admit(64 * 1024, false)) control++;
  assert.equal(control, 192);
  const mark = gate.confirmationDue()!;
  assert.equal(gate.confirmationDue(), undefined, "one at a time");
  gate.confirmed(mark);
  assert.equal(gate.inFlight, 0);
  assert.ok(gate.admit(1, true));
  assert.deepEqual(gate.counters, {
    messages: 257,
    bytes: 256 * 64 * 1024 + 1,
    droppedMedia: 1,
    droppedControl: 2,
  });
});
