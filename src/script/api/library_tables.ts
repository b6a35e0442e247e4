// The tables `string`, `table`, `math`, … of each application: applications share the functions, but each has tables
// of its own, so that it cannot change those of others.
import { toUtf8 } from "../../bytes/text.ts";
import { pushGlobals } from "../vm/libraries.ts";
import { type Lua, type Ref, TABLE } from "../vm/lua.ts";
import type { Environment } from "./environment.ts";
import { pushCallerEnvironment } from "./loading.ts";

const LIBRARIES = ["string", "table", "math", "coroutine", "utf8", "bit", "debug", "io", "os"];

/**
 * Receives the string metatable and `string`. Methods of strings are read from a table that scripts cannot reach;
 * `missing(_, name)` finds those that an application has added to its own `string`.
 */
const PROTECT = `
local strings, library, missing = ...
local setmetatable, error = setmetatable, error
local prohibited = "change of metatable prohibited"

local function readOnly(t)
  return setmetatable({}, {
    __index = t,
    __newindex = function() error("the metatable of strings is read-only", 2) end,
    __metatable = prohibited,
  })
end

local methods = setmetatable({}, { __index = missing })
for name, f in next, library do methods[name] = f end
strings.__index = methods
strings.__metatable = readOnly { __index = readOnly(methods) }
`;

export class LibraryTables {
  readonly #lua: Lua;
  /** The original table of each library, which scripts cannot reach. */
  readonly #originals = new Map<string, Ref>();

  /** Call when all libraries are defined, before any script runs. */
  constructor(lua: Lua) {
    this.#lua = lua;
    pushGlobals(lua);
    const globals = lua.top;
    for (const name of LIBRARIES) {
      lua.getField(globals, name);
      this.#originals.set(name, lua.ref());
      this.#pushCopy(name);
      lua.setField(globals, name);
    }
    lua.pop();
    this.#protectStrings();
  }

  /** Gives an application tables of its own, also in `loaded` of the table `package` on top of the stack. */
  give(environment: Environment): void {
    const lua = this.#lua;
    lua.getField(-1, "loaded");
    for (const name of LIBRARIES) {
      this.#pushCopy(name);
      lua.pushValue(-1);
      lua.setField(-3, name);
      environment.nameValue(name);
    }
    lua.pop();
  }

  #pushCopy(name: string): void {
    const lua = this.#lua;
    lua.newTable();
    const copy = lua.top;
    lua.pushRef(this.#originals.get(name)!);
    lua.pushNil();
    while (lua.next(copy + 1)) {
      lua.pushValue(-2);
      lua.insert(-2);
      lua.rawSet(copy);
    }
    lua.pop();
  }

  #protectStrings(): void {
    const lua = this.#lua;
    const base = lua.enter();
    const error = lua.load(toUtf8(PROTECT), "=[environment]");
    if (error) throw error;
    lua.pushText("");
    lua.c.lua_getmetatable(lua.state, -1);
    lua.remove(-2);
    lua.pushRef(this.#originals.get("string")!);
    lua.pushFunction(lua.define(pushAdded));
    const failed = lua.run(base, 0);
    if (failed) throw failed;
    lua.leave(base);
  }
}

/** `("text").name` without a library function of that name: looks in `string` of the calling application. */
function pushAdded(lua: Lua): number {
  pushCallerEnvironment(lua);
  lua.pushText("string");
  if (lua.get(-2) !== TABLE) lua.pushNil();
  else {
    lua.pushValue(2);
    lua.rawGet(-2);
  }
  return 1;
}
