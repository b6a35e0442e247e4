// The library `os`, without access to the machine. DECISIONS 20; Lua 5.4 Reference Manual, §6.9.
import { pushGlobals } from "../vm/libraries.ts";
import { type Lua, NIL, NUMBER, TABLE } from "../vm/lua.ts";
import { ScriptError } from "../vm/script_error.ts";
import type { Api } from "./api.ts";
import { type AllowedFile, resolvePath } from "./paths.ts";
import { formatTime } from "./strftime.ts";
import { type TimeFields, timeFields } from "./time_fields.ts";

export function defineOs(api: Api): void {
  const { lua } = api;
  pushGlobals(lua);
  lua.newTable();
  for (
    const [name, f] of Object.entries({ ...timeFunctions(api), ...fileFunctions(api), ...other })
  ) {
    lua.pushFunction(lua.define(f));
    lua.setField(-2, name);
  }
  lua.setField(-2, "os");
  lua.pop();
}

type Functions = Readonly<Record<string, (lua: Lua) => number>>;

const timeFunctions = ({ host }: Api): Functions => ({
  clock: (lua) => {
    lua.c.lua_pushnumber(lua.state, host.now() / 1000);
    return 1;
  },
  date: (lua) => date(lua, host.epochTime()),
  difftime: (lua) => {
    lua.c.lua_pushnumber(lua.state, lua.toNumber(1) - lua.toNumber(2));
    return 1;
  },
  time: (lua) => {
    lua.pushNumber(Math.floor(lua.type(1) <= NIL ? host.epochTime() / 1000 : time(lua)));
    return 1;
  },
});

const fileFunctions = (api: Api): Functions => {
  const { host } = api;
  return {
    remove: (lua) =>
      changeFiles(api, (file) => host.files.remove(file.full, file.within), lua.text(1)),
    rename: (lua) =>
      changeFiles(
        api,
        (from, to) => host.files.rename(from.full, to.full, to.within),
        lua.text(1),
        lua.text(2),
      ),
    tmpname: (lua) => {
      const folder = api.running?.folder ?? host.www;
      lua.pushText(`${folder}lua_${Math.floor(host.epochTime())}_${++temporary}`);
      return 1;
    },
  };
};

const other: Functions = {
  getenv: (lua) => {
    lua.pushNil(); // scripts do not see the server's environment
    return 1;
  },
  setlocale: (lua) => {
    const wanted = lua.type(1) <= NIL ? "C" : lua.text(1);
    if (wanted === "" || wanted === "C" || wanted === "POSIX") lua.pushText("C");
    else lua.pushNil();
    return 1;
  },
};

/** Changes files that the script may reach, and pushes true, or nil with the error and its number. */
function changeFiles(
  api: Api,
  change: (...files: AllowedFile[]) => string | undefined,
  ...names: [string, ...string[]]
): number {
  const { lua } = api;
  const files: AllowedFile[] = [];
  let failed: string | undefined;
  for (const name of names) {
    const file = resolvePath(api, name);
    if ("full" in file) files.push(file);
    else failed ??= `${name}: ${file.refusal}`;
  }
  failed ??= prefixed(names[0], change(...files));
  if (failed === undefined) {
    lua.pushBoolean(true);
    return 1;
  }
  lua.pushNil();
  lua.pushText(failed);
  lua.pushNumber(1);
  return 3;
}

let temporary = 0;

const prefixed = (name: string, failed: string | undefined): string | undefined =>
  failed === undefined ? undefined : `${name}: ${failed}`;

/** Maximum characters of the format of `os.date`, of which two may become 24. */
const MAX_FORMAT = 1024;

/** `os.date([format[, time]])`. */
function date(lua: Lua, now: number): number {
  let format = lua.type(1) <= NIL ? "%c" : lua.text(1);
  if (format.length > MAX_FORMAT) {
    throw new ScriptError(`bad argument #1 to 'date' (longer than ${MAX_FORMAT} characters)`);
  }
  const seconds = lua.type(2) <= NIL ? Math.floor(now / 1000) : lua.toNumber(2);
  const utc = format.startsWith("!");
  if (utc) format = format.slice(1);
  const fields = timeFields(seconds * 1000, utc);
  if (!fields) throw new ScriptError("date result cannot be represented in this installation");
  if (!format.startsWith("*t")) {
    const text = formatTime(format, fields);
    if (text === undefined) {
      throw new ScriptError("bad argument #1 to 'date' (invalid conversion specifier)");
    }
    lua.pushText(text);
    return 1;
  }
  lua.newTable(0, 9);
  const { year, month, day, hour, min, sec, wday, yday, isdst } = fields;
  const numbers = { year, month, day, hour, min, sec, wday, yday };
  for (const [name, value] of Object.entries(numbers)) {
    lua.pushNumber(value);
    lua.setField(-2, name);
  }
  lua.pushBoolean(isdst);
  lua.setField(-2, "isdst");
  return 1;
}

/** Seconds since 1970 of the table at 1; normalizes its fields. */
function time(lua: Lua): number {
  if (lua.type(1) !== TABLE) throw new ScriptError("bad argument #1 to 'time' (table expected)");
  const field = (name: keyof TimeFields, missing?: number): number => {
    const type = lua.getField(1, name);
    const value = lua.toNumber(-1);
    const isNumber = type === NUMBER || (type > NIL && lua.c.lua_isnumber(lua.state, -1));
    lua.pop();
    if (isNumber) return Math.floor(value);
    if (type > NIL) throw new ScriptError(`field '${name}' is not an integer`);
    if (missing === undefined) throw new ScriptError(`field '${name}' missing in date table`);
    return missing;
  };
  const at = new Date(2000, 0, 1);
  at.setFullYear(field("year"), field("month") - 1, field("day"));
  at.setHours(field("hour", 12), field("min", 0), field("sec", 0), 0);
  const milliseconds = at.getTime();
  const fields = timeFields(milliseconds, false);
  if (!fields) throw new ScriptError("time result cannot be represented in this installation");
  return milliseconds / 1000;
}
