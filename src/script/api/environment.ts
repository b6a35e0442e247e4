// The global names of an application. API-027 to API-034.
import { toUtf8 } from "../../bytes/text.ts";
import { pushEnvironments, pushGlobals } from "../vm/libraries.ts";
import { FUNCTION, type Key, type Lua, NIL, type Ref, STRING } from "../vm/lua.ts";

/**
 * Makes the tables of an application out of the environment of its parent:
 *
 * - `environment`, its own variables, which Lua finds without a metamethod. A script may give it a metatable of its
 *   own, which the functions of the sandbox find in `environments`;
 * - `names`, the names of API-029, looked up if the script has no variable of the name, then those of the parent;
 * - `facade`, the view of other applications (`super`, `www` or its name): its functions, which drop it as first
 *   argument, so that `super:f(x)` is `f(x)` (API-034).
 */
const MAKER = `
local environments = ...
local setmetatable, rawequal, rawget, rawset, type, next = setmetatable, rawequal, rawget, rawset, type, next
local prohibited = "change of metatable prohibited"

--- Attaches the metatable that a script sets for \`_G\` to the environment's metatable, or detaches it. Look-ups read
--- its fields each time, so that they may change.
local function adopt(meta, names, own)
  meta.own = own
  if own == nil then
    meta.__index, meta.__newindex = names, nil
    return
  end
  meta.__index = function(environment, name)
    local value = names[name]
    if value ~= nil then return value end
    local index = rawget(own, "__index")
    if type(index) == "function" then return index(environment, name) end
    return index and index[name]
  end
  meta.__newindex = function(environment, name, value)
    local set = rawget(own, "__newindex")
    if set == nil then
      rawset(environment, name, value)
      return
    end
    if type(set) == "function" then return set(environment, name, value) end
    set[name] = value
  end
end

local function drop(f, _, ...)
  return f(...)
end

return function(parent)
  local names = setmetatable({}, { __index = parent, __metatable = prohibited })
  local meta = { __index = names, __metatable = prohibited, adopt = adopt, names = names }
  local environment = setmetatable({}, meta)
  names._G = environment
  environments[environment] = meta
  local facade = {}
  local functions = setmetatable({}, { __mode = "k" })
  setmetatable(facade, {
    __metatable = prohibited,
    __index = function(_, name)
      local value = environment[name]
      if type(value) ~= "function" then return value end
      local f = functions[value]
      if not f then
        f = function(...)
          if rawequal((...), facade) then return drop(value, ...) end
          return value(...)
        end
        functions[value] = f
      end
      return f
    end,
    __newindex = function(_, name, value) environment[name] = value end,
    __pairs = function() return next, environment, nil end,
  })
  return environment, names, facade, function() adopt(meta, names, nil) end
end
`;

const makers = new WeakMap<Lua, Ref>();

/** Call before any script runs. */
export function prepareEnvironments(lua: Lua): void {
  const base = lua.enter();
  const error = lua.load(toUtf8(MAKER), "=[environment]");
  if (error) throw error;
  pushEnvironments(lua);
  const failed = lua.run(base, 1);
  if (failed) throw failed;
  makers.set(lua, lua.ref());
  lua.leave(base);
}

export class Environment {
  readonly ref: Ref;
  readonly facade: Ref;
  /** Identity of the table of variables; see {@link Lua.pointer}. */
  readonly pointer: number;
  readonly #lua: Lua;
  readonly #names: Ref;
  readonly #restore: Ref;

  /** @param parent none for the root, whose parent is the real global table */
  constructor(lua: Lua, parent: Environment | undefined) {
    this.#lua = lua;
    const base = lua.enter();
    lua.pushRef(makers.get(lua)!);
    if (parent) lua.pushRef(parent.ref);
    else pushGlobals(lua);
    const error = lua.run(base, 4);
    if (error) throw error;
    this.#restore = lua.ref();
    this.facade = lua.ref();
    this.#names = lua.ref();
    this.pointer = lua.pointer(-1);
    this.ref = lua.ref();
    lua.leave(base);
  }

  /** Makes a name of API-029 stand for an application; undefined removes it. */
  name(text: string, environment: Environment | undefined): void {
    const lua = this.#lua;
    lua.pushRef(this.#names);
    lua.pushText(text);
    if (environment) lua.pushRef(environment.facade);
    else lua.pushNil();
    lua.rawSet(-3);
    lua.pop();
  }

  /** As {@link name}, for the value on top, which it pops. */
  nameValue(text: string): void {
    const lua = this.#lua;
    lua.pushRef(this.#names);
    lua.insert(-2);
    lua.setField(-2, text);
    lua.pop();
  }

  /** Pushes the application's own variable. @returns its type; nothing is pushed if there is none */
  pushOwn(key: Key): number {
    const lua = this.#lua;
    lua.pushRef(this.ref);
    lua.pushKey(key);
    const type = lua.rawGet(-2);
    if (type === NIL) lua.pop(2);
    else lua.remove(-2);
    return type;
  }

  /** Names of the application's own variables that are functions. */
  functions(): string[] {
    const lua = this.#lua;
    const names: string[] = [];
    lua.pushRef(this.ref);
    const table = lua.top;
    for (lua.pushNil(); lua.next(table); lua.pop()) {
      if (lua.type(-2) === STRING && lua.type(-1) === FUNCTION) names.push(lua.text(-2));
    }
    lua.pop();
    return names;
  }

  /** Erases all variables, and the metatable that a script gave to them. API-026, API-042 */
  clear(): void {
    const lua = this.#lua;
    const base = lua.enter();
    lua.pushRef(this.#restore);
    lua.run(base, 0);
    lua.leave(base);
    lua.pushRef(this.ref);
    const table = lua.top;
    lua.pushNil();
    while (lua.next(table)) {
      lua.pop();
      lua.pushValue(-1);
      lua.pushNil();
      lua.rawSet(table); // an existing field may be cleared while the table is walked
    }
    lua.pop();
  }

  /** Sets variables to nil that hold the value at a stack index. API-045 */
  erase(index: number): void {
    const lua = this.#lua;
    const value = lua.absolute(index);
    lua.pushRef(this.ref);
    const table = lua.top;
    lua.pushNil();
    while (lua.next(table)) {
      const same = lua.rawEqual(-1, value);
      lua.pop();
      if (!same) continue;
      lua.pushValue(-1);
      lua.pushNil();
      lua.rawSet(table);
    }
    lua.pop();
  }

  /** Releases the tables; the environment must not be used afterwards. */
  release(): void {
    for (const ref of [this.ref, this.#names, this.facade, this.#restore]) this.#lua.unref(ref);
  }
}
