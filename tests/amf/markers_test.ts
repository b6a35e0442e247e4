// Bytes written out by hand from the AMF0 (§2) and AMF3 (§3) specifications, marker by marker.
import assert from "node:assert/strict";
import { fromHex, toHex } from "../../src/bytes/hex.ts";
import { WireError } from "../../src/bytes/wire_error.ts";
import {
  AmfDictionary,
  type AmfForm,
  AmfReader,
  type AmfValue,
  AmfVector,
  AmfWriter,
  AmfXml,
  MixedArray,
  TypedObject,
} from "../../src/amf/mod.ts";
import { Collection, decode, plain } from "./support.ts";

interface Case {
  /** Id of the fact in docs/spec/amf-lua.md. */
  id: string;
  thing: string;
  hex: string;
  value: AmfValue;
  /** Form and bytes of the written value, if they differ from the read bytes. */
  written?: [AmfForm, string] | "not";
  form?: AmfForm;
}

const letters = (length: number) => "61".repeat(length);

const cases: Case[] = [
  // AMF0
  { id: "AMF-010", thing: "a number", hex: "00 bff8000000000000", value: -1.5 },
  { id: "AMF-010", thing: "infinity", hex: "00 7ff0000000000000", value: Infinity },
  { id: "AMF-010", thing: "negative zero", hex: "00 8000000000000000", value: -0 },
  {
    id: "AMF-011",
    thing: "a boolean byte other than 0 and 1",
    hex: "01 02",
    value: true,
    written: "not",
  },
  {
    id: "AMF-012",
    thing: "a string of UTF-8",
    hex: "02 0005 c3a9 e282ac",
    value: "é€",
    form: "amf0",
  },
  {
    id: "AMF-013",
    thing: "an object with an object inside",
    hex: "03 0001 62 03 000009 0001 61 01 01 000009",
    value: plain({ b: plain({}), a: true }),
    form: "amf0",
  },
  {
    id: "AMF-013",
    thing: "an object with a nameless member, which AMF3 cannot represent",
    hex: "03 0000 01 01 000009",
    value: plain({ "": true }),
    written: ["amf0", "03 000009"],
  },
  { id: "AMF-014", thing: "undefined", hex: "06", value: undefined },
  {
    id: "AMF-016",
    thing: "an ECMA array whose count is wrong",
    hex: "08 7fffffff 0001 30 05 0001 78 01 00 000009",
    value: new MixedArray(plain({ 0: null, x: false })),
    written: ["amf0", "08 00000002 0001 30 05 0001 78 01 00 000009"],
  },
  {
    id: "AMF-016",
    thing: "an AMF3 array with names and elements",
    hex: "11 09 05 03 78 03 01 02 01",
    value: new MixedArray(plain({ x: true }), [false, null]),
    written: ["amf0", "08 00000003 0001 78 01 01 0001 30 01 00 0001 31 05 000009"],
  },
  {
    id: "AMF-017",
    thing: "a strict array",
    hex: "0a 00000002 05 06",
    value: [null, undefined],
    form: "amf0",
  },
  { id: "AMF-017", thing: "an empty strict array", hex: "0a 00000000", value: [], form: "amf0" },
  {
    id: "AMF-018",
    thing: "a date before 1970 in a zone",
    hex: "0b c08f400000000000 003c",
    value: new Date(-1000),
    written: ["amf0", "0b c08f400000000000 0000"],
  },
  {
    id: "AMF-019",
    thing: "a long string",
    hex: `0c 00010000 ${letters(65536)}`,
    value: "a".repeat(65536),
    form: "amf0",
  },
  {
    id: "AMF-012",
    thing: "the longest short string",
    hex: `02 ffff ${letters(65535)}`,
    value: "a".repeat(65535),
    form: "amf0",
  },
  { id: "AMF-020", thing: "the marker unsupported", hex: "0d", value: undefined, written: "not" },
  {
    id: "AMF-021",
    thing: "a typed object",
    hex: "10 0003 436174 0001 61 05 000009",
    value: new TypedObject("Cat", plain({ a: null })),
    form: "amf0",
  },
  {
    id: "AMF-021",
    thing: "a typed object of no class",
    hex: "10 0000 000009",
    value: plain({}),
    written: "not",
  },
  {
    id: "AMF-023",
    thing: "an XML document",
    hex: "0f 00000004 3c612f3e",
    value: new AmfXml("<a/>", true),
    form: "amf0",
  },
  // AMF3
  { id: "AMF-030", thing: "undefined", hex: "11 00", value: undefined, written: ["amf3", "06"] },
  { id: "AMF-030", thing: "null", hex: "11 01", value: null, written: ["amf3", "05"] },
  { id: "AMF-031", thing: "false", hex: "11 02", value: false, written: ["amf3", "01 00"] },
  { id: "AMF-031", thing: "true", hex: "11 03", value: true, written: ["amf3", "01 01"] },
  { id: "AMF-032", thing: "the smallest integer", hex: "11 04 c0808000", value: -268435456 },
  { id: "AMF-032", thing: "the largest integer", hex: "11 04 bfffffff", value: 268435455 },
  { id: "AMF-032", thing: "an integer of two bytes", hex: "11 04 8100", value: 128 },
  {
    id: "AMF-033",
    thing: "a double",
    hex: "11 05 3ff8000000000000",
    value: 1.5,
    written: ["amf3", "00 3ff8000000000000"],
  },
  {
    id: "AMF-033",
    thing: "numbers in an AMF3 array",
    hex: "11 09 0b 01 05 3ff8000000000000 05 8000000000000000 05 41b0000000000000" +
      "05 c1b0000001000000 05 7ff8000000000000",
    value: [1.5, -0, 268435456, -268435457, NaN],
  },
  { id: "AMF-034", thing: "a string", hex: "11 06 05 c3a9", value: "é" },
  { id: "AMF-035", thing: "a date", hex: "11 08 01 408f400000000000", value: new Date(1000) },
  { id: "AMF-036", thing: "an array", hex: "11 09 05 01 06 01 01", value: ["", null] },
  {
    id: "AMF-037",
    thing: "an object with sealed members, then another of its traits",
    hex: "11 09 05 01  0a 23 03 43 03 61 03 62 03 02  0a 01 06 03 78 03",
    value: [
      new TypedObject("C", plain({ a: true, b: false })),
      new TypedObject("C", plain({ a: "x", b: true })),
    ],
    written: [
      "amf3",
      "11 09 05 01  0a 0b 03 43 03 61 03 03 62 02 01  0a 0b 00 02 06 03 78 04 03 01",
    ],
  },
  {
    id: "AMF-064",
    thing: "an object with sealed and dynamic members",
    hex: "11 0a 1b 01 03 61 03 03 62 02 01",
    value: plain({ a: true, b: false }),
    written: ["amf3", "11 0a 0b 01 03 61 03 03 62 02 01"],
  },
  {
    id: "AMF-037",
    thing: "a dynamic object of a class",
    hex: "11 0a 0b 03 43 03 61 04 01 03 62 04 02 01",
    value: new TypedObject("C", plain({ a: 1, b: 2 })),
  },
  {
    id: "AMF-037",
    thing: "an externalizable object",
    hex: `11 0a 07 43 ${
      toHex(new TextEncoder().encode("flex.messaging.io.ArrayCollection"))
    } 09 03 01 04 07`,
    value: new Collection([7]),
  },
  {
    id: "AMF-038",
    thing: "a byte array",
    hex: "11 0c 07 00ff80",
    value: Uint8Array.of(0, 255, 128),
  },
  { id: "AMF-038", thing: "an empty byte array", hex: "11 0c 01", value: new Uint8Array(0) },
  {
    id: "AMF-039",
    thing: "a dictionary with weak keys of any kind",
    hex: "11 11 07 01 04 05 06 03 78 0a 0b 01 01 03 05 3ff8000000000000 01",
    value: new AmfDictionary([[5, "x"], [plain({}), true], [1.5, null]], true),
  },
  { id: "AMF-039", thing: "an empty dictionary", hex: "11 11 01 00", value: new AmfDictionary() },
  {
    id: "AMF-040",
    thing: "an XMLDocument",
    hex: "11 07 09 3c612f3e",
    value: new AmfXml("<a/>", true),
  },
  { id: "AMF-040", thing: "an XML", hex: "11 0b 09 3c612f3e", value: new AmfXml("<a/>", false) },
  {
    id: "AMF-040",
    thing: "a Vector of int",
    hex: "11 0d 05 00 ffffffff 00000001",
    value: new AmfVector("int", [-1, 1]),
  },
  {
    id: "AMF-040",
    thing: "a fixed Vector of uint",
    hex: "11 0e 03 01 ffffffff",
    value: new AmfVector("uint", [4294967295], true),
  },
  {
    id: "AMF-040",
    thing: "a Vector of Number",
    hex: "11 0f 03 00 3ff8000000000000",
    value: new AmfVector("double", [1.5]),
  },
  {
    id: "AMF-040",
    thing: "a Vector of objects with a nested Vector",
    hex: "11 10 07 00 03 43  0a 0b 00 01  0d 03 00 00000007  04 07",
    value: new AmfVector(
      "object",
      [new TypedObject("C", plain({})), new AmfVector("int", [7]), 7],
      false,
      "C",
    ),
  },
  {
    id: "AMF-040",
    thing: "a Vector of objects",
    hex: "11 10 05 01 03 43 0a 0b 00 01 04 07",
    value: new AmfVector("object", [new TypedObject("C", plain({})), 7], true, "C"),
  },
  { id: "AMF-040", thing: "an empty Vector", hex: "11 0d 01 00", value: new AmfVector("int", []) },
];

for (const { id, thing, hex, value, written, form } of cases) {
  Deno.test(`${id} AmfReader reads ${thing}`, () => assert.deepStrictEqual(decode(hex), [value]));
  if (written === "not") continue;
  const [writtenForm, writtenHex] = written ?? [form ?? "amf3", hex];
  Deno.test(`${id} AmfWriter writes ${thing}`, () => {
    const writer = new AmfWriter({ form: writtenForm }).writeValue(value);
    assert.equal(toHex(writer.bytes()), toHex(fromHex(writtenHex)));
  });
}

Deno.test("AMF-003, AMF-004 AmfReader numbers strings, objects and traits over all AMF3 values of a message", () => {
  const [first, second, third, date, again] = decode(
    "11 0a 0b 03 43 03 61 06 03 78 01" + // object 0, traits 0, strings C a x
      "06" + // AMF0 between
      "11 09 03 01 0a 01 02 0a 00 01" + // array 1; object 2 of traits 0, a = object 0
      "11 08 01 0000000000000000" + // date 3
      "11 08 06", // date 3 again
  );
  const c = new TypedObject("C", plain({ a: "x" }));
  assert.deepEqual(first, c);
  assert.equal(second, undefined);
  const [inner] = third as TypedObject[];
  // The traits are dynamic: the name `a` comes by reference.
  assert.equal(inner.type, "C");
  assert.equal(inner.members.a, first);
  assert.equal(date, again);
});

Deno.test("AMF-004 AmfReader numbers each kind of container in the order of its start", () => {
  const containers = [
    "0a 0b 01 01", // object
    "09 01 01", // array
    "08 01 0000000000000000", // date
    "0c 01", // byte array
    "11 01 00", // dictionary
    "07 01", // XMLDocument
    "0b 01", // XML
    "0d 01 00", // Vectors
    "0e 01 00",
    "0f 01 00",
    "10 01 00 01",
    "0a 07 43 666c65782e6d6573736167696e672e696f2e4172726179436f6c6c656374696f6e 01",
  ];
  const references = containers.map((hex, index) =>
    hex.slice(0, 2) + (2 * index + 2).toString(16).padStart(2, "0")
  );
  const length = 2 * containers.length;
  const head = "11 09" + (2 * length + 1).toString(16) + "01";
  const [value] = decode(head + containers.join("") + references.join(""));
  assert.ok(Array.isArray(value));
  for (let i = 0; i < containers.length; i++) {
    assert.equal(value[i], value[i + containers.length], containers[i]);
  }
  assert.equal(new Set(value).size, containers.length);
});

Deno.test("AMF-004 AmfReader gives the empty string no reference number", () => {
  assert.deepEqual(decode("11 06 01 11 06 03 61 11 06 00"), ["", "a", "a"]);
});

Deno.test("AMF-015 AmfReader numbers only AMF0's objects, typed objects and arrays for AMF0 references", () => {
  const values = decode(
    "03 0001 61 11 0a 0b 01 01 000009" + // 0, with an AMF3 object inside
      "0a 00000000" + // 1
      "0b 0000000000000000 0000" + // a date is none
      "08 00000000 000009" + // 2
      "10 0001 43 000009" + // 3
      "070000 070001 070002 070003",
  );
  assert.equal(values.length, 9);
  assert.equal(values[5], values[0]);
  assert.equal(values[6], values[1]);
  assert.equal(values[7], values[3]);
  assert.equal(values[8], values[4]);
});

Deno.test("AmfReader and AmfWriter read and write a cycle in AMF0 and AMF3", () => {
  for (
    const [form, hex] of [["amf3", "11 0a 0b 01 03 61 0a 00 01"], [
      "amf0",
      "03 0001 61 07 0000 000009",
    ]] as const
  ) {
    const [value] = decode(hex) as Record<string, AmfValue>[];
    assert.equal(value.a, value);
    assert.equal(toHex(new AmfWriter({ form }).writeValue(value).bytes()), toHex(fromHex(hex)));
  }
});

Deno.test("AmfWriter writes a repeated value again in AMF0, by reference in AMF3", () => {
  const object = plain({});
  const array: AmfValue[] = [];
  const write = (form: AmfForm, ...values: AmfValue[]) => {
    const writer = new AmfWriter({ form });
    for (const value of values) writer.writeValue(value);
    return toHex(writer.bytes());
  };
  assert.equal(write("amf0", object, object), "03000009".repeat(2));
  assert.equal(write("mixed", object, object), "03000009".repeat(2));
  assert.equal(write("amf3", object, object), "110a0b0101" + "110a00");
  assert.equal(write("mixed", array, array), "11090101" + "110900");
  assert.equal(write("mixed", [object], object), "11090301" + "0a0b0101" + "03000009");
  assert.equal(write("amf0", array, array), "0a00000000".repeat(2));
  const date = new Date(0);
  assert.equal(write("amf3", date, date), "1108010000000000000000" + "110800");
});

Deno.test("AmfWriter writes in the amf0 form a byte array as a string, a Vector as an array, and throws WireError for others", () => {
  const write = (value: AmfValue) =>
    toHex(new AmfWriter({ form: "amf0" }).writeValue(value).bytes());
  assert.equal(write(Uint8Array.of(0x61)), "02000161");
  assert.equal(write(new AmfVector("int", [1])), "0a00000001003ff0000000000000");
  assert.equal(write(new AmfXml("x", false)), "0f0000000178");
  assert.throws(() => write(new AmfDictionary()), WireError);
  assert.throws(() => write(new Collection([])), WireError);
});

Deno.test("AmfWriter writes in the mixed form XML other than a document in AMF3", () => {
  const write = (value: AmfValue) =>
    toHex(new AmfWriter({ form: "mixed" }).writeValue(value).bytes());
  assert.equal(write(new AmfXml("x", false)), "110b0378");
  assert.equal(write(new AmfXml("x", true)), "0f0000000178");
  assert.equal(write(plain({ a: [plain({})] })), "03000161" + "110903010a0b0101" + "000009");
});

Deno.test("AMF-010 AmfWriter writes every number but integers of 29 bits as a double, also -0 and NaN", () => {
  for (const value of [NaN, Infinity, -Infinity, -0, 268435456, -268435457, 0.5, 1e300]) {
    const bytes = new AmfWriter().writeValue(value).bytes();
    assert.equal(bytes[0], 0x00, `${value}`);
    assert.ok(Object.is(new AmfReader(bytes).readValue(), value));
  }
  assert.equal(toHex(new AmfWriter().writeValue(-268435456).bytes()), "1104c0808000");
});

Deno.test("AmfWriter writes a repeated string by reference, but never the empty string", () => {
  const value = plain({ name: "name", x: "name", "": "y", e: "", f: "" });
  assert.equal(
    toHex(new AmfWriter().writeValue(value).bytes()),
    "110a0b01" + "096e616d650600" + "03780600" + "03650601" + "03660601" + "01",
  );
});

Deno.test("AmfReader throws WireError at a marker that no value begins with", () => {
  const known0 = new Set([0, 1, 2, 3, 5, 6, 7, 8, 10, 11, 12, 13, 15, 16, 17]);
  for (let marker = 0; marker < 256; marker++) {
    const rest = "00".repeat(16);
    const hex = marker.toString(16).padStart(2, "0");
    if (!known0.has(marker)) assert.throws(() => decode(hex + rest), WireError, `AMF0 ${hex}`);
    if (marker > 0x11) assert.throws(() => decode("11" + hex + rest), WireError, `AMF3 ${hex}`);
  }
});

Deno.test("AmfReader throws WireError at a dangling reference", () => {
  for (
    const hex of [
      "07 0000",
      "11 09 00",
      "11 0a 02",
      "11 06 00",
      "11 0a 01",
      "11 08 00",
      "11 0a 0b 00",
    ]
  ) {
    assert.throws(() => decode(hex), WireError, hex);
  }
});

Deno.test("AmfReader throws a WireError that names the class of an unknown externalizable object", () => {
  assert.throws(() => new AmfReader(fromHex("11 0a 07 07 457874 01")).readValue(), /Ext/);
});
