// Makes a Lua 5.4 state behave like the 5.1 that existing scripts were written for. DECISIONS 12.
import { toUtf8 } from "../../bytes/text.ts";
import type { Lua } from "./lua.ts";
import base from "./prelude/base.lua" with { type: "text" };
import bit from "./prelude/bit.lua" with { type: "text" };
import common from "./prelude/common.lua" with { type: "text" };
import comparison from "./prelude/comparison.lua" with { type: "text" };
import environments from "./prelude/environments.lua" with { type: "text" };
import modules from "./prelude/modules.lua" with { type: "text" };
import numbers from "./prelude/numbers.lua" with { type: "text" };
import strings from "./prelude/strings.lua" with { type: "text" };
import tables from "./prelude/tables.lua" with { type: "text" };
import { ScriptError } from "./script_error.ts";

/** One chunk, so that the local names of the first file serve all. */
const PRELUDE = [common, environments, modules, tables, numbers, strings, comparison, base, bit]
  .join("\n");

/**
 * Runs the prelude in the globals of a state, which must have all libraries but `debug` open.
 *
 * @throws {ScriptError} if it fails, which would be our bug
 */
export function installPrelude(lua: Lua): void {
  printIntegralFloatsPlain(lua);
  const base = lua.enter();
  const newUserdata = lua.define((lua) => {
    lua.c.lua_newuserdatauv(lua.state, 0, 0);
    return 1;
  });
  const error = lua.load(toUtf8(PRELUDE), "=prelude");
  if (error) throw error;
  lua.openLibrary("debug");
  lua.pushFunction(newUserdata);
  const failure = lua.run(base, 0);
  if (failure) throw failure;
  lua.leave(base);
}

/** Lua's own texts are in this many first bytes of its memory; searching all of it would take long. */
const CONSTANTS = 1 << 18;

/**
 * Lua 5.4 adds ".0" to a float that looks like an integer: it compares the text with a set of
 * characters, "-0123456789". An empty set makes it print such floats as 5.1 did, wherever a
 * number becomes a text.
 */
function printIntegralFloatsPlain(lua: Lua): void {
  const memory = new Uint8Array(lua.c.memory.buffer, 0, CONSTANTS);
  const set = toUtf8("\0-0123456789\0");
  for (let at = memory.indexOf(0x2d, 1); at >= 0; at = memory.indexOf(0x2d, at + 1)) {
    if (set.every((byte, i) => memory[at - 1 + i] === byte)) memory[at] = 0;
  }
  if (display(lua, 1) !== "1") {
    throw new ScriptError("this build of Lua prints floats in an unknown way");
  }
}

/** The text that Lua prints of a float. */
function display(lua: Lua, value: number): string {
  lua.c.lua_pushnumber(lua.state, value);
  const text = lua.display(-1);
  lua.pop();
  return text;
}
