// The libraries of scripts, in the real global table: those of Lua, changed by the prelude and the sandbox.
// Files, time and loading code come from src/script/api, which knows the permissions of an application.
import { toUtf8 } from "../../bytes/text.ts";
import { type Lua, type Ref, REGISTRY } from "./lua.ts";
import { locate } from "./locate.ts";
import { measure, rehearse } from "./pattern.ts";
import { installPrelude } from "./prelude.ts";
import { SANDBOX } from "./sandbox.ts";

/** Index of the global table in the registry: LUA_RIDX_GLOBALS. */
const GLOBALS = 2;
const LIBRARIES = ["coroutine", "table", "string", "utf8", "math", "debug"] as const;

/** Pushes the real global table. */
export function pushGlobals(lua: Lua): void {
  lua.rawGetIndex(REGISTRY, GLOBALS);
}

/** Pushes the table from the environment of each application (a weak key) to the parts of its metatable. */
export function pushEnvironments(lua: Lua): void {
  let ref = environments.get(lua);
  if (ref === undefined) {
    lua.newTable();
    lua.newTable(0, 1);
    lua.pushText("k");
    lua.setField(-2, "__mode");
    lua.setMetatable(-2);
    ref = lua.ref();
    environments.set(lua, ref);
  }
  lua.pushRef(ref);
}

const environments = new WeakMap<Lua, Ref>();

/** Opens the libraries. Call once, before any script runs. */
export function openLibraries(lua: Lua): void {
  pushGlobals(lua);
  const globals = lua.top;
  for (const library of LIBRARIES) {
    lua.openLibrary(library);
    lua.setField(globals, library);
  }
  lua.getField(globals, "string");
  lua.getField(-1, "dump");
  dumpers.set(lua, lua.ref());
  lua.pop();
  installPrelude(lua);
  closeSandbox(lua);
  // src/script/api gives each application its own versions of these.
  for (const name of ["dofile", "loadfile", "load", "loadstring", "print", "warn"]) {
    lua.pushNil();
    lua.setField(globals, name);
  }
  lua.top = globals - 1;
}

function closeSandbox(lua: Lua): void {
  const base = lua.enter();
  // Without line numbers, errors in these functions show the line of the script that called them.
  pushStripped(lua, SANDBOX);
  lua.newTable(0, 6);
  const machine: Record<string, (lua: Lua) => number> = {
    exhausted: (lua) => {
      lua.pushBoolean(lua.exhausted);
      return 1;
    },
    allowHooks: (lua) => {
      lua.allowHooks(1);
      return 0;
    },
    measure: (lua) => {
      lua.pushNumber(measure(lua.bytes(1)));
      return 1;
    },
    checkTime: (lua) => {
      lua.checkTime();
      return 0;
    },
    rehearse: (lua) => {
      lua.checkTime();
      const pattern = lua.copyBytes(2); // reading a number makes a string, which may invalidate views
      rehearse(lua.bytes(1), pattern, lua.toNumber(3), lua.toBoolean(4));
      return 0;
    },
    locate: (lua) => {
      lua.checkTime();
      const part = lua.copyBytes(2); // as above
      const text = lua.bytes(1);
      const at = locate(text, part, lua.toNumber(3));
      if (at < 0) {
        lua.pushNil();
        return 1;
      }
      lua.pushNumber(at + 1);
      lua.pushNumber(at + part.length);
      return 2;
    },
  };
  for (const [name, f] of Object.entries(machine)) {
    lua.pushFunction(lua.define(f));
    lua.setField(-2, name);
  }
  lua.pushRef(lua.threads);
  lua.setField(-2, "threads");
  pushEnvironments(lua);
  lua.setField(-2, "environments");
  const error = lua.run(base, 0);
  if (error) throw error;
  lua.leave(base);
}

/** Pushes a chunk without variable names and line numbers. */
export function pushStripped(lua: Lua, source: string): void {
  const error = lua.load(toUtf8(source), "=[sandbox]");
  if (error) throw error;
  const bytecode = dump(lua, -1, true);
  lua.pop();
  const failed = lua.load(bytecode, "=[sandbox]", "b");
  if (failed) throw failed;
}

/** The bytecode of the Lua function at a stack index. For the machine's own use: scripts can load only text. */
export function dump(lua: Lua, index: number, strip = false): Uint8Array<ArrayBuffer> {
  const f = lua.absolute(index);
  lua.pushRef(dumpers.get(lua)!);
  lua.pushValue(f);
  lua.pushBoolean(strip);
  lua.c.lua_callk(lua.state, 2, 1, 0, 0);
  const bytecode = lua.copyBytes(-1);
  lua.pop();
  return bytecode;
}

/** The original `string.dump`, which scripts may replace. */
const dumpers = new WeakMap<Lua, Ref>();
