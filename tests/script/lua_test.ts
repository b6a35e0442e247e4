// The value API of the Lua machine.
import assert from "node:assert/strict";
import fc from "fast-check";
import { Lua, type LuaOptions, NIL, NUMBER, STRING, TABLE } from "../../src/script/vm/lua.ts";
import type { ScriptError } from "../../src/script/vm/script_error.ts";
import { cpuTime } from "../support/cpu_time.ts";

function start(options: Partial<LuaOptions> = {}): Lua {
  const lua = new Lua({
    clock: () => performance.now(),
    time: 60_000,
    ...options,
  });
  for (const library of ["base", "string", "coroutine", "table", "math"] as const) {
    lua.openLibrary(library);
    lua.rawGetIndex(-1001000, 2);
    lua.insert(-2);
    lua.setField(-2, library);
    lua.pop();
  }
  return lua;
}

/** Runs a chunk; its results as text, or its error. */
function run(lua: Lua, source: string): string[] | ScriptError {
  const base = lua.enter();
  const error = lua.load(new TextEncoder().encode(source), "@www/main.lua") ?? lua.run(base, -1);
  if (error) {
    lua.top = base - 1;
    return error;
  }
  const results: string[] = [];
  for (let i = base + 1; i <= lua.top; i++) results.push(lua.display(i));
  lua.leave(base);
  return results;
}

function failure(lua: Lua, source: string): ScriptError {
  const result = run(lua, source);
  assert.ok(!Array.isArray(result), `no error, but ${result}`);
  return result;
}

/** Sets a global to a JavaScript function. */
function define(lua: Lua, name: string, f: (lua: Lua) => number): void {
  lua.rawGetIndex(-1001000, 2);
  lua.pushFunction(lua.define(f));
  lua.setField(-2, name);
  lua.pop();
}

Deno.test("API-015: Lua returns strings of all bytes unchanged", () => {
  const lua = start();
  define(lua, "same", (lua) => {
    lua.pushBytes(lua.copyBytes(1));
    return 1;
  });
  lua.rawGetIndex(-1001000, 2);
  lua.getField(-1, "same");
  const same = lua.ref();
  lua.pop();
  fc.assert(fc.property(fc.uint8Array({ maxLength: 3000 }), (bytes) => {
    const base = lua.enter();
    lua.pushRef(same);
    lua.pushBytes(bytes);
    assert.equal(lua.run(base, 1), undefined);
    assert.deepEqual(lua.copyBytes(base + 1), new Uint8Array(bytes));
    lua.leave(base);
  }));
  const large = new Uint8Array(300_000).map((_, i) => i * 7);
  lua.pushBytes(large);
  assert.deepEqual(lua.copyBytes(-1), large);
});

Deno.test("Lua gets texts as UTF-8", () => {
  const lua = start();
  for (const text of ["", "name", "Grüße, 世界 🎈", "x".repeat(31), "é".repeat(40_000)]) {
    lua.pushText(text);
    assert.equal(lua.text(-1), text);
    assert.equal(lua.rawLength(-1), new TextEncoder().encode(text).length);
    lua.pop();
  }
});

Deno.test("API-018: Lua gets integral numbers as integers, and prints them without a point", () => {
  const lua = start();
  for (const value of [0, -1, 42, 2 ** 31, -(2 ** 53 - 1), 2 ** 53 - 1]) {
    lua.pushNumber(value);
    assert.ok(lua.isInteger(-1), String(value));
    assert.equal(lua.toNumber(-1), value);
    assert.equal(lua.text(-1), String(value));
  }
  lua.top = 0;
  for (const value of [-0, 1.5, NaN, Infinity, -Infinity, 1e300]) {
    lua.pushNumber(value);
    assert.ok(!lua.isInteger(-1), String(value));
    assert.ok(Object.is(lua.toNumber(-1), value));
  }
});

Deno.test("Lua.next() walks tables, and returns the same string for the same key", () => {
  const lua = start();
  const name = lua.key("name");
  assert.equal(lua.key("name"), name);
  lua.newTable();
  lua.pushKey(name);
  lua.pushNumber(7);
  lua.rawSet(1);
  lua.pushText("first");
  lua.rawSetIndex(1, 1);
  const seen: unknown[] = [];
  lua.pushNil();
  while (lua.next(1)) {
    if (lua.type(-2) === STRING) assert.equal(lua.pointer(-2), name.pointer);
    seen.push(lua.type(-2), lua.type(-1));
    lua.pop();
  }
  assert.deepEqual(seen, [NUMBER, STRING, STRING, NUMBER]);
  assert.equal(lua.top, 1);
  assert.equal(lua.getField(1, "none"), NIL);
  assert.equal(lua.type(1), TABLE);
});

Deno.test("API-060: Lua reports errors with file, line and traceback", () => {
  const lua = start();
  const error = failure(lua, "local function f()\n  error('boo')\nend\nf()");
  assert.equal(error.message, "www/main.lua:2: boo");
  assert.match(error.traceback, /www\/main\.lua:4: in main chunk/);
  assert.equal(failure(lua, "x = = 1").kind, "syntax");
  assert.equal(lua.top, 0);
});

Deno.test("pcall catches an exception of a JavaScript function", () => {
  const bugs: unknown[] = [];
  const lua = start({ onBug: (error) => bugs.push(error) });
  define(lua, "refuse", (lua) => lua.fail("not today"));
  define(lua, "broken", () => {
    throw new TypeError("a bug");
  });
  assert.equal(failure(lua, "refuse()").message, "www/main.lua:1: not today");
  assert.deepEqual(run(lua, "return pcall(function() refuse() end)"), [
    "false",
    "www/main.lua:1: not today",
  ]);
  assert.deepEqual(run(lua, "return (pcall(broken))"), ["false"]);
  assert.equal(bugs.length, 1);
  assert.deepEqual(run(lua, "return coroutine.wrap(function() return pcall(refuse) end)()"), [
    "false",
    "www/main.lua:1: not today",
  ]);
  assert.equal(lua.state, lua.main);
});

Deno.test("Lua refuses bytecode", () => {
  const lua = start();
  run(lua, "code = string.dump(function() end)");
  lua.rawGetIndex(-1001000, 2);
  lua.getField(-1, "code");
  const code = lua.copyBytes(-1);
  assert.equal(code[0], 0x1b);
  assert.match(lua.load(code, "@x")!.message, /attempt to load a binary chunk/);
});

const stubborn = {
  "a loop": "while true do end",
  "a loop of pcall": "while true do pcall(function() while true do end end) end",
  "pcall of pcall": "local function f() pcall(f) f() end while true do pcall(f) end",
  "a coroutine":
    "local c = coroutine.create(function() while true do pcall(function() while true do end end) end end) while true do coroutine.resume(c) end",
};

for (const [name, source] of Object.entries(stubborn)) {
  Deno.test(`The time limit stops ${name}, and the next event runs`, () => {
    const lua = start({ time: 30, clock: cpuTime });
    const begun = cpuTime();
    const error = failure(lua, source);
    assert.equal(error.kind, "time");
    assert.match(error.message, /ran longer than 30 ms/);
    assert.ok(cpuTime() - begun < 2000);
    assert.deepEqual(run(lua, "local n = 0 for i = 1, 30000 do n = n + i end return n"), [
      "450015000",
    ]);
  });
}

Deno.test("Lua works again after a script has reached the memory limit", () => {
  const lua = start({ memory: 8 << 20 });
  const before = lua.usedMemory;
  for (let i = 0; i < 3; i++) {
    assert.equal(
      failure(lua, "local t = {} while true do t[#t + 1] = ('x'):rep(1e5) .. #t end").kind,
      "memory",
    );
    assert.equal(failure(lua, "return ('x'):rep(1e9)").kind, "memory");
  }
  assert.deepEqual(run(lua, "return ('x'):rep(3)"), ["xxx"]);
  lua.collect();
  assert.ok(lua.usedMemory < before + 20_000, `${lua.usedMemory} of ${before}`);
});

Deno.test("Lua raises an error for endless recursion", () => {
  const lua = start();
  assert.match(failure(lua, "local function f() return f() + 1 end f()").message, /stack overflow/);
  assert.match(
    failure(lua, "local function f() return ('x'):gsub('x', f) end error((select(2, pcall(f))))")
      .message,
    /stack overflow/,
  );
  define(lua, "back", (lua) => {
    const base = lua.enter();
    lua.pushValue(1);
    const error = lua.run(base, 0);
    if (error) throw error;
    lua.leave(base);
    return 0;
  });
  assert.match(
    failure(lua, "local function f() back(f) end f()").message,
    /stack overflow|stack size/,
  );
  assert.deepEqual(run(lua, "return 1"), ["1"]);
});
