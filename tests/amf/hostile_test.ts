// Hostile bytes yield a value or a WireError, in bounded time and memory.
import assert from "node:assert/strict";
import fc from "fast-check";
import { fromHex } from "../../src/bytes/hex.ts";
import { WireError } from "../../src/bytes/wire_error.ts";
import {
  AmfDictionary,
  AmfReader,
  type AmfValue,
  AmfWriter,
  encodeAmf,
  encodeAmf0,
  MAX_NAMES,
} from "../../src/amf/mod.ts";
import { cpuTime } from "../support/cpu_time.ts";
import { decode, messages, survives } from "./support.ts";

/** Reads all values, by each method of the reader. */
function readAll(bytes: Uint8Array): boolean {
  const value = survives(() => decode(bytes));
  survives(() => {
    const [reader, writer] = [new AmfReader(bytes), new AmfWriter()];
    while (!reader.done) reader.read(writer);
  });
  survives(() => {
    const reader = new AmfReader(bytes);
    while (!reader.done) reader.skip();
  });
  return value;
}

Deno.test("AmfReader returns fewer values or throws WireError for a truncated message", () => {
  for (const [name, hex] of Object.entries(messages)) {
    const bytes = fromHex(hex);
    let whole: number | undefined;
    if (name !== "AMF-118") whole = decode(bytes).length; // whose class is unknown
    for (let length = 0; length < bytes.length; length++) {
      const cut = bytes.subarray(0, length);
      if (!readAll(cut) || whole === undefined) continue;
      assert.ok(decode(cut).length < whole, `${name} cut to ${length}`);
    }
  }
});

Deno.test("AmfReader returns a value or throws WireError for random bytes", () => {
  const bytes = fc.uint8Array({ maxLength: 64 });
  fc.assert(
    fc.property(bytes, fc.boolean(), (bytes, amf3) => {
      readAll(amf3 ? Uint8Array.of(0x11, ...bytes) : bytes);
    }),
    { numRuns: 5000 },
  );
});

Deno.test("AmfReader returns a value or throws WireError for random markers and small numbers", () => {
  const bytes = fc.array(
    fc.oneof(fc.nat({ max: 0x11 }), fc.nat({ max: 0x2b }), fc.constantFrom(0xff, 0x80, 0x7f)),
    { maxLength: 80 },
  );
  let values = 0;
  fc.assert(
    fc.property(bytes, (bytes) => {
      if (readAll(Uint8Array.of(0x11, ...bytes))) values++;
    }),
    { numRuns: 20000 },
  );
  assert.ok(values > 0, "not one of them was a value: they test nothing");
});

Deno.test("AmfReader returns a value or throws WireError for a message with any byte changed", () => {
  for (const hex of Object.values(messages)) {
    const bytes = fromHex(hex);
    for (let at = 0; at < bytes.length; at++) {
      const was = bytes[at];
      for (const value of [0, 1, 0x7f, 0x80, 0xff, was ^ 1, was ^ 0x10]) {
        bytes[at] = value;
        readAll(bytes);
      }
      bytes[at] = was;
    }
  }
});

/** Asserts that reading is refused, taking no more than `milliseconds`. */
function refuses(bytes: Uint8Array, milliseconds = 2000): void {
  const before = cpuTime();
  assert.throws(() => decode(bytes), WireError);
  const took = cpuTime() - before;
  assert.ok(took < milliseconds, `took ${took} ms`);
}

Deno.test("AmfReader refuses a count beyond the remaining bytes before it allocates", () => {
  for (
    const hex of [
      "0a ffffffff 05", // strict array
      "0c ffffffff 61", // long string
      "0f ffffffff 61", // XML
      "11 06 bfffffff 61", // string: its length has 28 bits
      "11 06 ffffffff 61",
      "11 07 ffffffff 61",
      "11 0c ffffffff 61",
      "11 09 ffffffff 01 01", // array
      "11 0d ffffffff 00 00000000", // Vectors
      "11 0e ffffffff 00 00000000",
      "11 0f ffffffff 00 00000000",
      "11 10 ffffffff 00 01 01",
      "11 11 ffffffff 00 01 01", // dictionary
      "11 0a fffffff3 03 43 03 61", // sealed members
      "11 11 05 00 01 01", // two pairs in two bytes
      "11 0d 05 00 00000000 000000", // one byte short
    ]
  ) refuses(fromHex(hex));
});

Deno.test("AmfReader refuses containers nested 100,000 deep within 2 s", () => {
  const depth = 100_000;
  refuses(fromHex("0300016a".repeat(depth)));
  refuses(fromHex("0a00000001".repeat(depth)));
  refuses(fromHex("11" + "090301".repeat(depth)));
  refuses(fromHex("11" + "0a0b01036a".repeat(depth)));
  refuses(fromHex("11" + "110300".repeat(depth))); // dictionaries as keys of each other
  refuses(fromHex("11" + "10030001".repeat(depth)));
  const collection = "0a0743666c65782e6d6573736167696e672e696f2e4172726179436f6c6c656374696f6e";
  refuses(fromHex("11" + collection + "0a0700".repeat(depth)));
});

Deno.test("AmfReader reads containers nested 256 deep, or as deep as its option depth, and refuses deeper ones", () => {
  const nested = (depth: number) => fromHex("11" + "090301".repeat(depth - 1) + "090101");
  new AmfReader(nested(3), { depth: 3 }).readValue();
  assert.throws(() => new AmfReader(nested(4), { depth: 3 }).readValue(), /3 deep/);
  decode(nested(256));
  assert.throws(() => decode(nested(257)), WireError);
  // A message may have any number of values side by side.
  assert.equal(decode(fromHex("11090101".repeat(1000))).length, 1000);
});

Deno.test("AmfReader counts members of containers and elements of Vectors against its option values, 3 here", () => {
  const read = (hex: string, values: number) => new AmfReader(fromHex(hex), { values }).readValue();
  read("11 09 05 01 01 01", 3);
  assert.throws(() => read("11 09 05 01 01 01", 2), /2 values/);
  read("11 0d 05 00 00000000 00000000", 3);
  assert.throws(() => read("11 0d 05 00 00000000 00000000", 2), /2 values/);
});

Deno.test("AmfReader reads references that double at each of 60 steps without copying", () => {
  // Array n holds array n-1 twice: 2^60 elements if they were copied.
  let hex = "11 09 01 01";
  for (let index = 0; index < 60; index++) {
    const reference = (2 * index).toString(16).padStart(2, "0");
    hex += `11 09 05 01 09 ${reference} 09 ${reference}`;
  }
  const before = cpuTime();
  const values = decode(hex) as AmfValue[][];
  assert.equal(values[60][0], values[59]);
  assert.equal(values[60][1], values[59]);
  assert.ok(cpuTime() - before < 2000);
});

Deno.test("AmfReader decodes a string of 60,000 bytes once for 100,000 references", () => {
  const long = 60_000;
  const head = new AmfWriter().writeValue("x".repeat(long)).bytes();
  const references = 100_000;
  const message = new Uint8Array(head.length + 3 * references);
  message.set(head);
  for (let i = 0; i < references; i++) message.set([0x11, 0x06, 0x00], head.length + 3 * i);
  const before = cpuTime();
  const values = decode(message); // 6 GB of text if each were made anew
  assert.equal(values.length, references + 1);
  assert.equal(values[references], values[0]);
  assert.ok(cpuTime() - before < 2000);
});

Deno.test("AmfReader decodes a class name of 60,000 bytes once for 50,000 objects of its traits", () => {
  const name = "x".repeat(60_000);
  const head = new AmfWriter({ form: "amf3" });
  head.beginObject(new TextEncoder().encode(name), 0, name.length, undefined);
  head.endObject();
  const objects = 50_000;
  const message = new Uint8Array(head.raw.at + 4 * objects);
  message.set(head.view());
  for (let i = 0; i < objects; i++) message.set([0x11, 0x0a, 0x01, 0x01], head.raw.at + 4 * i); // traits 0, no members;
  const before = cpuTime();
  assert.equal(decode(message).length, objects + 1);
  assert.ok(cpuTime() - before < 2000);
});

Deno.test("AmfWriter throws WireError at a value 100,000 deep, or longer than its option length or 65,535 bytes of an AMF0 name", () => {
  let deep: AmfValue = [];
  for (let i = 0; i < 100_000; i++) deep = [deep];
  assert.throws(() => new AmfWriter().writeValue(deep), WireError);
  assert.throws(() => new AmfWriter({ form: "amf0" }).writeValue(deep), WireError);

  // Each object holds the previous one twice; AMF0 repeats it each time: 2^60 objects.
  let doubling: AmfValue = {};
  for (let i = 0; i < 60; i++) doubling = { a: doubling, b: doubling };
  const small = new AmfWriter({ form: "amf0", length: 100_000 });
  assert.throws(() => small.writeValue(doubling), WireError);
  new AmfWriter().writeValue(doubling); // in AMF3 it is short

  assert.throws(() => new AmfWriter({ length: 10 }).writeValue("x".repeat(20)), WireError);
  const name = { ["x".repeat(65536)]: 1 };
  assert.throws(() => new AmfWriter({ form: "amf0" }).writeValue(name), WireError);
  new AmfWriter().writeValue(name);
});

Deno.test("AmfReader reads only its part of a larger buffer", () => {
  const bytes = fromHex("02 0003 616263");
  assert.throws(() => new AmfReader(bytes.subarray(0, 5)).readValue(), WireError);
});

Deno.test("AmfReader keeps members whose names JavaScript uses itself", () => {
  for (const name of ["__proto__", "constructor", "toString", "writeExternal"]) {
    const writer = new AmfWriter({ form: "amf0" });
    writer.writeValue(Object.assign(Object.create(null), { ["a"]: 1 }));
    const bytes = new TextEncoder().encode(name);
    writer.clear().beginObject(bytes, 0, 0, undefined);
    writer.key(bytes, 0, bytes.length);
    writer.writeValue(true);
    writer.endObject();
    const [value] = decode(writer.bytes()) as Record<string, AmfValue>[];
    assert.deepEqual(Object.keys(value), [name]);
    assert.equal(value[name], true);
    assert.equal(Object.getPrototypeOf(value), null);
    const again = new AmfWriter({ form: "amf0" }).writeValue(value).bytes();
    assert.deepEqual(again, writer.bytes());
  }
});

Deno.test("AmfReader with MAX_NAMES refuses a message of more than 1,024 members or keys in one container", () => {
  const keys = Array.from({ length: 1_025 }, (_, i) => i * 32_768);
  const bytes = [
    encodeAmf0(Object.fromEntries(keys.map((key) => [`${key}`, 0]))),
    encodeAmf(Object.fromEntries(keys.map((key) => [`${key}`, 0]))),
    encodeAmf(new AmfDictionary(keys.map((key) => [key, 0]))),
    encodeAmf0([keys.slice(0, 600), { a: Object.fromEntries(keys.map((key) => [`${key}`, 0])) }]),
  ];
  for (const message of bytes) {
    assert.throws(() => new AmfReader(message).readValue(MAX_NAMES), WireError);
    new AmfReader(message).readValue();
  }
  const few = Object.fromEntries(keys.slice(1).map((key) => [`${key}`, 0]));
  const reader = new AmfReader(encodeAmf0(few, few));
  while (!reader.done) assert.deepEqual({ ...reader.readValue(MAX_NAMES) as object }, few);
});
