// Lua reads and writes values of the maximum length of a message, also while its memory moves.
import assert from "node:assert/strict";
import fc from "fast-check";
import {
  AmfDictionary,
  AmfReader,
  type AmfSink,
  type AmfValue,
  AmfVector,
  encodeAmf,
  TypedObject,
} from "../../src/amf/mod.ts";
import { Machine } from "./amf_machine.ts";

/** Maximum bytes of a message. */
const MAX_MESSAGE = 16 << 20;

const list = <T>(length: number, element: (i: number) => T): T[] =>
  Array.from({ length }, (_, i) => element(i));

/** Values by name; each has at most 1,000,000 values, the limit of a message. */
const large: Record<string, AmfValue> = {
  "150,000 integers": list(150_000, (i) => i),
  "999,999 booleans": list(999_999, (i) => i % 3 === 0),
  "999,999 doubles": list(999_999, (i) => i + 0.5),
  "120,000 objects": list(120_000, (i) => ({ a: i, b: `b${i}`, c: i % 2 === 0, d: [i] })),
  "120,000 names": Object.fromEntries(list(120_000, (i) => [`name ${i}`, i])),
  "16 strings of nearly 1 MiB": list(16, (i) => String.fromCharCode(97 + i).repeat((1 << 20) - 16)),
  "a string of the maximum length of a message": "x".repeat(MAX_MESSAGE - 16),
};

for (const [name, value] of Object.entries(large)) {
  Deno.test(`Lua reads and writes a message of ${name}`, () => {
    const machine = new Machine({ memory: 1 << 30 });
    const message = encodeAmf(value);
    assert.ok(message.length <= MAX_MESSAGE, `${message.length} bytes`);
    assert.equal(machine.toLua.push(new AmfReader(message)), 1);
    // Members of a table have no order.
    const encoded = machine.toAmf.encode(1, 1);
    assert.equal(encoded.length, message.length);
    if (Array.isArray(value) && typeof value[0] !== "object") assert.ok(equal(encoded, message));
    machine.setGlobal("value");
    machine.check(`
      local bytes = cumulus:toAMF(value)
      local again = cumulus:fromAMF(bytes)
      local function same(a, b)
        if type(a) ~= "table" then return a == b end
        for k, v in pairs(a) do if not same(v, b[k]) then return false end end
        for k in pairs(b) do if a[k] == nil then return false end end
        return true
      end
      assert(same(value, again))`);
    assert.deepEqual(machine.logged, []);
  });
}

/** Compares bytes without a report of the differences, which is slow for millions of bytes. */
function equal(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}

Deno.test("Lua reads and writes a message unchanged when its memory moves before each value", () => {
  const machine = new Machine();
  const { memory } = machine.lua.c;
  /** Growing the memory by 0 pages detaches every view, as growing does. */
  class MovingReader extends AmfReader {
    override readAmf3(sink: AmfSink): void {
      memory.grow(0);
      super.readAmf3(sink);
    }
  }
  const { value } = fc.letrec<{ value: AmfValue }>((tie) => ({
    value: fc.oneof(
      { maxDepth: 5, withCrossShrink: true },
      fc.constantFrom<AmfValue>(true, false, null, 0, -1, 1.5, "", "a", "word".repeat(20)),
      fc.array(tie("value"), { maxLength: 20 }),
      fc.dictionary(fc.string({ minLength: 1, maxLength: 3 }), tie("value")),
      fc.array(fc.tuple(tie("value"), tie("value"))).map((pairs) => new AmfDictionary(pairs, true)),
      fc.array(tie("value")).map((values) => new TypedObject("Class", { values })),
      fc.array(fc.integer()).map((values) => new AmfVector("int", values)),
      fc.date({ noInvalidDate: true }),
      fc.uint8Array(),
    ),
  }));
  fc.assert(
    fc.property(value, (value) => {
      const message = encodeAmf(value);
      assert.equal(machine.toLua.push(new MovingReader(message)), 1);
      assert.equal(machine.toLua.push(new AmfReader(message)), 1);
      machine.lua.top = 0;
    }),
    { numRuns: 300 },
  );
  assert.deepEqual(machine.bugs, []);
});
