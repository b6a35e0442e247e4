// Every vector of the specification that contains AMF.
import assert from "node:assert/strict";
import { fromHex, toHex } from "../../src/bytes/hex.ts";
import {
  AmfDictionary,
  type AmfForm,
  AmfReader,
  type AmfValue,
  AmfWriter,
  encodeAmf0,
  MixedArray,
  TypedObject,
} from "../../src/amf/mod.ts";
import { plain, vectors } from "./support.ts";

function encode(form: AmfForm, values: AmfValue[]): string {
  const writer = new AmfWriter({ form });
  for (const value of values) writer.writeValue(value);
  return toHex(writer.bytes());
}

const array = [1];

/** The values of the vectors' Lua code, in JavaScript. */
const lua: Record<string, AmfValue[]> = {
  "AMF-101": ["hello"],
  "AMF-102": [""],
  "AMF-103": [5],
  "AMF-103 negative": [-1],
  "AMF-104": [268435455],
  "AMF-104 above": [268435456],
  "AMF-105": [1.5],
  "AMF-106": [true],
  "AMF-106 nil": [null],
  "AMF-106 none": [],
  "AMF-107": [[]],
  "AMF-108": [[10, 20]],
  "AMF-109": [{ x: 10 }],
  "AMF-110": [new MixedArray({ x: 10 }, [100])],
  "AMF-111": [{ a: { b: 1 } }],
  "AMF-112": [Uint8Array.of(0x61, 0x62)],
  "AMF-113": [new Date(905989690435)],
  "AMF-114": [new AmfDictionary([["k", "v"]])],
  "AMF-115": [new TypedObject("Cat", { a: true })],
  "AMF-116": ["a", "a"],
  "AMF-117": [array, array],
  "AMF-118": [
    {
      externalizable: "Ext",
      writeExternal: (writer: AmfWriter) => void writer.writeValue("inside"),
    },
  ],
  "AMF-121": ["hello"],
  "AMF-121 empty": [""],
  "AMF-122": [5],
  "AMF-123": [{ x: 10 }],
  "AMF-124": [[10, 20]],
  "AMF-125": [new Date(0)],
  "AMF-126": [new TypedObject("Cat", { a: true })],
};

for (const { id, lua: call, hex } of vectors.lua) {
  Deno.test(`${id} AmfWriter writes ${call} as the bytes of the vector`, () => {
    assert.ok(lua[id], "no value for this vector");
    assert.equal(encode(call.includes("toAMF0") ? "mixed" : "amf3", lua[id]), hex);
  });
}

const amf0: Record<string, AmfValue> = {
  "number 1": 1,
  "number 3000.5": 3000.5,
  "NaN": NaN,
  "true": true,
  "false": false,
  'string "foo"': "foo",
  "empty string": "",
  "null": null,
  "undefined": undefined,
  "object {a:1}": plain({ a: 1 }),
  "ecma array {a:1}": new MixedArray(plain({ a: 1 })),
  'strict array [1,"x"]': [1, "x"],
  "date 1000 ms, zone 0": new Date(1000),
};

for (const { name, hex } of vectors.amf0) {
  Deno.test(`AmfReader reads the amf0 vector ${name}`, () => {
    const reader = new AmfReader(fromHex(hex));
    const value = reader.readValue();
    assert.ok(reader.done);
    if (name === "long string of 3") assert.equal(value, "abc");
    else if (name.startsWith("AMF3 integer 4")) assert.equal(value, 4);
    else {
      assert.ok(name in amf0, "no value for this vector");
      assert.deepEqual(value, amf0[name]);
      assert.equal(toHex(encodeAmf0(amf0[name])), hex);
    }
  });
}

for (const { name, hex } of vectors.tcMessages) {
  const type = parseInt(hex.slice(0, 2), 16);
  if (![0x0f, 0x11, 0x12, 0x14].includes(type)) continue; // those carry AMF
  Deno.test(`AmfReader and AmfWriter read and rewrite the tc-messages vector ${name}`, () => {
    const body = fromHex(hex).subarray(type === 0x0f || type === 0x11 ? 6 : 5);
    const reader = new AmfReader(body);
    const values: AmfValue[] = [];
    while (!reader.done) values.push(reader.readValue());
    assert.equal(typeof values[0], "string");
    const writer = new AmfWriter({ form: "amf0" });
    for (const value of values) {
      if (name.includes("AMF3 integer") && value === 1) writer.form = "amf3";
      writer.writeValue(value);
    }
    assert.equal(toHex(writer.bytes()), toHex(body));
  });
}

Deno.test("AmfReader reads the connect command object of the tc-messages vector", () => {
  const { hex } = vectors.tcMessages.find(({ name }) => name === "connect")!;
  const reader = new AmfReader(fromHex(hex).subarray(5));
  assert.equal(reader.readValue(), "connect");
  assert.equal(reader.readValue(), 1);
  assert.deepEqual(
    reader.readValue(),
    plain({
      app: "live",
      flashVer: "WIN 20,0,0,286",
      swfUrl: undefined,
      tcUrl: "rtmfp://127.0.0.1/live",
      fpad: false,
      capabilities: 235,
      audioCodecs: 3575,
      videoCodecs: 252,
      videoFunction: 1,
      pageUrl: undefined,
      objectEncoding: 3,
    }),
  );
  assert.ok(reader.done);
});
