// AMF → Lua, in Lua: AMF-050 to AMF-064.
import assert from "node:assert/strict";
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
import { fromHex } from "../../src/bytes/hex.ts";
import { Machine } from "./amf_machine.ts";

/** Sets the global `bytes`, and runs a chunk that contains assertions. */
function check(bytes: Uint8Array | string, source: string, prelude = ""): Machine {
  const machine = new Machine();
  machine.give(typeof bytes === "string" ? fromHex(bytes) : bytes);
  machine.check(prelude);
  machine.check(source);
  assert.equal(machine.lua.top, 0);
  assert.deepEqual(machine.bugs, []);
  return machine;
}

function quiet(bytes: Uint8Array | string, source: string, prelude = ""): void {
  assert.deepEqual(check(bytes, source, prelude).logged, []);
}

function encode(form: AmfForm, ...values: AmfValue[]): Uint8Array {
  const writer = new AmfWriter({ form });
  for (const value of values) writer.writeValue(value);
  return writer.bytes();
}

const both = (name: string, value: AmfValue, source: string, prelude = "") => {
  for (const form of ["amf3", "amf0"] as const) {
    Deno.test(`${name} (${form})`, () => quiet(encode(form, value), source, prelude));
  }
};

Deno.test("AMF-050: fromAMF returns nil for null and undefined at their positions among the results", () => {
  quiet(
    "05 06 11 00 11 01 01 01",
    `local n = select("#", cumulus:fromAMF(bytes))
     assert(n == 5)
     assert(select(5, cumulus:fromAMF(bytes)) == true)`,
  );
});

Deno.test("AMF-050: fromAMF omits a null member or element of a table", () => {
  quiet(
    encode("amf3", { a: null, b: 1 }, [null, 2, undefined]),
    `local object, array = cumulus:fromAMF(bytes)
     assert(object.a == nil and object.b == 1 and next(object, "b") == nil)
     assert(array[1] == nil and array[2] == 2 and array[3] == nil)`,
  );
});

Deno.test("AMF-051: fromAMF returns whole numbers that print without a point", () => {
  quiet(
    encode("amf3", true, false, 1.5, 5, -7, 1e10, 2 ** 60, -0, Infinity),
    `local a, b, c, d, e, f, g, h, i = cumulus:fromAMF(bytes)
     assert(a == true and b == false and c == 1.5 and d == 5 and e == -7)
     assert(tostring(d) == "5" and tostring(f) == "10000000000" and math.type(f) == "integer")
     assert(g == 2^60 and 1 / h == -math.huge and i == math.huge)`,
  );
  quiet("00 7ff8000000000000", "local nan = cumulus:fromAMF(bytes) assert(nan ~= nan)");
});

Deno.test("AMF-051: fromAMF keeps all bytes of strings", () => {
  quiet(
    "02 0004 00ff80c3 11 06 09 00ff80c3 0c 00000001 61",
    `local a, b, c = cumulus:fromAMF(bytes)
     assert(a == "\\0\\255\\128\\195" and b == a and c == "a")`,
  );
});

both(
  "AMF-052: fromAMF returns an object as a table of its members",
  { a: 1, b: { c: "x" }, "": true },
  `local t = cumulus:fromAMF(bytes)
   assert(t.a == 1 and t.b.c == "x" and type(t.b) == "table")`,
);

both(
  "AMF-053, AMF-060: fromAMF sets __type of a typed object, and calls onTypedObject with the complete object",
  { cat: new TypedObject("Cat", { a: true, __type: "Dog" }) },
  `local cat = cumulus:fromAMF(bytes).cat
   assert(cat.__type == "Cat" and cat.a == true)
   assert(seen[1] == "Cat" and seen[2] == cat and seen[3] == true and #seen == 3)
   assert(cat:speak() == "miaow")`,
  `function onTypedObject(type, object)
     assert(object.__type == type)
     seen = {type, object, object.a}
     function object:speak() return "miaow" end
   end`,
);

Deno.test("AMF-060: the server logs an error of onTypedObject, and keeps the object", () => {
  const machine = check(
    encode("amf3", new TypedObject("Cat", { a: 1 }), 7),
    "local cat, n = cumulus:fromAMF(bytes) assert(cat.a == 1 and n == 7)",
    "function onTypedObject(type, object) error('no cats') end",
  );
  assert.equal(machine.logged.length, 1);
  assert.match(machine.logged[0], /^error: .*no cats/);
});

Deno.test("AMF-060: onTypedObject may itself decode and encode", () => {
  quiet(
    encode("amf3", [new TypedObject("A", { x: 1 }), new TypedObject("A", { x: 2 })], "end"),
    `local list, last = cumulus:fromAMF(bytes)
     assert(list[1].copy == 1 and list[2].copy == 2 and last == "end" and #list == 2)`,
    `function onTypedObject(type, object)
       object.copy = cumulus:fromAMF(cumulus:toAMF({n = object.x, pad = ("x"):rep(100)})).n
     end`,
  );
});

Deno.test("AMF-054: fromAMF returns an array as a table with elements from 1 and names", () => {
  quiet(
    encode("amf3", [10, 20, "x"], new MixedArray({ x: 10 }, [100])),
    `local a, b = cumulus:fromAMF(bytes)
     assert(#a == 3 and a[1] == 10 and a[3] == "x")
     assert(#b == 1 and b[1] == 100 and b.x == 10)`,
  );
});

Deno.test("AMF-054: fromAMF appends values with numeric names to the elements of an array", () => {
  quiet(
    encode("amf0", new MixedArray({ "0": "a", "5": "b", x: "c" })),
    `local t = cumulus:fromAMF(bytes)
     assert(t[1] == "a" and t[2] == "b" and t.x == "c" and #t == 2)
     assert(t["0"] == nil and t["5"] == nil and t[5] == nil)`,
  );
  quiet(
    // AMF3: names 7 and x, then elements; JavaScript would reorder the names
    "11 09 05 03 37 06 03 37 03 78 01 01 04 01 04 02",
    `local t = cumulus:fromAMF(bytes)
     assert(t[1] == 1 and t[2] == 2 and t[3] == "7" and #t == 3)`,
  );
  quiet(
    encode("amf0", new MixedArray({ "007": 1, "1x": 2, "-1": 3, "": 4 })),
    `local t = cumulus:fromAMF(bytes)
     assert(t["007"] == 1 and t["1x"] == 2 and t["-1"] == 3 and #t == 0)`,
  );
  quiet(
    encode("amf0", { "0": "a" }),
    `assert(cumulus:fromAMF(bytes)["0"] == "a")`, // an ordinary name in an object
  );
});

both(
  "AMF-055: fromAMF returns the fields of a date before 1970 and in a leap year",
  [new Date(Date.UTC(1969, 11, 31, 23, 59, 59, 999)), new Date(Date.UTC(2000, 11, 31))],
  `local a, b = table.unpack(cumulus:fromAMF(bytes))
   assert(a.__time == -1 and a.year == 1969 and a.month == 12 and a.day == 31 and a.hour == 23)
   assert(a.min == 59 and a.sec == 59 and a.msec == 999 and a.yday == 365 and a.wday == 4)
   assert(b.yday == 366 and b.wday == 1 and b.hour == 0)`,
);

Deno.test("AMF-055: fromAMF returns only __time for a date beyond the calendar", () => {
  quiet(
    "0b 7ff8000000000000 0000 0b 7ff0000000000000 0000",
    `local a, b = cumulus:fromAMF(bytes)
     assert(a.__time ~= a.__time and a.year == nil and b.__time == math.huge and b.isdst == nil)`,
  );
});

Deno.test("AMF-056: fromAMF returns a byte array as a table with __raw", () => {
  quiet(
    encode("amf3", Uint8Array.of(0, 255, 128), new Uint8Array(0)),
    `local a, b = cumulus:fromAMF(bytes)
     assert(a.__raw == "\\0\\255\\128" and b.__raw == "")`,
  );
});

Deno.test("AMF-057: fromAMF returns a dictionary as a table with keys of any type, and __size", () => {
  quiet(
    encode(
      "amf3",
      new AmfDictionary([["k", "v"], [5, true], [1.5, 1], [true, 2], [{ n: 1 }, 3]]),
    ),
    `local t = cumulus:fromAMF(bytes)
     assert(t.__size == 5 and t.k == "v" and t[5] == true and t[1.5] == 1 and t[true] == 2)
     local n = 0
     for k, v in next, t do
       n = n + 1
       if type(k) == "table" then assert(k.n == 1 and v == 3) end
     end
     assert(n == 6 and getmetatable(t) == nil)`,
  );
  quiet(
    encode("amf3", new AmfDictionary([["k", "v"]], true)),
    `assert(getmetatable(cumulus:fromAMF(bytes)).__mode == "k")`,
  );
});

Deno.test("AMF-057: fromAMF drops pairs whose key is nil or NaN", () => {
  quiet(
    encode("amf3", new AmfDictionary([[null, 1], [undefined, 2], [NaN, 3], ["a", 4], ["b", null]])),
    `local t = cumulus:fromAMF(bytes)
     assert(t.a == 4 and t.__size == 1)`,
  );
});

Deno.test("AMF-058: fromAMF returns the same table for a reference, in cycles too", () => {
  const shared = { n: 1 };
  const cycle: Record<string, AmfValue> = { shared };
  cycle.self = cycle;
  quiet(
    encode("amf3", [shared, shared], shared, cycle),
    `local list, same, cycle = cumulus:fromAMF(bytes)
     assert(list[1] == list[2] and list[1] == same and cycle.self == cycle and cycle.shared == same)`,
  );
  quiet(encode("amf0", cycle), "local t = cumulus:fromAMF(bytes) assert(t.self == t)");
  const bytes = Uint8Array.of(1, 2);
  const date = new Date(0);
  const xml = new AmfXml("<a/>".repeat(20), false);
  quiet(
    encode("amf3", [bytes, date, xml], [bytes, date, xml]),
    `local a, b = cumulus:fromAMF(bytes)
     assert(a[1] == b[1] and a[2] == b[2] and a[3] == b[3] and #a[3] == 80)`,
  );
});

Deno.test("AMF-040: fromAMF returns XML as a string, and a Vector as an array", () => {
  quiet(
    encode(
      "amf3",
      new AmfXml("<a/>", true),
      new AmfXml("<b/>", false),
      new AmfVector("int", [-1, 2]),
      new AmfVector("uint", [4294967295]),
      new AmfVector("double", [1.5, 2]),
      new AmfVector("object", ["x", [1], null, { a: 1 }], true, "T"),
    ),
    `local a, b, i, u, d, o = cumulus:fromAMF(bytes)
     assert(a == "<a/>" and b == "<b/>" and i[1] == -1 and i[2] == 2 and u[1] == 4294967295)
     assert(d[1] == 1.5 and d[2] == 2 and o[1] == "x" and o[2][1] == 1 and o[4].a == 1)`,
  );
});

Deno.test("AMF-020: fromAMF returns nil for an unsupported value, with a WARN", () => {
  const machine = check("0d 01 01", "local a, b = cumulus:fromAMF(bytes) assert(a == nil and b)");
  assert.equal(machine.logged.length, 1);
  assert.match(machine.logged[0], /^warn: /);
});

Deno.test("AMF-059: fromAMF ends at an unknown marker, with an ERROR", () => {
  for (
    const hex of ["02 0001 61 04 01 01", "02 0001 61 11 0a 0b 01 03 61 1f", "02 0001 61 02 ff"]
  ) {
    const machine = check(
      hex,
      `assert(select("#", cumulus:fromAMF(bytes)) == 1 and cumulus:fromAMF(bytes) == "a")`,
    );
    assert.equal(machine.logged.length, 2); // one message per call
    assert.match(machine.logged[0], /^error: /);
  }
});

const ext = (...content: string[]) => fromHex("11 0a 07 07 457874" + content.join(""));

Deno.test("AMF-061: fromAMF calls __readExternal of an externalizable object after onTypedObject", () => {
  quiet(
    ext("06 0d 696e73696465", "02 0001 62"),
    `local object, after = cumulus:fromAMF(bytes)
     assert(object.inside == "inside" and object.__type == "Ext" and after == "b")
     assert(order == "typed read ")`,
    `order = ""
     function onTypedObject(type, object)
       order = order .. "typed "
       local n = 0
       for k in next, object do n = n + 1 end
       assert(n == 1)
       function object:__readExternal(reader)
         order = order .. "read "
         self.inside = reader:readAMF(1)
       end
     end`,
  );
});

Deno.test("AMF-063: the documented class for ArrayCollection reads and writes its elements", () => {
  const type = "flex.messaging.io.ArrayCollection";
  quiet(
    encode("amf3", {
      list: {
        externalizable: type,
        writeExternal: (writer: AmfWriter) => void writer.writeValue([1, [2]]),
      },
    }),
    `local list = cumulus:fromAMF(bytes).list
     assert(list.source[1] == 1 and list.source[2][1] == 2)
     local again = cumulus:fromAMF(cumulus:toAMF({list = list})).list
     assert(again.source[2][1] == 2 and again.__type == "${type}")`,
    `local Collection = {}
     Collection.__index = Collection
     function Collection:__readExternal(reader) self.source = reader:readAMF(1) end
     function Collection:__writeExternal(writer) writer:writeAMF(self.source) end
     function onTypedObject(type, object)
       if type == "${type}" then setmetatable(object, Collection) end
     end`,
  );
});

Deno.test("AMF-062: without __readExternal the server ignores the rest of the message, with an ERROR", () => {
  const machine = check(
    Uint8Array.of(...fromHex("02 0001 61"), ...ext("01", "05 05")),
    `assert(select("#", cumulus:fromAMF(bytes)) == 1 and cumulus:fromAMF(bytes) == "a")`,
  );
  assert.match(machine.logged[0], /^error: .*Ext/);
});

Deno.test("AMF-061: fromAMF ends at an error of __readExternal, with an ERROR", () => {
  for (
    const body of ["error('broken')", "reader:readBytes(100)", "reader:readAMF(99)", "nothing()"]
  ) {
    const machine = check(
      Uint8Array.of(...fromHex("02 0001 61"), ...ext("01", "05 05")),
      `local a, b = cumulus:fromAMF(bytes) assert(a == "a" and b == nil)`,
      `function onTypedObject(type, object)
         function object:__readExternal(reader) ${body} end
       end`,
    );
    assert.equal(machine.logged.length, 1, body);
    assert.match(machine.logged[0], /^error: /);
  }
});

Deno.test("fromAMF ends at an error of readAMF, also if the script catches it", () => {
  const machine = check(
    ext("1f", "05 05"),
    `assert(select("#", cumulus:fromAMF(bytes)) == 0)`,
    `function onTypedObject(type, object)
       function object:__readExternal(reader) pcall(reader.readAMF, reader, 1) end
     end`,
  );
  assert.match(machine.logged[0], /^error: /);
});

Deno.test("A reader keeps its position at a read past the end", () => {
  quiet(
    ext("07"),
    `assert(cumulus:fromAMF(bytes).last == 7)`,
    `function onTypedObject(type, object)
       function object:__readExternal(reader)
         assert(not pcall(reader.readInt, reader))
         self.last = reader:readByte()
       end
     end`,
  );
});

Deno.test("Decision 9: onTypedObject runs once per object, and externalizable data shares the message's references", () => {
  const cat = new TypedObject("Cat", { n: 1 });
  quiet(
    encode("amf3", cat, {
      externalizable: "Ext",
      writeExternal: (writer: AmfWriter) => void writer.writeValue(cat).writeValue([cat]),
    }, [cat]),
    `local cat, ext, list = cumulus:fromAMF(bytes)
     assert(ext.cat == cat and ext.list[1] == cat and list[1] == cat and types == "Cat Ext ")`,
    `types = ""
     function onTypedObject(type, object)
       types = types .. type .. " "
       if type == "Ext" then
         function object:__readExternal(reader)
           self.cat, self.list = reader:readAMF(2)
         end
       end
     end`,
  );
});

Deno.test("fromAMF reads nested externalizable objects inside coroutines", () => {
  let value: AmfValue = "core";
  for (let i = 0; i < 20; i++) {
    const inner = value;
    value = {
      externalizable: "Ext",
      writeExternal: (writer: AmfWriter) => void writer.writeValue(inner),
    };
  }
  quiet(
    encode("amf3", value, "after"),
    `local object, after = cumulus:fromAMF(bytes)
     for i = 1, 20 do object = object.inner end
     assert(object == "core" and after == "after")`,
    `function onTypedObject(type, object)
       function object:__readExternal(reader)
         self.inner = coroutine.wrap(function() return reader:readAMF() end)()
       end
     end`,
  );
});

Deno.test("fromAMF ends with an error at externalizable objects nested too deep for Lua's calls", () => {
  let value: AmfValue = "core";
  for (let i = 0; i < 250; i++) {
    const inner = value;
    value = {
      externalizable: "Ext",
      writeExternal: (writer: AmfWriter) => void writer.writeValue(inner),
    };
  }
  const machine = check(
    encode("amf3", value),
    "assert(select('#', cumulus:fromAMF(bytes)) == 0)",
    `function onTypedObject(type, object)
       function object:__readExternal(reader) self.inner = reader:readAMF() end
     end`,
  );
  assert.match(machine.logged.at(-1)!, /^error: /);
});

Deno.test("fromAMF reads values of the maximum depth", () => {
  let value: AmfValue = "core";
  for (let i = 0; i < 250; i++) value = i % 2 ? [value] : { a: value };
  quiet(
    encode("amf3", value),
    `local t = cumulus:fromAMF(bytes)
     for i = 1, 125 do t = t[1].a end
     assert(t == "core")`,
  );
});

Deno.test("fromAMF reads thousands of values, and of elements", () => {
  const values = Array.from({ length: 5000 }, (_, i) => i % 3 ? i : { n: i });
  quiet(
    encode("amf3", ...values, values),
    `local n = select("#", cumulus:fromAMF(bytes))
     assert(n == 5001)
     local list = select(n, cumulus:fromAMF(bytes))
     assert(#list == 5000 and list[5000] == 4999 and list[1].n == 0)`,
  );
});

Deno.test("AmfToLua.push() reads the requested number of values from the reader's position", () => {
  const machine = new Machine();
  const { lua } = machine;
  const bytes = encode("amf3", "name", { long: "x".repeat(60) }, "x".repeat(60), 3, 4);
  const reader = new AmfReader(bytes);
  assert.equal(reader.readValue(), "name");
  reader.readValue();
  lua.pushText("below");
  assert.equal(machine.toLua.push(reader, 2), 2);
  assert.equal(lua.top, 3);
  assert.equal(lua.text(2), "x".repeat(60)); // a reference to an earlier string
  assert.equal(lua.toNumber(3), 3);
  assert.equal(machine.toLua.push(reader), 1);
  assert.equal(lua.toNumber(4), 4);
  assert.equal(lua.text(1), "below");
});

Deno.test("AmfToLua.push() ends at a reference to a value that was not pushed, with an ERROR", () => {
  const machine = new Machine();
  const shared = {};
  const reader = new AmfReader(encode("amf3", shared, 1, shared));
  reader.readValue();
  assert.equal(machine.toLua.push(reader), 1);
  assert.match(machine.logged[0], /^error: Cannot refer/);
});

Deno.test("fromAMF makes one Lua string for a long string repeated by reference", () => {
  const machine = new Machine();
  const head = encode("amf3", "x".repeat(60_000));
  const message = new Uint8Array(head.length + 3 * 20_000);
  message.set(head);
  for (let i = 0; i < 20_000; i++) message.set([0x11, 0x06, 0x00], head.length + 3 * i);
  assert.equal(machine.toLua.push(new AmfReader(message)), 20_001); // 1.2 GB with a new string for each
  assert.ok(machine.lua.usedMemory < 10e6);
});
