import assert from "node:assert/strict";
import {
  AmfDictionary,
  type AmfValue,
  AmfVector,
  AmfXml,
  MixedArray,
  TypedObject,
} from "../../../src/amf/mod.ts";
import { fromJson, type Json, JsonError, toJson } from "../../../src/client/cli/json.ts";

const pairs: [string, AmfValue, Json][] = [
  ["null", null, null],
  ["a number", 1.5, 1.5],
  ["NaN", NaN, { $number: "NaN" }],
  ["an infinity", -Infinity, { $number: "-Infinity" }],
  ["minus zero", -0, { $number: "-0" }],
  ["text", "é\u0000", "é\u0000"],
  ["an array", [1, "a", [true]], [1, "a", [true]]],
  ["a date", new Date(905989690435), { $date: "1998-09-16T23:48:10.435Z" }],
  ["bytes", Uint8Array.of(0, 1, 255), { $bytes: "AAH/" }],
  ["a class", new TypedObject("Cat", nothing({ name: "Tom" })), { $type: "Cat", name: "Tom" }],
  ["named members", new MixedArray(nothing({ n: 1 }), [2, 3]), { $array: [2, 3], n: 1 }],
  ["a vector", new AmfVector("int", [1, -2], true), {
    $vector: [1, -2],
    kind: "int",
    fixed: true,
  }],
  ["a dictionary", new AmfDictionary([["k", 1], [2, [3]]]), {
    $dictionary: [["k", 1], [2, [3]]],
  }],
  ["XML", new AmfXml("<a/>", false), { $xml: "<a/>" }],
  ["an XML document", new AmfXml("<a/>", true), { $xmlDocument: "<a/>" }],
  ["dollar names", nothing({ $date: 1, a: { $x: 2 } }), {
    $object: { $date: 1, a: { $object: { $x: 2 } } },
  }],
  ["objects in objects", nothing({ a: nothing({ b: null }), __proto: 1 }), {
    a: { b: null },
    __proto: 1,
  }],
];

/** Copies an object without prototypes at any depth, as AMF decoding makes it. */
function nothing(object: Record<string, AmfValue>): Record<string, AmfValue> {
  const result: Record<string, AmfValue> = Object.create(null);
  for (const [name, value] of Object.entries(object)) {
    const plain = value !== null && typeof value === "object" &&
      Object.getPrototypeOf(value) === Object.prototype;
    result[name] = plain ? nothing(value as Record<string, AmfValue>) : value;
  }
  return result;
}

Deno.test("fromJson() reads every kind of value that toJson() writes", () => {
  for (const [what, value, json] of pairs) {
    assert.deepEqual(JSON.parse(JSON.stringify(toJson(value))), json, what);
    assert.deepEqual(fromJson(json), value, what);
  }
});

Deno.test('toJson() writes undefined as null, and fromJson() reads {"$undefined": true} as undefined', () => {
  assert.equal(toJson(undefined), null);
  assert.deepEqual(toJson([undefined]), [null]);
  assert.equal(fromJson({ $undefined: true }), undefined);
});

Deno.test("fromJson() reads a date in ms", () => {
  assert.deepEqual(fromJson({ $date: 1000 }), new Date(1000));
  assert.deepEqual(toJson(new Date(NaN)), { $date: "NaN" });
});

Deno.test("toJson() writes a cycle as its number of levels upwards, and a repeated value again", () => {
  const inner: AmfValue[] = [];
  const outer = [inner, [inner]];
  assert.deepEqual(toJson(outer), [[], [[]]]);
  inner.push(outer);
  assert.deepEqual(toJson(outer), [[{ $cycle: 2 }], [[{ $cycle: 3 }]]]);
});

Deno.test('toJson() and fromJson() treat "__proto__" like any other member', () => {
  const object = fromJson(JSON.parse('{"__proto__": {"a": 1}}')) as Record<string, AmfValue>;
  assert.deepEqual(Object.keys(object), ["__proto__"]);
  assert.equal(JSON.stringify(toJson(object)), '{"__proto__":{"a":1}}');
});

Deno.test("fromJson() refuses an invalid form and names the expected one", () => {
  const bad: [Json, RegExp][] = [
    [{ $date: "soon" }, /"\$date" needs a date or milliseconds, not "soon"/],
    [{ $date: null }, /"\$date" needs/],
    [{ $bytes: "*" }, /"\$bytes" needs base64/],
    [{ $number: "7" }, /"\$number" needs NaN/],
    [{ $type: 1 }, /"\$type" needs text/],
    [{ $array: {} }, /"\$array" needs an array/],
    [{ $vector: ["a"], kind: "int" }, /"\$vector" needs numbers/],
    [{ $vector: [1, { $undefined: true }], kind: "int" }, /"\$vector" needs numbers/],
    [{ $vector: [], kind: "float" }, /"\$vector" needs a kind/],
    [{ $dictionary: [[1]] }, /"\$dictionary" needs pairs/],
    [{ $dictionary: [[1, 2, 3]] }, /"\$dictionary" needs pairs/],
    [{ $object: [] }, /"\$object" needs an object/],
    [[{ $what: 1 }], /Unknown form "\$what"/],
  ];
  for (const [json, message] of bad) {
    assert.throws(() => fromJson(json), { name: JsonError.name, message });
  }
});
