import { pushGlobals, pushStripped } from "../vm/libraries.ts";
import type { Lua } from "../vm/lua.ts";
import type { Api } from "./api.ts";
import { METATABLE_TEXT } from "./binding.ts";

/** `walk(object)` returns the results of `object:ipairs()`, or nothing without such a function. */
const IPAIRS = `
local ipairs, walk, prohibited = ...
local type, getmetatable, select, error = type, getmetatable, select, error

return function(...)
  local t = ...
  if t == nil then
    local got = select("#", ...) == 0 and "no value" or "nil"
    error("bad argument #1 to 'ipairs' (table expected, got " .. got .. ")", 2)
  end
  if type(t) == "table" and getmetatable(t) == prohibited then
    local step, list = walk(t)
    if step then return step, list end
  end
  return ipairs(t)
end
`;

/** Makes the global `ipairs` walk collections of the API. */
export function defineIpairs(api: Api): void {
  const { lua } = api;
  pushGlobals(lua);
  const globals = lua.top;
  const base = lua.enter();
  pushStripped(lua, IPAIRS);
  lua.getField(globals, "ipairs");
  lua.pushFunction(lua.define((lua: Lua) => api.objects.walk(lua, 1)));
  lua.pushText(METATABLE_TEXT);
  const error = lua.run(base, 1);
  if (error) throw error;
  lua.setField(globals, "ipairs");
  lua.top = globals - 1;
}
