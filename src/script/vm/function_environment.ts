// The environment of a function: the table of its global variables. Lua 5.4 has it in an upvalue called _ENV, which
// the functions of a chunk share; in Lua 5.1 each function had its own.
import { dump } from "./libraries.ts";
import type { Lua } from "./lua.ts";

/** Number of the upvalue _ENV of the Lua function at a stack index; 0 if it uses no globals. */
function environmentUpvalue(lua: Lua, index: number): number {
  for (let n = 1;; n++) {
    const name = lua.pushUpvalue(index, n);
    if (name === undefined) return 0;
    lua.pop();
    if (name === "_ENV") return n;
  }
}

/** Pushes the environment of the function at a stack index. @returns false, without pushing, if it has none */
export function pushEnvironment(lua: Lua, index: number): boolean {
  const n = environmentUpvalue(lua, index);
  return n > 0 && lua.pushUpvalue(index, n) !== undefined;
}

/**
 * Pops a table and pushes a copy of the function at a stack index with that table as its environment; both share
 * all local variables. @returns false, without pushing, if the function uses no globals
 */
export function pushClone(lua: Lua, index: number): boolean {
  const f = lua.absolute(index);
  const environment = lua.top;
  const n = lua.c.lua_iscfunction(lua.state, f) ? 0 : environmentUpvalue(lua, f);
  if (n === 0) {
    lua.pop();
    return false;
  }
  const error = lua.load(dump(lua, f), "=", "b");
  if (error) throw error;
  for (let i = 1; lua.pushUpvalue(f, i) !== undefined; i++) {
    lua.pop();
    if (i !== n) lua.c.lua_upvaluejoin(lua.state, environment + 1, i, f, i);
  }
  lua.pushValue(environment);
  lua.c.lua_setupvalue(lua.state, environment + 1, n);
  lua.remove(environment);
  return true;
}
