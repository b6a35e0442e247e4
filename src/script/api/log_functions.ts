// ERROR, WARN, NOTE, INFO, DEBUG, TRACE and print. API-050 to API-053.
import { pushGlobals } from "../vm/libraries.ts";
import { BOOLEAN, FUNCTION, type Lua, NIL, NUMBER, STRING, TABLE, THREAD } from "../vm/lua.ts";
import type { Api } from "./api.ts";

const LEVELS = ["error", "warn", "note", "info", "debug", "trace"] as const;

export function defineLogFunctions(api: Api): void {
  const { lua } = api;
  pushGlobals(lua);
  for (const level of LEVELS) {
    lua.pushFunction(lua.define((lua) => {
      let text = "";
      for (let i = 1, end = lua.top; i <= end; i++) text += textOf(api, lua, i);
      api.log(level, text);
      return 0;
    }));
    lua.setField(-2, level.toUpperCase());
  }
  lua.pushFunction(lua.define((lua) => {
    const parts: Uint8Array[] = [];
    for (let i = 1, end = lua.top; i <= end; i++) {
      const object = api.objects.describe(i);
      if (object === undefined) lua.c.luaL_tolstring(lua.state, i, 0);
      else lua.pushText(object);
      parts.push(lua.copyBytes(-1));
      lua.pop();
    }
    api.host.print(joined(parts));
    return 0;
  }));
  lua.setField(-2, "print");
  lua.pop();
}

/** Text of one argument of a log function. API-051 */
function textOf(api: Api, lua: Lua, index: number): string {
  switch (lua.type(index)) {
    case STRING:
    case NUMBER:
      return lua.text(index);
    case BOOLEAN:
      return lua.toBoolean(index) ? "(true)" : "(false)";
    case NIL:
      return "(null)";
    case TABLE:
      return api.objects.describe(index) ?? `table_${address(lua, index)}`;
    case FUNCTION:
      return `function_${address(lua, index)}`;
    case THREAD:
      return `thread_${address(lua, index)}`;
    default:
      return `userdata_${address(lua, index)}`;
  }
}

const address = (lua: Lua, index: number): string =>
  `0x${lua.pointer(index).toString(16).padStart(8, "0")}`;

const TAB = 9, LINE_FEED = 10;

/** Joins parts with tabs and adds a line feed, as `print` does. */
function joined(parts: Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length + 1, 0) || 1);
  let at = 0;
  parts.forEach((part, i) => {
    if (i > 0) bytes[at++] = TAB;
    bytes.set(part, at);
    at += part.length;
  });
  bytes[at] = LINE_FEED;
  return bytes;
}
