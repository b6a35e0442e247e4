// Lua → AMF, from Lua: AMF-070 to AMF-079.
import assert from "node:assert/strict";
import fc from "fast-check";
import {
  AmfDictionary,
  AmfReader,
  type AmfValue,
  AmfWriter,
  MixedArray,
  TypedObject,
} from "../../src/amf/mod.ts";
import { fromHex, toHex } from "../../src/bytes/hex.ts";
import { decode, plain } from "../amf/support.ts";
import type { AmfHost } from "../../src/script/api/amf_host.ts";
import type { Binding } from "../../src/script/api/binding.ts";
import { Machine } from "./amf_machine.ts";

interface Outcome {
  hex: string;
  readonly values: AmfValue[];
  logged: string[];
}

/** The result of a chunk: a string of AMF. */
function run(chunk: string): Outcome {
  const machine = new Machine();
  const [bytes] = machine.run(chunk);
  assert.ok(bytes instanceof Uint8Array);
  assert.equal(machine.lua.top, 0);
  assert.deepEqual(machine.bugs, []);
  return {
    hex: toHex(bytes),
    get values() {
      return decode(bytes);
    },
    logged: machine.logged,
  };
}

/** Like {@link run}; fails if the server logs a message. */
function quiet(chunk: string): Outcome {
  const outcome = run(chunk);
  assert.deepEqual(outcome.logged, []);
  return outcome;
}

const hex = (text: string) => toHex(fromHex(text));

Deno.test("AMF-072: toAMF writes integers of 29 bits as int, other numbers as doubles", () => {
  const { values, hex: bytes } = quiet(
    `return cumulus:toAMF(-268435456, -268435457, 268435455, 268435456, 0/0, 1/0, -1/0, -0.0, 2^60, 5.0, 1.5,
       math.maxinteger)`,
  );
  assert.deepEqual(values, [
    -268435456,
    -268435457,
    268435455,
    268435456,
    NaN,
    Infinity,
    -Infinity,
    -0,
    2 ** 60,
    5,
    1.5,
    2 ** 63,
  ]);
  assert.ok(bytes.startsWith(hex("11 04 c0808000 00 c1b0000001000000 11 04 bfffffff")));
  assert.ok(Object.is(values[7], -0));
});

Deno.test("AMF-073: toAMF writes strings byte for byte", () => {
  assert.equal(quiet('return cumulus:toAMF("\\0\\255", "")').hex, hex("11 06 05 00ff 11 06 01"));
  assert.equal(quiet('return cumulus:toAMF0("\\0\\255")').hex, hex("02 0002 00ff"));
});

Deno.test("AMF-074: __raw takes precedence over all other fields", () => {
  const { hex: bytes } = quiet('return cumulus:toAMF({__raw = "a", __time = 1, 1, 2, x = 1})');
  assert.equal(bytes, hex("11 0c 03 61"));
  // other types are ignored
  assert.deepEqual(quiet("return cumulus:toAMF({__raw = 1})").values, [plain({ __raw: 1 })]);
});

Deno.test("AMF-075: __time takes precedence over __size", () => {
  const { values } = quiet("return cumulus:toAMF({__time = -1.5, __size = 1, x = 2})");
  assert.deepEqual(values, [new Date(-1.5)]);
  assert.deepEqual(quiet('return cumulus:toAMF({__time = "1"})').values, [plain({ __time: "1" })]);
});

Deno.test("AMF-076: toAMF writes a dictionary with its present pairs", () => {
  const { values } = quiet(
    `return cumulus:toAMF(setmetatable({__size = 99, k = "v", [5] = true, [true] = 1.5, [{n = 1}] = "t"},
       {__mode = "k"}))`,
  );
  const [dictionary] = values as [AmfDictionary];
  assert.equal(dictionary.weak, true);
  assert.equal(dictionary.size, 4);
  assert.equal(dictionary.get("k"), "v");
  assert.equal(dictionary.get(5), true);
  assert.equal(dictionary.get(true), 1.5);
  const object = [...dictionary.keys()].find((key) => typeof key === "object");
  assert.deepEqual(object, plain({ n: 1 }));
  assert.equal(quiet("return cumulus:toAMF({__size = 0})").hex, hex("11 11 01 00"));
  const odd = run("return cumulus:toAMF({__size = 1, [print] = 1, a = 2})");
  assert.deepEqual(odd.values, [new AmfDictionary([["a", 2]])]);
  assert.equal(odd.logged.length, 1);
});

Deno.test("AMF-077: toAMF calls __writeExternal of an externalizable object", () => {
  const { hex: bytes } = quiet(
    `local ext = {__type = "Ext", x = 1}
     function ext:__writeExternal(writer)
       assert(self == ext)
       writer:writeByte(7)
       writer:writeAMF("a", {self.x}, nil, true, 1.5)
     end
     return cumulus:toAMF(ext, 2)`,
  );
  assert.equal(
    bytes,
    hex("11 0a 07 07 457874 07 06 03 61 09 03 01 04 01 01 03 05 3ff8000000000000 11 04 02"),
  );
});

Deno.test("AMF-077: toAMF raises an error of __writeExternal", () => {
  const machine = new Machine();
  const ext = (body: string) =>
    `return cumulus:toAMF({__type = "Ext", __writeExternal = function(self, writer) ${body} end})`;
  assert.match(machine.failure(ext("error('broken')")), /broken/);
  assert.match(machine.failure(ext("writer:writeUTF(('x'):rep(65536))")), /65535/);
  const deep = "local t = {} for i = 1, 300 do t = {t} end pcall(writer.writeAMF, writer, t)";
  assert.match(machine.failure(ext(deep)), /deep/);
  assert.deepEqual(machine.bugs, []);
  assert.equal(toHex(machine.bytes("cumulus:toAMF(5)")), "110405"); // the next call works
});

Deno.test("AMF-077: toAMF does not confuse temporary tables at the same address", () => {
  // Each table is collected before the next is made, most likely at the same address.
  const { values } = quiet(
    `local ext = {__type = "flex.messaging.io.ArrayCollection"}
     local drop = {{"dropped"}}
     function ext:__writeExternal(writer)
       drop[1] = nil
       local list = {}
       for i = 1, 100 do
         collectgarbage()
         list[i] = {i}
         writer:writeAMF({{i}})
         break
       end
     end
     local other = {__type = "flex.messaging.io.ArrayCollection", __writeExternal = function(self, writer)
       collectgarbage()
       writer:writeAMF({{"new"}})
     end}
     return cumulus:toAMF(drop, ext, other, {{"newer"}})`,
  );
  assert.deepEqual(
    values.map((value) => (value as { source?: AmfValue }).source ?? value),
    [[["dropped"]], [[1]], [["new"]], [["newer"]]],
  );
});

Deno.test("toAMF raises an error for a table that grows during the call", () => {
  const machine = new Machine();
  const chunk = (field: string) =>
    `local t = {${field}}
     for i = 1, 8 do t["k" .. i] = {__type = "E", __writeExternal = function(self, writer)
       t["k" .. i] = nil
       for i = 1, 100 do t["new" .. math.random()] = 1 end
     end} end
     return cumulus:toAMF(t)`;
  for (const field of ["", "__size = 1", "'a', 'b'"]) {
    const message = machine.failure(chunk(field));
    assert.match(message, /next|changes/, field);
  }
  assert.deepEqual(machine.bugs, []);
});

Deno.test("AMF-077: __writeExternal may call toAMF", () => {
  const { values } = quiet(
    `return cumulus:toAMF({__type = "flex.messaging.io.ArrayCollection", __writeExternal = function(self, writer)
       writer:writeAMF({__raw = cumulus:toAMF({1}, {__type = "E", __writeExternal = function() end})})
     end}, "end")`,
  );
  assert.equal(values[1], "end");
  const { source } = values[0] as { source: Uint8Array };
  assert.equal(toHex(source), hex("11 09 03 01 04 01 11 0a 07 03 45"));
});

Deno.test("AMF-078: toAMF writes the string keys of a typed object, and skips numbers with a WARN", () => {
  const { values, logged } = run('return cumulus:toAMF({__type = "Cat", a = 1, 10, 20})');
  assert.deepEqual(values, [new TypedObject("Cat", plain({ a: 1 }))]);
  assert.equal(logged.length, 1);
  assert.match(logged[0], /^warn: .*number/);
  assert.equal(quiet('return cumulus:toAMF({__type = ""})').hex, hex("11 0a 0b 01 01"));
});

Deno.test("AMF-078: toAMF reads __type through a class, and calls no function of a metatable", () => {
  const { values } = quiet(
    `local Base = {__type = "Cat"}
     Base.__index = Base
     local Class = setmetatable({}, Base)
     Class.__index = Class
     local loop = {}
     setmetatable(loop, loop)
     loop.__index = loop
     return cumulus:toAMF(setmetatable({a = 1}, Class), setmetatable({b = 2}, {__index = error, __pairs = error}),
       setmetatable({c = 3}, loop))`,
  );
  assert.deepEqual(values, [
    new TypedObject("Cat", plain({ a: 1 })),
    plain({ b: 2 }),
    plain({ c: 3 }),
  ]);
});

Deno.test("AMF-079: toAMF writes elements 1 to #t, holes as null, other numbers as names", () => {
  const { values } = quiet(
    `local t = {1, nil, 3, x = "y", [10] = "ten", [1.5] = "f", [-1] = "m", [0] = "z"}
     assert(#t == 3)
     return cumulus:toAMF(t)`,
  );
  const [array] = values as [MixedArray];
  assert.deepEqual(array.dense, [1, null, 3]);
  assert.deepEqual(array.named, plain({ x: "y", 10: "ten", "1.5": "f", "-1": "m", 0: "z" }));
  assert.deepEqual(quiet("return cumulus:toAMF({{}, {{}}})").values, [[[], [[]]]]);
});

Deno.test("AMF-079: toAMF writes an array that was not filled in order", () => {
  const { values } = quiet(
    `local t = {}
     for i = 20, 1, -1 do t[i] = i end
     local u = {}
     u.x = 0
     for i = 1, 5 do u[i] = i; u["n" .. i] = i end
     return cumulus:toAMF(t, u)`,
  );
  assert.deepEqual(values[0], Array.from({ length: 20 }, (_, i) => i + 1));
  assert.deepEqual(
    values[1],
    new MixedArray(plain({ x: 0, n1: 1, n2: 2, n3: 3, n4: 4, n5: 5 }), [1, 2, 3, 4, 5]),
  );
});

Deno.test("AMF-080b: toAMF writes a table without writable fields as an empty array", () => {
  const { values, logged } = run(
    "return cumulus:toAMF({[5] = 1}, {[true] = 1}, {[{}] = 1}, {[''] = 1}, {})",
  );
  assert.deepEqual(values, [[], [], [], [], []]);
  assert.equal(logged.length, 4);
  for (const [i, kind] of ["number", "boolean", "table", "name"].entries()) {
    assert.match(logged[i], new RegExp(`^warn: .*${kind}`));
  }
  const mixed = run("return cumulus:toAMF({[5] = 1, x = 2, [true] = 3})");
  assert.deepEqual(mixed.values, [plain({ x: 2 })]);
  assert.equal(mixed.logged.length, 2);
});

Deno.test("AMF-080c: toAMF writes functions and coroutines as null, with a WARN that names them", () => {
  const { values, logged } = run(
    "return cumulus:toAMF(print, coroutine.create(print), {print, 1})",
  );
  assert.deepEqual(values, [null, null, [null, 1]]);
  assert.deepEqual(logged.map((text) => /function|thread/.exec(text)?.[0]), ["function", "thread"]);
});

Deno.test("AMF-080g: toAMF leaves out members that are functions", () => {
  const { values } = quiet(
    "return cumulus:toAMF({__gc = 1, f = print, __x = print, a = 2}, {f = print})",
  );
  assert.deepEqual(values, [plain({ __gc: 1, a: 2 }), plain({})]);
});

Deno.test("AMF-080d: toAMF writes the fields that scripts have added to an API object", () => {
  const machine = new Machine();
  const thing: Binding<object, AmfHost> = {
    name: "Thing",
    get: { id: () => 7, __type: () => "T" },
  };
  for (const name of ["bare", "full"]) {
    machine.objects.of(thing, { name }).push(machine.lua);
    machine.setGlobal(name);
  }
  machine.check("assert(bare.id == 7) full.a = {1} full.b = 'x' full[1] = 5");
  assert.deepEqual(decode(machine.bytes("cumulus:toAMF(bare, full, {bare})")), [
    [],
    new MixedArray(plain({ a: [1], b: "x" }), [5]),
    [[]],
  ]);
  assert.deepEqual([machine.logged, machine.bugs], [[], []]);
});

Deno.test("AMF-080e: toAMF writes a repeated table as a reference, in cycles too", () => {
  assert.equal(
    quiet("local t = {} t.self = t t.list = {t, t} return cumulus:toAMF(t, t)").hex.length,
    hex("11 0a 0b 01 09 73656c66 0a 00 09 6c697374 09 05 01 0a 00 0a 00 01 11 0a 00").length,
  );
  const { values } = quiet(
    `local a, b = {}, {}
     a.b, b.a = b, a
     local date, raw, dict = {__time = 0}, {__raw = "x"}, {__size = 1}
     dict[dict] = dict
     return cumulus:toAMF({a, b, date, raw, dict}, {a, b, date, raw, dict})`,
  );
  const [first, second] = values as [AmfValue[], AmfValue[]];
  for (let i = 0; i < 5; i++) assert.equal(first[i], second[i]);
  const [a, b] = first as Record<string, AmfValue>[];
  assert.ok(a.b === b && b.a === a);
  const dictionary = first[4] as AmfDictionary;
  assert.equal(dictionary.get(dictionary), dictionary);
});

Deno.test("AMF-080e: toAMF writes an index of a reference in one or more bytes", () => {
  const { values } = quiet(
    `local list = {}
     for i = 1, 200 do list[i] = {i} end
     return cumulus:toAMF(list, list[200], list[1])`,
  );
  const [list, last, first] = values as AmfValue[][];
  assert.equal(list[199], last);
  assert.equal(list[0], first);
});

Deno.test("toAMF raises an error that a script can catch for values nested too deep", () => {
  const machine = new Machine();
  for (const method of ["toAMF", "toAMF0", "onlyAMF0"]) {
    for (const inner of ["{t}", "{a = t}", "{__size = 1, a = t}", "{__type = 'T', a = t}"]) {
      machine.check(
        `local t = {} for i = 1, 100000 do t = ${inner} end
         local ok, message = pcall(cumulus.${method}, cumulus, t)
         assert(not ok and message:find("deep"), message)`,
      );
    }
  }
  assert.deepEqual(machine.bugs, []);
  assert.equal(toHex(machine.bytes("cumulus:toAMF(5)")), "110405");
});

Deno.test("toAMF0 stops at the maximum message length, for values that double in AMF0", () => {
  const machine = new Machine();
  machine.check(
    `local t = {x = ("x"):rep(60000)} for i = 1, 40 do t = {a = t, b = t} end
     local ok, message = pcall(cumulus.toAMF0, cumulus, t)
     assert(not ok and message:find("message"), message)
     assert(#cumulus:toAMF(t) < 62000)`,
  );
});

Deno.test("toAMF0 writes objects in AMF0 objects as AMF0, other values as AMF3", () => {
  assert.equal(
    quiet('return cumulus:toAMF0({o = {s = "x"}})').hex,
    hex("03 0001 6f 03 0001 73 02 0001 78 000009 000009"),
  );
  assert.equal(
    quiet('return cumulus:toAMF0({a = {{s = "x"}, {__time = 0}}})').hex,
    hex("03 0001 61 11 09 05 01 0a 0b 01 03 73 06 03 78 01 08 01 0000000000000000 000009"),
  );
  assert.equal(quiet('return cumulus:toAMF0({__raw = "x"})').hex, hex("11 0c 03 78"));
  assert.equal(quiet("return cumulus:toAMF0({})").hex, hex("11 09 01 01"));
  assert.equal(quiet("return cumulus:toAMF0({__size = 0})").hex, hex("11 11 01 00"));
  const long = quiet('return cumulus:toAMF0(("x"):rep(65536))').hex;
  assert.ok(long.startsWith("0c00010000"));
  assert.equal(
    quiet("local t = {} t.t = t return cumulus:toAMF0(t)").hex,
    hex("03 0001 74 07 0000 000009"),
  );
});

Deno.test("Decision 11: the server writes only AMF0 for a client that asked for AMF0", () => {
  const { values, hex: bytes } = quiet(
    `local t = {n = 1}
     return cumulus:onlyAMF0(1, "x", {1, {2}}, {10, a = "n"}, {__raw = "raw"}, {__time = 0}, {},
       {__size = 2, k = "v", [5] = true}, {__type = "T", a = 1, __writeExternal = error}, {t, t})`,
  );
  assert.deepEqual(values, [
    1,
    "x",
    [1, [2]],
    new MixedArray(plain({ a: "n", 0: 10 })),
    "raw",
    new Date(0),
    [],
    new MixedArray(plain({ 5: true, k: "v" })),
    new TypedObject("T", plain({ a: 1 })),
    [plain({ n: 1 }), plain({ n: 1 })],
  ]);
  assert.ok(!bytes.startsWith("11"));
});

Deno.test("LuaToAmf.encode() reads values from any index of the stack, and keeps the stack", () => {
  const machine = new Machine();
  const { lua, toAmf } = machine;
  lua.pushText("below");
  lua.pushNumber(1);
  lua.pushText("x");
  lua.pushNumber(3);
  assert.equal(toHex(toAmf.encode(2, 2)), "110401" + "11060378");
  assert.equal(toHex(toAmf.encode(-1, 1)), "110403");
  assert.equal(toHex(toAmf.encode(2, 1, "amf0")), "003ff0000000000000");
  assert.equal(toHex(toAmf.encode(4, 0)), "");
  assert.equal(lua.top, 4);
  const first = toAmf.encode(3, 1);
  toAmf.encode(2, 1);
  assert.equal(toHex(first), "11060378"); // a copy
});

/** Compares tables by content, independent of the order of members. */
const luaValues = fc.letrec<{ value: AmfValue }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4 },
    fc.boolean(),
    fc.double({ noNaN: true }),
    fc.integer(),
    fc.string({ unit: "binary", maxLength: 50 }),
    fc.uint8Array({ maxLength: 50 }),
    fc.array(tie("value"), { maxLength: 20 }),
    fc.dictionary(fc.stringMatching(/^[a-z_]{1,12}$/), tie("value"), { minKeys: 1, maxKeys: 12 })
      .map(plain),
    fc.tuple(
      fc.stringMatching(/^[A-Z]{1,5}$/),
      fc.dictionary(fc.stringMatching(/^[a-z]{1,5}$/), tie("value")),
    )
      .map(([type, members]) => new TypedObject(type, plain(members))),
  ),
})).value;

Deno.test("Lua decodes random values and encodes them to the same bytes", () => {
  const machine = new Machine();
  const { lua } = machine;
  fc.assert(
    fc.property(fc.array(luaValues, { maxLength: 4 }), (values) => {
      const writer = new AmfWriter();
      for (const value of values) writer.writeValue(value);
      const count = machine.toLua.push(new AmfReader(writer.bytes()));
      assert.equal(count, values.length);
      for (const form of ["amf3", "mixed"] as const) {
        assert.deepStrictEqual(decode(machine.toAmf.encode(1, count, form)), values);
      }
      assert.equal(lua.top, count);
      lua.top = 0;
    }),
    { numRuns: 500 },
  );
  assert.deepEqual([machine.logged, machine.bugs], [[], []]);
});

Deno.test("Lua writes a table to the same bytes in one call and piece by piece", () => {
  const machine = new Machine();
  const { lua } = machine;
  // Beside an object with __writeExternal, Lua writes tables piece by piece.
  machine.run('external = {__type = "E", __writeExternal = function() end}');
  const tail = "11" + "0a070345";
  fc.assert(
    fc.property(fc.array(luaValues, { minLength: 1, maxLength: 20 }), (values) => {
      machine.toLua.push(new AmfReader(new AmfWriter().writeValue(values).bytes()));
      lua.rawGetIndex(-1001000, 2);
      lua.getField(-1, "external");
      lua.remove(-2);
      const whole = toHex(machine.toAmf.encode(1, 1));
      const pieces = toHex(machine.toAmf.encode(1, 2));
      lua.top = 0;
      if (!whole.includes("45")) assert.equal(pieces, whole + tail);
      assert.ok(pieces.startsWith(whole));
    }),
    { numRuns: 300 },
  );
});

Deno.test("Lua writes tables that are too big for one call", () => {
  const { values } = quiet(
    `local big = {} for i = 1, 10000 do big[i] = {i, n = {m = i}} end
     local wide = {} for i = 1, 10000 do wide["key" .. i] = i end
     return cumulus:toAMF(big, wide)`,
  );
  const [big, wide] = values as [MixedArray[], Record<string, AmfValue>];
  assert.equal(big.length, 10000);
  assert.deepEqual(big[9999], new MixedArray(plain({ n: plain({ m: 10000 }) }), [10000]));
  assert.equal(Object.keys(wide).length, 10000);
  assert.equal(wide.key777, 777);
});
