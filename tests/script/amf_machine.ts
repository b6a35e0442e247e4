// A Lua machine with only the parts for AMF, for tests and benchmarks.
import { AmfReader } from "../../src/amf/mod.ts";
import type { AmfHost } from "../../src/script/api/amf_host.ts";
import { AmfToLua } from "../../src/script/api/amf_to_lua.ts";
import { LuaToAmf } from "../../src/script/api/lua_to_amf.ts";
import { Objects } from "../../src/script/api/objects.ts";
import { TableBatch } from "../../src/script/vm/batch.ts";
import { FUNCTION, Lua, type LuaOptions, REGISTRY, STRING } from "../../src/script/vm/lua.ts";
import { ScriptError } from "../../src/script/vm/script_error.ts";

/** Time limit (ms) that no call of a test reaches, also on a busy machine. */
const AMPLE_TIME = 60_000;

/** Index of the table of globals in the registry: LUA_RIDX_GLOBALS. */
const GLOBALS = 2;

export class Machine implements AmfHost {
  readonly lua: Lua;
  readonly objects: Objects<AmfHost>;
  readonly toLua: AmfToLua;
  readonly toAmf: LuaToAmf;
  /** The logged messages, level first. */
  readonly logged: string[] = [];
  /** Exceptions of the server's code. */
  readonly bugs: unknown[] = [];

  constructor(options: Partial<LuaOptions> = {}) {
    const lua = this.lua = new Lua({
      clock: () => performance.now(),
      time: AMPLE_TIME,
      onBug: (bug) => this.bugs.push(bug),
      ...options,
    });
    lua.openLibrary("base");
    lua.getField(-1, "next");
    const next = lua.ref();
    lua.pop();
    for (const library of ["string", "table", "math", "coroutine"] as const) {
      lua.openLibrary(library);
      this.setGlobal(library);
    }
    this.objects = new Objects<AmfHost>(lua, this, next, (text) => this.log("warn", text));
    const batch = new TableBatch(lua);
    this.toLua = new AmfToLua(this, batch);
    this.toAmf = new LuaToAmf(this, batch);
    this.define("toAMF", (lua) => {
      this.toAmf.push(2, lua.top - 1, "amf3");
      return 1;
    });
    this.define("toAMF0", (lua) => {
      this.toAmf.push(2, lua.top - 1, "mixed");
      return 1;
    });
    this.define("onlyAMF0", (lua) => {
      this.toAmf.push(2, lua.top - 1, "amf0");
      return 1;
    });
    this.define("fromAMF", (lua) => this.toLua.push(new AmfReader(lua.copyBytes(2))));
  }

  log(level: "error" | "warn", text: string): void {
    this.logged.push(`${level}: ${text}`);
  }

  onTypedObject(type: Uint8Array): void {
    const { lua } = this;
    const object = lua.top;
    const base = lua.enter();
    lua.rawGetIndex(REGISTRY, GLOBALS);
    if (lua.getField(-1, "onTypedObject") !== FUNCTION) {
      lua.top = object;
      return;
    }
    lua.remove(-2);
    lua.pushBytes(type);
    lua.pushValue(object);
    const error = lua.run(base, 0);
    if (error) this.log("error", error.message);
    lua.top = object;
  }

  eraseGlobals(index: number): void {
    const { lua } = this;
    const value = lua.absolute(index);
    lua.rawGetIndex(REGISTRY, GLOBALS);
    const globals = lua.top;
    for (lua.pushNil(); lua.next(globals); lua.pop()) {
      if (!lua.rawEqual(-1, value) || lua.type(-2) !== STRING) continue;
      lua.pushValue(-2);
      lua.pushNil();
      lua.rawSet(globals);
    }
    lua.pop();
  }

  /** Sets a global to the value on top of the stack. */
  setGlobal(name: string): void {
    const { lua } = this;
    lua.rawGetIndex(REGISTRY, GLOBALS);
    lua.pushValue(-2);
    lua.setField(-2, name);
    lua.pop(2);
  }

  /** Makes a function a method of `cumulus`. */
  define(name: string, f: (lua: Lua) => number): void {
    const { lua } = this;
    lua.rawGetIndex(REGISTRY, GLOBALS);
    if (lua.getField(-1, "cumulus") <= 0) {
      lua.pop();
      lua.newTable();
      lua.pushValue(-1);
      lua.setField(-3, "cumulus");
    }
    lua.pushFunction(lua.define(f));
    lua.setField(-2, name);
    lua.pop(2);
  }

  /** Runs a chunk. @returns the bytes of its results; values other than strings as Lua displays them */
  run(source: string): (Uint8Array | string)[] {
    const { lua } = this;
    const base = lua.enter();
    const error = lua.load(new TextEncoder().encode(source), "@test.lua") ?? lua.run(base, -1);
    if (error) {
      lua.top = base - 1;
      throw error;
    }
    const results: (Uint8Array | string)[] = [];
    for (let index = base + 1; index <= lua.top; index++) {
      const isString = lua.type(index) === STRING;
      results.push(isString ? lua.copyBytes(index) : lua.display(index));
    }
    lua.leave(base);
    return results;
  }

  /** The string that an expression returns. */
  bytes(expression: string): Uint8Array {
    const [result] = this.run(`return ${expression}`);
    if (!(result instanceof Uint8Array)) throw new TypeError(`${expression} is ${result}`);
    return result;
  }

  /** Runs a chunk that contains assertions. */
  check(source: string): void {
    this.run(source);
  }

  /** The message of the error that a chunk raises. */
  failure(source: string): string {
    try {
      this.run(source);
    } catch (error) {
      if (error instanceof ScriptError) return error.message;
      throw error;
    }
    return "";
  }

  /** Sets the global `bytes`. */
  give(bytes: Uint8Array): void {
    this.lua.pushBytes(bytes);
    this.setGlobal("bytes");
  }
}
