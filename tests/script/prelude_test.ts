// DECISIONS 12: each entry prints the same as in Lua 5.1 (LuaJIT 2.1 for `bit`).
import assert from "node:assert/strict";
import { toUtf8 } from "../../src/bytes/text.ts";
import { Lua } from "../../src/script/vm/lua.ts";
import { pushGlobals } from "../../src/script/vm/libraries.ts";
import { installPrelude } from "../../src/script/vm/prelude.ts";

function start(): Lua {
  const lua = new Lua({ clock: () => performance.now(), time: 60_000 });
  for (const library of ["base", "string", "coroutine", "table", "math"] as const) {
    lua.openLibrary(library);
    pushGlobals(lua);
    lua.insert(-2);
    lua.setField(-2, library === "base" ? "_G" : library);
    lua.pop();
  }
  installPrelude(lua);
  return lua;
}

const lua = start();

/** The results of a chunk by `tostring`, or its error after "error: ". */
function run(source: string): string {
  const base = lua.enter();
  const error = lua.load(toUtf8(source), "@main.lua") ?? lua.run(base, -1);
  if (error) {
    lua.top = base - 1;
    return `error: ${error.message}`;
  }
  const results: string[] = [];
  for (let i = base + 1; i <= lua.top; i++) results.push(lua.display(i));
  lua.leave(base);
  return results.join(" ");
}

/** Source → result in Lua 5.1. */
const cases: Record<string, [string, string][]> = {
  "integral numbers print without .0": [
    ["return 10/2, 10/2 .. '', tostring(2^31), -0.5*2", "5 5 2147483648 -1"],
    ["return 7/2, 1e15, 1e100, 1/0, -1/0, 2^53", "3.5 1e+15 1e+100 inf -inf 9.007199254741e+15"],
    ["return table.concat({1.0, 2.5, 3}, ',')", "1,2.5,3"],
    ["return string.format('%s %d %g', 4/2, 4/2, 4/2)", "2 2 2"],
    ["return #tostring(3.0), tostring(1e3)", "1 1000"],
  ],
  "unpack": [
    ["return unpack({1, 2, 3})", "1 2 3"],
    ["return unpack({1, 2, 3}, 2)", "2 3"],
    ["return unpack({1, nil, 3}, 1, 3)", "1 nil 3"],
  ],
  "loadstring": [
    ["return loadstring('return 1 + 1')()", "2"],
    ["return loadstring('x =')", `nil [string "x ="]:1: unexpected symbol near <eof>`],
    ["x = 5 return loadstring('return x')()", "5"],
    ["setfenv(1, {loadstring = loadstring}) y = 7 return loadstring('return y')()", "7"],
    ["return loadstring('error(\"boo\")', '=name')", "function"],
    ["return pcall(loadstring('error(\"boo\")', '=name'))", "false name:1: boo"],
    [
      "return loadstring(string.char(27) .. 'Lua')",
      "nil attempt to load a binary chunk (mode is 't')",
    ],
    [
      "return pcall(loadstring, {})",
      "false bad argument #1 to 'loadstring' (string expected, got table)",
    ],
  ],
  "setfenv and getfenv": [
    ["local f = function() return z end setfenv(f, {z = 3}) return f()", "3"],
    ["z = 1 local f = function() return z end setfenv(f, {z = 3}) return z, f()", "1 3"],
    ["local e = {} setfenv(1, e) a = 4 return e.a", "4"],
    ["local f = function() setfenv(2, {q = 9, type = type}) end f() return q", "9"],
    [
      "return getfenv() == _G, getfenv(1) == _G, getfenv(0) == _G, getfenv(print) == _G",
      "true true true true",
    ],
    [
      "local e = {} local f = setfenv(function() return 1 end, e) return getfenv(f) == e, f()",
      "true 1",
    ],
    ["local f = setfenv(function() return function() return w end end, {w = 8}) return f()()", "8"],
    [
      "return pcall(setfenv, print, {})",
      "false 'setfenv' cannot change environment of given object",
    ],
    ["return pcall(setfenv, 50, {})", "false bad argument #1 to 'setfenv' (invalid level)"],
    [
      "return pcall(setfenv, -1, {})",
      "false bad argument #1 to 'setfenv' (level must be non-negative)",
    ],
    [
      "return pcall(getfenv, {})",
      "false bad argument #1 to 'getfenv' (number expected, got table)",
    ],
    [
      "return pcall(setfenv, function() end)",
      "false bad argument #2 to 'setfenv' (table expected, got nil)",
    ],
  ],
  "table": [
    ["return table.getn({1, 2, 3}), table.getn({})", "3 0"],
    [
      "return table.maxn({1, 2, [10] = 3, x = 99}), table.maxn({}), table.maxn({[2.5] = 1})",
      "10 0 2.5",
    ],
    [
      "local s = '' table.foreachi({'a', 'b', nil, 'd'}, function(i, v) s = s .. i .. tostring(v) end) return s:sub(1, 4)",
      "1a2b",
    ],
    ["return table.foreachi({5, 6, 7}, function(i, v) if v == 6 then return i end end)", "2"],
    ["local n = 0 table.foreach({a = 1, b = 2, 3}, function(k, v) n = n + v end) return n", "6"],
    ["return table.foreach({a = 1}, function(k, v) return k .. v end)", "a1"],
    ["return pcall(table.setn, {}, 1)", "false 'setn' is obsolete"],
  ],
  "math": [
    ["return math.pow(2, 10), math.pow(2, 0.5)", "1024 1.4142135623731"],
    ["return math.mod(7, 3), math.mod(-7, 3), math.mod(5.5, 2)", "1 -1 1.5"],
    ["return math.log10(1000), math.log10(2)", "3 0.30102999566398"],
    ["return math.ldexp(0.75, 4), math.ldexp(1, -1)", "12 0.5"],
    ["return math.frexp(12)", "0.75 4"],
    ["return math.frexp(-0.3)", "-0.6 -1"],
    ["return math.frexp(0)", "0 0"],
    [
      "return math.cosh(1), math.sinh(1), math.tanh(1)",
      "1.5430806348152 1.1752011936438 0.76159415595576",
    ],
    ["local r = math.random(2.9) return r == 1 or r == 2", "true"],
    ["local r = math.random(1.2, 3.9) return r >= 1 and r <= 3", "true"],
    [
      "math.randomseed(12.7) local a = math.random() math.randomseed(12) return a == math.random()",
      "true",
    ],
    ["return math.floor(7/2), math.max(1, 2.5), math.huge", "3 2.5 inf"],
  ],
  "string": [
    [
      "local s = '' for w in string.gfind('one two', '%a+') do s = s .. w .. ';' end return s",
      "one;two;",
    ],
    ["return ('a\\0b'):find('%z'), ('a\\0b'):gsub('%z', '-')", "2 a-b 1"],
    [
      "return ('abcdef'):sub(2.9, 4.2), ('abc'):sub(-2.5), ('x'):rep(2.7), ('abc'):byte(1.5)",
      "bcd bc xx 97",
    ],
    ["return string.format('%d|%5d|%i', 3.7, 3.7, -3.7)", "3|    3|-3"],
    ["return string.format('%x|%X|%o|%c', 255.9, 255.9, 8.5, 65.9)", "ff|FF|10|A"],
    ["return string.format('%u|%u|%5u', 3.7, 7, 12)", "3|7|   12"],
    ["return string.format('%u', -1)", "18446744073709551615"],
    ["return string.format('%5.2f%%|%s|%q', 3.14159, 2.5, 'a')", ' 3.14%|2.5|"a"'],
    ["return string.format('%d', '10')", "10"],
    ["return string.format('%d %.1f', 2.5, 2.5)", "2 2.5"],
    [
      "return string.format('%s %s %s %s %d', 1, 'b', 2.5, nil, 3.0), ('%%'):format(), ('%5s|%-5s|'):format('x', 'y')",
      "1 b 2.5 nil 3 %     x|y    |",
    ],
    ["return string.format('%02X%s', 7, 'z'), ('%s'):format(print):sub(1, 8)", "07z function"],
    [
      "return pcall(string.format, '%d')",
      "false bad argument #2 to 'format' (no value)",
    ],
    ["return pcall(string.format, '%y', 1)", "false invalid conversion '%y' to 'format'"],
    ["return ('%d apples'):format(3.5)", "3 apples"],
    [
      "string.format('%d', 'x')",
      "error: main.lua:1: bad argument #2 to 'format' (number expected, got string)",
    ],
  ],
  "numbers and numeric strings compare (API-634)": [
    ["return 1 < '2', '10' > 9, 2 <= '2', '3' >= 4, 5 > '10'", "true true true false false"],
    ["return 'a' < 'b', '10' < '9'", "true true"],
    [
      "return pcall(function() return 1 < 'x' end)",
      "false main.lua:1: attempt to compare number with string",
    ],
    [
      "return pcall(function() return {} < 'x' end)",
      "false main.lua:1: attempt to compare table with string",
    ],
    [
      "return pcall(function() return 'x' >= 1 end)",
      "false main.lua:1: attempt to compare number with string",
    ],
    ["return 1 == '1'", "false"],
    ["local t = setmetatable({}, {__lt = function() return true end}) return t < 'x'", "true"],
  ],
  "module and package.seeall": [
    ["module('m1') x = 1 return x, _NAME, _PACKAGE == ''", "1 m1 true"],
    ["module('m2', package.seeall) function f() return type(1) end return f()", "number"],
    ["return m2.f(), m2._M == m2, x", "number true 5"],
    ["module('a.b.c', package.seeall) y = 3 return _NAME, _PACKAGE", "a.b.c a.b."],
    ["return a.b.c.y", "3"],
    [
      "m3 = 1 return pcall(function() module('m3') end)",
      "false main.lua:1: name conflict for module 'm3'",
    ],
  ],
  "gcinfo and newproxy": [
    ["return gcinfo() > 10, gcinfo() % 1", "true 0"],
    ["return type(newproxy()), getmetatable(newproxy())", "userdata nil"],
    ["local p = newproxy(true) getmetatable(p).__len = function() return 7 end return #p", "7"],
    [
      "local p = newproxy(true) local q = newproxy(p) return getmetatable(p) == getmetatable(q)",
      "true",
    ],
    [
      "return pcall(newproxy, 'x')",
      "false bad argument #1 to 'newproxy' (boolean or proxy expected)",
    ],
  ],
  "bit": [
    ["return bit.band(0x12345678, 0xff), bit.bor(1, 2, 4, 8), bit.bxor(0xa5, 0xff)", "120 15 90"],
    ["return bit.bnot(0), bit.bnot(0x12345678)", "-1 -305419897"],
    [
      "return bit.lshift(1, 0), bit.lshift(1, 8), bit.lshift(1, 40), bit.lshift(0x87654321, 12)",
      "1 256 256 1412567040",
    ],
    [
      "return bit.rshift(256, 8), bit.rshift(-256, 8), bit.arshift(-256, 8), bit.arshift(0x87654321, 12)",
      "1 16777215 -1 -493996",
    ],
    [
      "return bit.tohex(bit.rol(0x12345678, 12)), bit.tohex(bit.ror(0x12345678, 12))",
      "45678123 67812345",
    ],
    [
      "return bit.tohex(bit.bswap(0x12345678)), bit.tohex(-1), bit.tohex(0x21, 4), bit.tohex(0xffffffff, -2)",
      "78563412 ffffffff 0021 FF",
    ],
    [
      "return bit.tobit(0xffffffff), bit.tobit(2^32), bit.tobit(2^31), bit.tobit(1.5)",
      "-1 0 -2147483648 2",
    ],
    ["return bit.band('255', 15), bit.bor(0x80000000, 1)", "15 -2147483647"],
    ["return pcall(bit.band, {})", "false bad argument #1 (number expected, got table)"],
  ],
};

for (const [name, entries] of Object.entries(cases)) {
  Deno.test(`The 5.1 prelude provides ${name}`, () => {
    for (const [source, expected] of entries) {
      const actual = run(source).replace(/\b(function|table): 0x\w+/g, "$1");
      assert.equal(actual, expected, source);
    }
  });
}

Deno.test("The prelude's functions name the script's line in errors", () => {
  for (
    const [source, message] of [
      ["local x = 1\nx = string.rep()", "main.lua:2: bad argument #1 to"],
      ["local x = ('x'):rep({})", "main.lua:1: bad argument #2 to 'rep'"],
      ["\n\nmath.random(0, {})", "main.lua:3: bad argument #2 to"],
      ["return 1 <\n nil", "main.lua:2: attempt to compare number with nil"],
    ]
  ) assert.ok(run(source).startsWith(`error: ${message}`), `${source}: ${run(source)}`);
});
