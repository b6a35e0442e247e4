// An application's changes to the libraries affect only itself.
import assert from "node:assert/strict";
import { Machine } from "./machine.ts";

/** Starts an application /a with a script, then /b. @returns what /b logs */
function neighbours(a: string, b: string): string[] {
  const machine = new Machine({ "main.lua": "", "a/main.lua": a, "b/main.lua": b }).start();
  machine.connect("/a");
  assert.deepEqual(machine.logged("error"), []);
  machine.said();
  machine.connect("/b");
  assert.deepEqual(machine.logged("error"), []);
  return machine.said();
}

const LIBRARIES = ["string", "table", "math", "coroutine", "utf8", "bit", "debug", "io", "os"];

Deno.test("An application cannot change the library tables of another application", () => {
  const list = LIBRARIES.map((name) => `"${name}"`).join(", ");
  const said = neighbours(
    `for _, name in ipairs { ${list} } do
       for _, library in ipairs { _ENV[name], _G[name], require(name), package.loaded[name] } do
         for key in pairs(library) do rawset(library, key, "taken") end
         library.added = "taken"
       end
     end`,
    `for _, name in ipairs { ${list} } do
       local n, own = 0, getfenv()[name]
       for key, value in pairs(own) do
         n = n + 1
         if value == "taken" then INFO(name, key) end
       end
       INFO(n > 0, require(name) == own, package.loaded[name] == own)
     end
     INFO(math.log10(1000), math.tanh(0), ("x"):rep(3), os.date ~= nil)`,
  );
  assert.deepEqual(said, [...LIBRARIES.map(() => "(true)(true)(true)"), "30xxx(true)"]);
});

Deno.test("A function that an application adds to string is a method only in its own scripts", () => {
  const said = neighbours(
    `function string.trim(s) return (s:gsub("^%s+", "")) end
     assert(("  a"):trim() == "a")`,
    `INFO(("").trim == nil)
     function string.trim() return "own" end INFO((" x"):trim(), ("").find == string.find)`,
  );
  assert.deepEqual(said, ["(true)", "own(true)"]);
});

Deno.test("The metatable of strings is read-only", () => {
  const said = neighbours(
    `local meta = getmetatable("")
     for _, t in ipairs { meta, meta.__index } do
       assert(not pcall(function() t.find = "taken" end))
       assert(not pcall(rawset, t, "find", "taken"))
       assert(not pcall(table.insert, t, "taken"))
       assert(not pcall(setmetatable, t, {}))
       assert(not pcall(package.seeall, t))
     end
     assert(not pcall(package.seeall, ""))
     string.find = nil
     assert(meta.__index.find and ("a"):find("a"))`,
    `INFO(("b"):find("b"), ("")[1])`,
  );
  assert.deepEqual(said, ["1(null)"]);
});

Deno.test("setfenv does not change the environment of a shared function, and getfenv does not return it", () => {
  const said = neighbours(
    `for _, library in ipairs { string, table, math, bit, coroutine } do
       for name, f in pairs(library) do
         if type(f) == "function" then
           assert(not pcall(setfenv, f, {}), name)
           assert(getfenv(f) == getfenv(), name)
         end
       end
     end
     for _, f in ipairs { setfenv, getfenv, module, loadstring, require, tonumber, newproxy } do
       assert(not pcall(setfenv, f, {}))
       assert(getfenv(f) == getfenv())
     end
     assert(not pcall(table.foreach, { 1 }, function() setfenv(2, { error = 1 }) end))`,
    `INFO(getfenv(math.log10) == getfenv(), math.log10(10))`,
  );
  assert.deepEqual(said, ["(true)1"]);
});

Deno.test("Tables of libraries need less than 32 kB per application, and a reload restores them", () => {
  const files: Record<string, string> = { "main.lua": "" };
  for (let i = 0; i < 20; i++) files[`a${i}/main.lua`] = "string.find = nil";
  const machine = new Machine(files).start();
  const { lua } = machine.applications.api;
  machine.connect("/a0");
  lua.collect();
  const before = lua.usedMemory;
  for (let i = 1; i < 20; i++) machine.connect(`/a${i}`);
  lua.collect();
  assert.ok((lua.usedMemory - before) / 19 < 32_768, `${(lua.usedMemory - before) / 19} bytes`);
  machine.write("a0/main.lua", "INFO(string.find ~= nil)");
  machine.connect("/a0");
  assert.deepEqual(machine.said(), ["(true)"]);
});
