// Lua's C API as wasmoon's WebAssembly exports it, and the few functions that it imports. The imports give Lua no
// file, process or environment; src/script/api gives scripts what they may use.
import glue from "./glue.js";
import { freeGoto } from "./goto.ts";
import { shim, trampoline } from "./modules.ts";
import { ScriptError } from "./script_error.ts";
import type { Shim } from "./shim.ts";

type State = number;
type Pointer = number;

/** Lua Reference Manual 5.4, §4.6 and §5.1. Booleans are 0 or 1, strings pointers to bytes that end in 0. */
export interface LuaExports {
  memory: WebAssembly.Memory;
  __indirect_function_table: WebAssembly.Table;
  __wasm_call_ctors(): void;
  emscripten_stack_init(): void;
  stackSave(): Pointer;
  stackRestore(at: Pointer): void;
  setThrew(threw: number, value: number): void;
  malloc(size: number): Pointer;
  free(at: Pointer): void;
  realloc(at: Pointer, size: number): Pointer;
  lua_newstate(alloc: Pointer, context: Pointer): State;
  lua_close(L: State): void;
  lua_gettop(L: State): number;
  lua_settop(L: State, index: number): void;
  lua_absindex(L: State, index: number): number;
  lua_checkstack(L: State, extra: number): number;
  lua_pushvalue(L: State, index: number): void;
  lua_rotate(L: State, index: number, by: number): void;
  lua_copy(L: State, from: number, to: number): void;
  lua_type(L: State, index: number): number;
  lua_isinteger(L: State, index: number): number;
  lua_isnumber(L: State, index: number): number;
  lua_iscfunction(L: State, index: number): number;
  lua_toboolean(L: State, index: number): number;
  lua_tonumberx(L: State, index: number, isNumber: Pointer): number;
  lua_tolstring(L: State, index: number, length: Pointer): Pointer;
  lua_topointer(L: State, index: number): Pointer;
  lua_tothread(L: State, index: number): State;
  lua_rawlen(L: State, index: number): bigint;
  lua_rawequal(L: State, a: number, b: number): number;
  lua_pushnil(L: State): void;
  lua_pushboolean(L: State, value: number): void;
  lua_pushnumber(L: State, value: number): void;
  lua_pushlstring(L: State, at: Pointer, length: number): Pointer;
  lua_pushcclosure(L: State, f: Pointer, upvalues: number): void;
  lua_newuserdatauv(L: State, size: number, values: number): Pointer;
  lua_createtable(L: State, array: number, hash: number): void;
  lua_gettable(L: State, index: number): number;
  lua_settable(L: State, index: number): void;
  lua_rawget(L: State, index: number): number;
  lua_rawset(L: State, index: number): void;
  lua_next(L: State, index: number): number;
  lua_getmetatable(L: State, index: number): number;
  lua_setmetatable(L: State, index: number): number;
  lua_callk(L: State, args: number, results: number, context: number, k: Pointer): void;
  lua_pcallk(
    L: State,
    args: number,
    results: number,
    handler: number,
    context: number,
    k: Pointer,
  ): number;
  lua_error(L: State): number;
  lua_sethook(L: State, hook: Pointer, mask: number, count: number): void;
  lua_gethookcount(L: State): number;
  lua_getstack(L: State, level: number, info: Pointer): number;
  lua_getinfo(L: State, what: Pointer, info: Pointer): number;
  lua_getupvalue(L: State, index: number, n: number): Pointer;
  lua_setupvalue(L: State, index: number, n: number): Pointer;
  lua_upvaluejoin(L: State, index: number, n: number, from: number, m: number): void;
  luaL_ref(L: State, table: number): number;
  luaL_unref(L: State, table: number, ref: number): void;
  luaL_loadbufferx(
    L: State,
    at: Pointer,
    length: number,
    name: Pointer,
    mode: Pointer,
  ): number;
  luaL_traceback(L: State, from: State, message: Pointer, level: number): void;
  luaL_where(L: State, level: number): void;
  luaL_tolstring(L: State, index: number, length: Pointer): Pointer;
  luaopen_base: CallableFunction;
  luaopen_coroutine: CallableFunction;
  luaopen_table: CallableFunction;
  luaopen_string: CallableFunction;
  luaopen_utf8: CallableFunction;
  luaopen_math: CallableFunction;
  luaopen_debug: CallableFunction;
}

/** The value that Lua throws to leave C functions; `invoke_vii` catches it. */
export const LONG_JUMP = Infinity;

/** One Lua in WebAssembly. */
export class Instance {
  readonly lua: LuaExports;
  readonly shim: Shim;
  readonly hook: number;
  readonly alloc: number;
  readonly #call = (state: number, index: number) => this.call(state, index);
  /** Runs the function with the number given to {@link functionAt}. @returns the number of its results */
  call: (state: number, index: number) => number = () => 0;
  onHook: (state: number) => void = () => {};
  /** Called after the memory has moved. */
  onGrown: () => void = () => {};
  /** Called when an exception other than Lua's own jump has left C functions of `state`: makes it a Lua error. */
  raise: (state: number, thrown: unknown) => void = (_, thrown) => {
    throw thrown;
  };

  /** @param seed returns 32 bits for Lua's string hash and `math.random`, instead of the time in seconds */
  constructor(seed: () => number) {
    const refuse = () => -52; // ENOSYS
    const imports: Record<string, CallableFunction> = {};
    for (const { name } of WebAssembly.Module.imports(glue)) imports[name] = refuse;
    // The functions that Lua calls under its protection, by their place in the table.
    const protectedFunctions: CallableFunction[] = [];
    Object.assign(imports, {
      // Lua calls it for an error outside any protected call: only memory can run out there.
      abort: () => {
        throw new ScriptError("not enough memory", "memory");
      },
      _emscripten_throw_longjmp: () => {
        throw LONG_JUMP;
      },
      invoke_vii: (f: number, state: number, context: number) => {
        const lua = this.lua;
        const at = lua.stackSave();
        try {
          (protectedFunctions[f] ??= lua.__indirect_function_table.get(f)!)(state, context);
        } catch (thrown) {
          lua.stackRestore(at);
          if (thrown !== LONG_JUMP) this.raise(state, thrown);
          lua.setThrew(1, 0);
        }
      },
      emscripten_resize_heap: (wanted: number) => this.#grow(wanted >>> 0),
      emscripten_date_now: () => seed() * 1000,
      environ_sizes_get: (count: number, size: number) => {
        const view = new DataView(this.lua.memory.buffer);
        view.setUint32(count, 0, true);
        view.setUint32(size, 0, true);
        return 0;
      },
    });
    const instance = new WebAssembly.Instance(glue, {
      env: imports as WebAssembly.ModuleImports,
      wasi_snapshot_preview1: imports as WebAssembly.ModuleImports,
    });
    this.lua = instance.exports as unknown as LuaExports;
    this.lua.emscripten_stack_init();
    this.lua.__wasm_call_ctors();
    freeGoto(this.lua.memory);
    this.shim = new WebAssembly.Instance(shim, {
      lua: this.lua as unknown as WebAssembly.ModuleImports,
      js: { hook: (state: number) => this.onHook(state) },
    }).exports as unknown as Shim;
    this.hook = this.tableIndex(this.shim.hook);
    this.alloc = this.tableIndex(this.shim.alloc);
  }

  /** Makes a WebAssembly function callable by Lua. @returns its index in Lua's function table */
  tableIndex(f: CallableFunction): number {
    const index = this.lua.__indirect_function_table.grow(1);
    this.lua.__indirect_function_table.set(index, f);
    return index;
  }

  /** Makes our function with this number callable by Lua. @returns its index in Lua's function table */
  functionAt(index: number): number {
    const { f } = new WebAssembly.Instance(trampoline, { js: { index, call: this.#call } }).exports;
    return this.tableIndex(f as CallableFunction);
  }

  #grow(wanted: number): number {
    const { memory } = this.lua;
    const now = memory.buffer.byteLength;
    for (const size of [Math.max(wanted, now * 1.25), wanted]) {
      try {
        memory.grow(Math.ceil((size - now) / 65536));
        this.onGrown();
        return 1;
      } catch {
        // too much: try less, or fail
      }
    }
    return 0;
  }
}
