// Hostile keys of dictionaries: numbers with the same place in Lua's hash table.
import assert from "node:assert/strict";
import { AmfDictionary, AmfReader, encodeAmf } from "../../src/amf/mod.ts";
import { KeyChains, nodeOf } from "../../src/script/vm/key_chains.ts";
import { Lua } from "../../src/script/vm/lua.ts";
import { seeded } from "../support/random.ts";
import { Machine } from "./amf_machine.ts";

/** Offsets and sizes of the structures Table and Node of Lua 5.4 in 32 bits (lobject.h). */
const LOG_SIZE = 7, NODES = 16, NODE = 24, KEY_TYPE = 9, NO_KEY = 0;

/** The place of `key` in a Lua table with `size` nodes and no other key. */
function placeInLua(lua: Lua, key: number, size: number): number {
  lua.newTable(0, size);
  lua.pushNumber(key);
  lua.pushBoolean(true);
  lua.rawSet(-3);
  const view = new DataView(lua.c.memory.buffer);
  const table = lua.pointer(-1);
  assert.equal(1 << view.getUint8(table + LOG_SIZE), size);
  const nodes = view.getUint32(table + NODES, true);
  const used = (i: number) => view.getUint8(nodes + i * NODE + KEY_TYPE) !== NO_KEY;
  const place = Array.from({ length: size }, (_, i) => i).filter(used);
  lua.pop();
  assert.equal(place.length, 1, `${key}`);
  return place[0];
}

Deno.test("placeOf() returns the place where Lua puts a number", () => {
  const lua = new Lua({ clock: () => 0 });
  const next = seeded(1);
  const keys = [
    0,
    -1,
    0.5,
    -0.5,
    1e308,
    -1e308,
    5e-324,
    -5e-324,
    2 ** 31,
    -(2 ** 31),
    2 ** 53,
    2 ** 62,
  ];
  keys.push(-(2 ** 53), -(2 ** 63), 2 ** 63, 2 ** 64, Infinity, -Infinity, 2 ** -1022, 0xffffffff);
  for (let i = 0; i < 2_000; i++) {
    const sign = next() < 0.5 ? -1 : 1;
    keys.push(
      sign * next() * 2 ** Math.floor(next() * 200 - 100),
      sign * Math.floor(next() * 2 ** 53),
    );
  }
  for (const key of keys) {
    for (const size of [1, 2, 64, 1_024]) {
      assert.equal(nodeOf(key, size), placeInLua(lua, key, size), `${key}`);
    }
  }
  lua.close();
});

/** The longest chain of `keys` in tables of up to four times the necessary size. */
function longest(keys: readonly number[]): number {
  let most = 0;
  for (let size = 1; size <= 8 * keys.length; size *= 2) {
    if (size < keys.length) continue;
    const places = new Uint32Array(size);
    for (const key of keys) most = Math.max(most, ++places[nodeOf(key, size)]);
  }
  return most;
}

Deno.test("The server refuses a dictionary whose keys share a place at any size", () => {
  const machine = new Machine();
  const count = 20_000;
  const chosen: Record<string, (i: number) => number> = {
    "doubles with the same hash": (i) => 1 + i * 2 ** -52,
    ...Object.fromEntries(
      [15, 16, 17].map((log) => [`integers for 2^${log}`, (i: number) => (i + 1) * (2 ** log - 1)]),
    ),
  };
  for (const [what, key] of Object.entries(chosen)) {
    const dictionary = new AmfDictionary(Array.from({ length: count }, (_, i) => [key(i), true]));
    machine.toLua.push(new AmfReader(encodeAmf("before", dictionary, "after")));
    assert.match(
      machine.logged.pop() ?? "",
      /^error: Cannot read a dictionary: .*share a hash chain/,
      what,
    );
    assert.equal(machine.lua.top, 1, "the value before the dictionary was read");
    machine.lua.top = 0;
  }
});

Deno.test("The server reads dictionaries of random keys", () => {
  const machine = new Machine();
  const next = seeded(2);
  const count = 20_000;
  const series: Record<string, (i: number) => number> = {
    "1, 2, 3": (i) => i + 1,
    "times in ms": (i) => 1_701_154_195_000 + 40 * i,
    "times in s": (i) => 1_701_154_195.25 + i,
    "powers of 2": (i) => i * 4_096,
    "hundredths": (i) => i / 100,
    random: () => next() * 1e9,
    negative: (i) => -i * 3,
  };
  for (const [what, key] of Object.entries(series)) {
    const keys = Array.from({ length: count }, (_, i) => key(i));
    assert.ok(longest(keys) <= 32, `${what}: ${longest(keys)}`);
    const dictionary = new AmfDictionary(keys.map((key) => [key, true]));
    assert.equal(machine.toLua.push(new AmfReader(encodeAmf(dictionary, "after"))), 2, what);
    assert.deepEqual(machine.logged, [], what);
    machine.lua.top = 0;
  }
});

Deno.test("The server reserves no more memory for a dictionary's claimed size than its bytes can fill", () => {
  const machine = new Machine();
  const before = machine.lua.usedMemory;
  const claims: number[] = [];
  const head = 30_000 << 1 | 1;
  for (let i = 0; i < 200; i++) {
    claims.push(0x11, 0x80 | head >> 14, 0x80 | head >> 7 & 0x7f, head & 0x7f, 0);
  }
  const message = new Uint8Array(65_536).fill(1);
  message.set([0x11, ...claims]);
  machine.toLua.push(new AmfReader(message));
  assert.match(machine.logged.pop() ?? "", /error/);
  assert.ok(machine.lua.usedMemory - before < 4 << 20, `${machine.lua.usedMemory - before}`);
});

Deno.test("KeyChains does not count keys that share a place at one size for other sizes", () => {
  const chains = new KeyChains(64);
  const counts = Array.from({ length: 40 }, (_, i) => chains.add((i + 1) * 63));
  assert.equal(counts.indexOf(false), 32);
});

Deno.test("Each Lua machine has a random seed for its strings", () => {
  const orders = new Set<string>();
  for (let i = 0; i < 4; i++) {
    const machine = new Machine();
    const [order] = machine.run(`
      local names, t = {}, {}
      for i = 1, 64 do t["key" .. i] = true end
      for name in next, t do names[#names + 1] = name end
      return table.concat(names, ",")`);
    orders.add(new TextDecoder().decode(order as Uint8Array));
  }
  assert.ok(orders.size > 1);
});
