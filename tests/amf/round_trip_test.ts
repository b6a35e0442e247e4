// Properties: every written value is read back unchanged, in every form.
import assert from "node:assert/strict";
import fc from "fast-check";
import {
  AmfDictionary,
  AmfReader,
  type AmfValue,
  AmfVector,
  AmfWriter,
  AmfXml,
  MixedArray,
  TypedObject,
} from "../../src/amf/mod.ts";
import { Collection, decode, externalizable, messages, plain } from "./support.ts";
import { fromHex, toHex } from "../../src/bytes/hex.ts";

const text = fc.string({ unit: "binary", maxLength: 40 });
const named = (value: fc.Arbitrary<AmfValue>) =>
  fc.dictionary(fc.string({ unit: "binary", minLength: 1, maxLength: 8 }), value, { maxKeys: 5 })
    .map(plain);

/** Values that every form can write. */
const common = (value: fc.Arbitrary<AmfValue>): fc.Arbitrary<AmfValue>[] => [
  fc.constantFrom(null, undefined, true, false),
  fc.double(),
  fc.integer(),
  text,
  fc.date({ noInvalidDate: false }),
  text.map((text) => new AmfXml(text, true)),
  fc.array(value, { maxLength: 5 }),
  named(value),
  fc.tuple(fc.string({ minLength: 1 }), named(value)).map(([type, members]) =>
    new TypedObject(type, members)
  ),
  named(value).map((members) => new MixedArray(members)).filter(({ named }) =>
    Object.keys(named).length > 0
  ),
];

const amf0 = fc.letrec<{ value: AmfValue }>((tie) => ({
  value: fc.oneof({ maxDepth: 4 }, ...common(tie("value"))),
})).value;

const amf3 = fc.letrec<{ value: AmfValue }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4 },
    ...common(tie("value")),
    text.map((text) => new AmfXml(text, false)),
    fc.uint8Array(),
    fc.tuple(named(tie("value")), fc.array(tie("value"))).map(([names, dense]) =>
      Object.keys(names).length > 0 ? new MixedArray(names, dense) : dense
    ),
    fc.tuple(fc.array(fc.tuple(tie("value"), tie("value"))), fc.boolean()).map(([pairs, weak]) =>
      new AmfDictionary(pairs, weak)
    ),
    fc.tuple(fc.array(fc.integer()), fc.boolean()).map(([items, fixed]) =>
      new AmfVector("int", items, fixed)
    ),
    fc.array(fc.nat({ max: 0xffffffff })).map((items) => new AmfVector("uint", items)),
    fc.array(fc.double()).map((items) => new AmfVector("double", items)),
    fc.tuple(fc.array(tie("value")), text).map(([items, type]) =>
      new AmfVector("object", items, false, type)
    ),
    tie("value").map((value) => new Collection(value)),
  ),
})).value;

for (const [form, values] of [["amf3", amf3], ["mixed", amf3], ["amf0", amf0]] as const) {
  Deno.test(`AmfReader reads back values that AmfWriter wrote in the form ${form} unchanged`, () => {
    fc.assert(
      fc.property(fc.array(values, { maxLength: 4 }), (values) => {
        const writer = new AmfWriter({ form });
        for (const value of values) writer.writeValue(value);
        assert.deepStrictEqual(decode(writer.bytes()), values);
      }),
      { numRuns: 400 },
    );
  });
}

Deno.test("AmfReader.read() passes values to an AmfWriter unchanged", () => {
  fc.assert(
    fc.property(amf3, (value) => {
      const bytes = new AmfWriter().writeValue(value).bytes();
      if (toHex(bytes).includes("666c65782e")) return; // externalizable: no way to pass it on
      const writer = new AmfWriter();
      new AmfReader(bytes).read(writer);
      assert.deepStrictEqual(decode(writer.bytes()), [value]);
    }),
  );
});

Deno.test("AmfReader.skip() skips exactly one value", () => {
  for (const [name, hex] of Object.entries(messages)) {
    if (name === "AMF-118") continue; // externalizable
    const [skipping, reading] = [new AmfReader(fromHex(hex)), new AmfReader(fromHex(hex))];
    while (!reading.done) {
      reading.readValue();
      skipping.skip();
      assert.equal(skipping.left, reading.left, name);
    }
  }
});

Deno.test("A cleared AmfWriter writes the same bytes as a new one", () => {
  const used = new AmfWriter();
  fc.assert(fc.property(amf3, (value) => {
    const bytes = toHex(used.clear().writeValue(value).bytes());
    assert.equal(bytes, toHex(new AmfWriter().writeValue(value).bytes()));
  }));
});

Deno.test("An externalizable value that reads itself keeps the message's references", () => {
  const shared = plain({ a: 1 });
  const bytes = new AmfWriter().writeValue([shared, new Collection(shared)]).bytes();
  const [value] = decode(bytes) as [[AmfValue, Collection]];
  assert.equal(value[1].source, value[0]);
  assert.equal(new AmfReader(bytes, { externalizable }).left, bytes.length);
});
