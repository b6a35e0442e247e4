// Lua reads hostile AMF.
import assert from "node:assert/strict";
import fc from "fast-check";
import { AmfReader, encodeAmf } from "../../src/amf/mod.ts";
import { fromHex } from "../../src/bytes/hex.ts";
import { ScriptError } from "../../src/script/vm/script_error.ts";
import { decode, messages } from "../amf/support.ts";
import { Machine } from "./amf_machine.ts";

/** Decodes bytes, and encodes the values. */
function turn(machine: Machine, bytes: Uint8Array): void {
  const { lua } = machine;
  const before = machine.logged.length;
  const reader = new AmfReader(bytes);
  const count = machine.toLua.push(reader);
  assert.equal(lua.top, count);
  assert.ok(
    reader.done || machine.logged.length > before,
    "the rest was skipped without a log message",
  );
  for (const form of ["amf3", "mixed", "amf0"] as const) {
    try {
      machine.toAmf.encode(1, count, form);
    } catch (error) {
      // AMF0 limits references to 65,536 objects and names to 65,535 bytes; these messages are shorter.
      assert.match((error as Error).message, /deep/);
    }
    assert.equal(lua.top, count);
  }
  lua.top = 0;
}

Deno.test("Lua reads truncated messages without an exception", () => {
  const machine = new Machine();
  for (const hex of Object.values(messages)) {
    const bytes = fromHex(hex);
    for (let length = 0; length <= bytes.length; length++) turn(machine, bytes.slice(0, length));
  }
  assert.deepEqual(machine.bugs, []);
});

for (const scripts of [false, true]) {
  Deno.test(`Lua reads and writes random messages without an exception${scripts ? ", also with __readExternal and __writeExternal" : ""}`, () => {
    const machine = new Machine();
    if (scripts) {
      machine.check(`
        function onTypedObject(type, object)
          seen = (seen or 0) + 1
          function object:__readExternal(reader)
            self.a, self.b = reader:readAMF(seen % 3)
            if seen % 5 == 0 then self.c = reader:readUTF() end
          end
          function object:__writeExternal(writer)
            writer:writeAMF(self.a, self.b, self)
          end
        end`);
    }
    const piece = fc.oneof(
      fc.nat({ max: 0x11 }).map((byte) => [byte]),
      fc.nat({ max: 0x2b }).map((byte) => [byte]),
      fc.constantFrom(
        [0x0a, 0x07, 0x07, 0x45, 0x78, 0x74], // an externalizable object
        [0x0a, 0x0b, 0x03, 0x43], // a typed object
        [0x0a, 0x0b, 0x01, 0x03, 0x61], // an object, whose first member is called "a"
        [0x09, 0x05, 0x01], // an array of two
        [0x06, 0x03, 0x61],
        [0x04, 0x81, 0x00],
        [0x0a, 0x00], // a reference
        [0x0a, 0x01], // an object of known traits
        [0xff],
        [0x80],
      ),
    );
    const bytes = fc.array(piece, { maxLength: 40, size: "max" }).map((pieces) => pieces.flat());
    fc.assert(
      fc.property(bytes, (bytes) => {
        turn(machine, Uint8Array.of(0x11, ...bytes));
        turn(machine, Uint8Array.from(bytes));
        turn(machine, Uint8Array.of(0x11, 0x0a, 0x07, 0x07, 0x45, 0x78, 0x74, ...bytes));
      }),
      { numRuns: 2000 },
    );
    assert.deepEqual(machine.bugs, []);
    if (scripts) machine.check("assert(seen > 1000, seen)");
  });
}

Deno.test("Lua reads and writes 100,000 objects unchanged while its memory moves", () => {
  const machine = new Machine();
  const { lua } = machine;
  const values = Array.from(
    { length: 100_000 },
    (_, i) => ({ name: `object number ${i}`, i, x: i / 2 }),
  );
  const message = encodeAmf(values);
  assert.equal(machine.toLua.push(new AmfReader(message)), 1);
  machine.setGlobal("list");
  machine.check(`
    assert(#list == 100000)
    for i, object in ipairs(list) do
      assert(object.name == "object number " .. (i - 1) and object.i == i - 1 and object.x == (i - 1) / 2)
    end`);
  lua.rawGetIndex(-1001000, 2);
  lua.getField(-1, "list");
  const again = machine.toAmf.encode(2, 1);
  assert.deepEqual(decode(again), decode(message));
});

Deno.test("Lua raises an error when its memory runs out while it reads a message, and continues", () => {
  const machine = new Machine({ memory: 4 << 20 });
  const { lua } = machine;
  const message = encodeAmf(Array.from({ length: 50_000 }, (_, i) => ({ i, text: `text ${i}` })));
  for (let i = 0; i < 3; i++) {
    // outside of a call into Lua
    assert.throws(() => machine.toLua.push(new AmfReader(message)), ScriptError);
    lua.top = 0;
    lua.collect();
    // and within a call
    machine.give(message);
    const failure = machine.failure("return cumulus:fromAMF(bytes)");
    assert.match(failure, /not enough memory/);
    machine.check(`assert(not pcall(cumulus.fromAMF, cumulus, bytes))
      bytes = nil
      collectgarbage()
      assert(cumulus:fromAMF(cumulus:toAMF({a = {1}})).a[1] == 1)`);
  }
  assert.deepEqual(machine.bugs, []);
});

Deno.test("Lua keeps no values of failed messages", () => {
  const machine = new Machine();
  machine.check(`
    function onTypedObject(type, object)
      function object:__readExternal(reader) reader:readAMF(99) end
    end`);
  const bytes = [
    "11 0a 07 07 457874 0a 0b 01 01", // reads past its end
    "11 09 05 01 0a 0b 01 01 1f",
    "11 0a 0b 01 03 61 0c 05 61 62",
  ].map(fromHex);
  const turns = (count: number) => {
    for (let i = 0; i < count; i++) bytes.forEach((message) => turn(machine, message));
    machine.lua.collect();
    machine.lua.collect();
    return machine.lua.usedMemory;
  };
  turns(200);
  const before = turns(10);
  const after = turns(1000);
  assert.ok(after - before < 10_000, `${after - before} bytes more`);
  assert.equal(machine.objects.size, 0);
});

Deno.test("Lua counts the time of reading a message against the time limit of its call", () => {
  let now = 0;
  const machine = new Machine({ clock: () => now++, time: 20 });
  const { lua } = machine;
  const read = (count: number) => {
    const reader = new AmfReader(encodeAmf(Array.from({ length: count }, (_, i) => ({ i }))));
    try {
      return lua.timed(() => machine.toLua.push(reader));
    } finally {
      lua.top = 0;
    }
  };
  assert.equal(read(1_000), 1);
  assert.throws(
    () => read(100_000),
    (error) => error instanceof ScriptError && error.kind === "time",
  );
  assert.equal(read(1_000), 1, "the next call has its own time");
  assert.deepEqual(machine.bugs, []);
});

Deno.test("The server warns once of a message full of unsupported values", () => {
  const machine = new Machine();
  assert.equal(machine.toLua.push(new AmfReader(new Uint8Array(10_000).fill(0x0d))), 10_000);
  assert.equal(machine.logged.length, 1);
});
