// `_G`, `package`, `require` and `debug.getinfo` as modules written for Lua 5.1 use them.
import assert from "node:assert/strict";
import { Machine } from "./machine.ts";

Deno.test("Lua gives scripts and included files the table of the application's variables as _G", () => {
  const machine = new Machine({
    "part.lua": "_G.fromPart = 1 INFO(_G.fromMain, rawget(_G, 'fromMain'))",
    "a/main.lua": "INFO(_G.fromMain, rawget(_G, 'fromMain')) _G.onlyHere = 3 INFO(onlyHere)",
  });
  assert.deepEqual(
    machine.run(`
      fromMain = 2
      dofile("part.lua")
      for _, name in ipairs { "fromPart", "dynamic" } do _G[name] = (_G[name] or 0) + 4 end
      INFO(fromPart, dynamic, _G._G == _G, _G == getfenv(), _G.string == string, rawget(_G, "print") == print)
      local names = {} for name in pairs(_G) do names[#names + 1] = name end
      table.sort(names) INFO(table.concat(names, " "))`),
    ["22", "54(true)(true)(true)(true)", "dynamic fromMain fromPart"],
  );
  machine.said();
  machine.connect("/a");
  assert.deepEqual(machine.said(), ["2(null)", "3"]);
});

Deno.test("A metatable of _G catches undeclared names until the application stops", () => {
  const machine = new Machine({
    // Similar to strict.lua.
    "strict.lua": `
      local meta = getmetatable(_G)
      if meta == nil then meta = {} setmetatable(_G, meta) end
      meta.declared = {}
      local function what() local info = debug.getinfo(3, "S") return info and info.what or "C" end
      meta.__newindex = function(t, name, value)
        if not meta.declared[name] then
          local where = what()
          if where ~= "main" and where ~= "C" then error("assign to undeclared variable '" .. name .. "'", 2) end
          meta.declared[name] = true
        end
        rawset(t, name, value)
      end
      meta.__index = function(t, name)
        if not meta.declared[name] and what() ~= "C" then error("variable '" .. name .. "' is not declared", 2) end
        return rawget(t, name)
      end`,
  });
  assert.deepEqual(
    machine.run(`
      require("strict")
      declared = nil
      local function assign() declared = 1 undeclared = 2 end
      INFO(pcall(assign)) INFO(declared)
      INFO(pcall(function() return missing end))
      INFO(print ~= nil, cumulus ~= nil, getmetatable(_G).declared.declared)`),
    [
      "(false)www/main.lua:4: assign to undeclared variable 'undeclared'",
      "1",
      "(false)www/main.lua:6: variable 'missing' is not declared",
      "(true)(true)(true)",
    ],
  );
  assert.deepEqual(machine.run("INFO(missing, getmetatable(_G))"), ["(null)(null)"]);
});

Deno.test("getmetatable(_G) and setmetatable(_G) obey __metatable", () => {
  assert.deepEqual(
    new Machine().run(`
      setmetatable(_G, { __index = { shared = 5 }, __metatable = "mine" })
      INFO(shared, getmetatable(_G), (pcall(setmetatable, _G, nil)))`),
    ["5mine(false)"],
  );
});

Deno.test("require loads modules that return a table, call module(), or set globals", () => {
  const machine = new Machine({
    "pl/init.lua": "return { name = (...) }",
    "pl/class.lua": `
      local class = setmetatable({}, { __call = function(_, base)
        local c = {} c.__index = c
        return setmetatable(c, { __index = base, __call = function(c, ...)
          local o = setmetatable({}, c) if c._init then c._init(o, ...) end return o end })
      end })
      return class`,
    "old.lua": "module(..., package.seeall) function double(x) return 2 * tonumber(x) end",
    "late.lua": "local _ENV = _ENV local unpack = table.unpack or unpack _G.LATE = unpack { 9 }",
    "platform.lua": `
      local separator = package.config:sub(1, 1)
      local jit = rawget(_G, "jit")
      return { separator = separator, jit = jit, lua51 = _VERSION == "Lua 5.1", place = debug.getinfo(1, "S").source }`,
    "optional.lua": "local ok, lpeg = pcall(require, 'lpeg') return { lpeg = ok }",
  });
  assert.deepEqual(
    machine.run(`
      INFO(require("pl").name, require "pl" == package.loaded.pl)
      local Point = require("pl.class")()
      function Point:_init(x) self.x = x end
      INFO(Point(4).x)
      INFO(require("old").double("21"), old.double(1))
      INFO(require("late"), LATE)
      local platform = require "platform"
      INFO(platform.separator, platform.jit, platform.lua51, platform.place)
      INFO(require("optional").lpeg)
      package.preload.made = function(name) return name .. "!" end
      INFO(require("made"))
      table.insert(package.loaders, function(name)
        if name == "virtual" then return function() return "from a loader" end end
        return "\\n\\tnot virtual"
      end)
      INFO(require("virtual"))
      INFO((select(2, pcall(require, "no.where"))))`),
    [
      "pl(true)",
      "4",
      "422",
      "(true)9",
      "/(null)(true)@www/platform.lua",
      "(false)",
      "made!",
      "from a loader",
      "www/main.lua:18: module 'no.where' not found:\n\tno field package.preload['no.where']" +
      "\n\tno file './no/where.lua'\n\tno file './no/where/init.lua'\n\tnot virtual",
    ],
  );
});

Deno.test("debug.getinfo returns the position of code", () => {
  assert.deepEqual(
    new Machine().run(`
      local function here() local info = debug.getinfo(1) return info.name, info.currentline, info.func end
      local name, line, f = here()
      INFO(name, line, f == here, debug.getinfo(f, "S").linedefined, debug.getinfo(1, "l").currentline)
      INFO(debug.getinfo(print).what, debug.getinfo(1, "S").short_src, debug.getinfo(99), debug.getinfo(-1))
      INFO(pcall(debug.getinfo, 1, "x")) INFO(pcall(debug.getinfo, "x"))
      INFO(debug.getinfo(coroutine.create(function() end), 0))
      INFO(debug.sethook, debug.getlocal, debug.getupvalue, debug.setupvalue, debug.getregistry)`),
    [
      "here2(true)24",
      "Cwww/main.lua(null)(null)",
      "(false)bad argument #2 to 'getinfo' (invalid option)",
      "(false)bad argument #1 to 'getinfo' (function or level expected)",
      "(null)",
      "(null)(null)(null)(null)(null)",
    ],
  );
});
