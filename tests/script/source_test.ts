// Lua reads sources of Lua 5.1 and LuaJIT: `goto` as a name, byte order marks, a first line with `#`.
import assert from "node:assert/strict";
import { toUtf8 } from "../../src/bytes/text.ts";
import { Lua } from "../../src/script/vm/lua.ts";
import { Machine } from "./machine.ts";

const lua = new Lua({ clock: () => 0 });

/** The first result of a chunk as text, or its error. */
function run(source: string): string {
  const base = lua.enter();
  const error = lua.load(toUtf8(source), "=chunk") ?? lua.run(base, 1);
  const text = error ? error.message : lua.display(-1);
  lua.top = base - 1;
  return text;
}

/** Sources and their results; those of LuaJIT are equal except where marked. */
const sources: [string, string][] = [
  ["local t = {} function t:goto(x) return x end return t:goto(5)", "5"],
  ["local t = {} function t.goto(x) return x end return t.goto(6)", "6"],
  ["local t = {goto = 7} return t.goto", "7"],
  ["local t = {['goto'] = 8} return t.goto", "8"],
  ["local goto = 9 return goto", "9"],
  ["local goto\ngoto = 10\nreturn goto", "10"],
  ["local function goto(x) return x end local y = goto(11) return y", "11"],
  ["local function goto(x) y = x end goto(12) return y", "12"],
  ["local function goto(x) return x end local y = goto 'text' return y", "text"],
  ["local goto, y = 13 y = goto local z = y return z", "13"],
  ["local goto = 1 local x = goto\ny = 14 return x + y", "15"],
  ["for goto = 16, 16 do return goto end", "16"],
  ["local goto = {17} for _, v in ipairs {1} do return goto[1] end", "17"],
  ["goto over x = 1 ::over:: return 18", "18"],
  ["local i = 0 ::again:: i = i + 1 if i < 19 then goto again end return i", "19"],
  ["do goto continue end ; goto continue ::continue:: return 20", "20"],
  [
    "local n = 0 for i = 1, 5 do if i % 2 == 0 then goto next end n = n + i ::next:: end return n",
    "9",
  ],
  ["local x = 'a' goto over -- goto\n::over:: return x", "a"],
  ["local x = [[goto over]] --[==[ goto over ]==] return x", "goto over"],
  ["local x = 'it\\'s goto over' return x", "it's goto over"],
  ["local x <const> = 1 goto over ::over:: return x", "1"], // Lua 5.4 alone
  ["local x <const> goto over ::over:: return x", "nil"], // Lua 5.4 alone
  ["local goto, c = 2, 1 return c > goto", "false"],
  ["goto nowhere", "chunk:1: no visible label 'nowhere' for <goto> at line 1"],
  ["x = 1\nx = = goto", "chunk:2: unexpected symbol near '='"],
];

for (const [source, expected] of sources) {
  Deno.test(`Lua reads goto as a name or a statement in ${JSON.stringify(source)}`, () =>
    assert.equal(run(source), expected));
}

Deno.test("main.lua and included files may begin with a byte order mark and a line with #", () => {
  const machine = new Machine({
    "bare.lua": "# no end of line",
    "part.lua": "\uFEFFINFO('part')",
    "module.lua": "#!/usr/bin/lua\nerror('line 2')",
  });
  assert.deepEqual(
    machine.run(
      "\uFEFF#!/usr/bin/lua\nINFO(debug.traceback():match('main.lua:(%d+)'))\n" +
        "dofile('bare.lua') dofile('part.lua') INFO(pcall(require, 'module'))\n" +
        "INFO((loadstring('# no file')))",
    ),
    ["2", "part", "(false)www/module.lua:2: line 2", "(null)"],
  );
});
