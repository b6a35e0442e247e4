// A small WebAssembly module between JavaScript and Lua, made at start: what would cost too much in JavaScript.
// - `alloc`, Lua's allocator with a limit: in JavaScript it would double the time of scripts that allocate.
// - `pushInteger`, `rawGet`, `rawSet` take numbers where Lua's own take 64-bit integers (BigInt in JavaScript).
// - trampolines: a table of Lua can only hold WebAssembly functions, so each function of ours that Lua calls
//   gets one, which passes on its own number.
import {
  ADD,
  AND,
  call,
  constant,
  END,
  EQZ,
  F64_TO_I64,
  get,
  getGlobal,
  GT_U,
  I32_TO_I64,
  IF,
  RETURN,
  set,
  setGlobal,
  SUB,
} from "../../wasm/instructions.ts";
import { F64, functionType, I32, I64, wasmModule } from "../../wasm/module.ts";

/** How many trampolines one module holds. */
export const TRAMPOLINES = 128;

// Types, by their index.
const types = [
  functionType([I32], [I32]),
  functionType([I32, I32], [I32]),
  functionType([I32, I32], []),
  functionType([I32, I64], []),
  functionType([I32, I32, I64], [I32]),
  functionType([I32, I32, I64], []),
  functionType([I32], []),
  functionType([I32, I32, I32, I32], [I32]),
  functionType([I32, F64], []),
  functionType([I32, I32, I32], [I32]),
  functionType([I32, I32, I32], []),
];

// Imported functions, by their index.
const PUSH_INTEGER = 0, RAW_GET = 1, RAW_SET = 2, REALLOC = 3, FREE = 4, HOOK = 5, CALL = 6;

const USED = 0, LIMIT = 1;
/** alloc(0, old, oldSize, newSize): Lua Reference Manual 5.4, lua_Alloc. */
const alloc = [
  // a new block: oldSize tells its kind, not a size
  ...[...get(1), EQZ, ...IF, ...constant(0), ...set(2), END],
  // newSize = 0: free
  ...[...get(3), EQZ, ...IF],
  ...[...getGlobal(USED), ...get(2), SUB, ...setGlobal(USED), ...get(1), ...call(FREE)],
  ...[...constant(0), RETURN, END],
  // growing beyond the limit: refuse
  ...[...get(3), ...get(2), GT_U],
  ...[...getGlobal(USED), ...get(3), ADD, ...get(2), SUB, ...getGlobal(LIMIT), GT_U, AND, ...IF],
  ...[...constant(0), RETURN, END],
  ...[...get(1), ...get(3), ...call(REALLOC), ...set(4)],
  ...[...get(4), ...IF],
  ...[...getGlobal(USED), ...get(3), ADD, ...get(2), SUB, ...setGlobal(USED), END],
  ...get(4),
];

/** Trampolines for the functions numbered from `first` on, and the rest of what the module does. */
export function shimModule(first: number): Uint8Array<ArrayBuffer> {
  return wasmModule({
    types,
    imports: [
      ["lua", "lua_pushinteger", 3],
      ["lua", "lua_rawgeti", 4],
      ["lua", "lua_rawseti", 5],
      ["lua", "realloc", 1],
      ["lua", "free", 6],
      ["js", "hook", 2],
      ["js", "call", 1],
    ],
    functions: [
      { type: 7, export: "alloc", locals: [I32], code: alloc },
      {
        type: 8,
        export: "pushInteger",
        code: [...get(0), ...get(1), ...F64_TO_I64, ...call(PUSH_INTEGER)],
      },
      {
        type: 9,
        export: "rawGet",
        code: [...get(0), ...get(1), ...get(2), I32_TO_I64, ...call(RAW_GET)],
      },
      {
        type: 10,
        export: "rawSet",
        code: [...get(0), ...get(1), ...get(2), I32_TO_I64, ...call(RAW_SET)],
      },
      { type: 2, export: "hook", code: [...get(0), ...get(1), ...call(HOOK)] },
      ...Array.from({ length: TRAMPOLINES }, (_, i) => ({
        type: 0,
        export: `f${i}`,
        code: [...get(0), ...constant(first + i), ...call(CALL)],
      })),
    ],
    globals: [{ export: "used", value: 0 }, { export: "limit", value: -1 }],
  });
}

export interface Shim {
  alloc: CallableFunction;
  hook: CallableFunction;
  pushInteger(state: number, value: number): void;
  rawGet(state: number, index: number, key: number): number;
  rawSet(state: number, index: number, key: number): void;
  /** Bytes that Lua holds. */
  used: WebAssembly.Global;
  /** Bytes that Lua may hold. */
  limit: WebAssembly.Global;
  [trampoline: `f${number}`]: CallableFunction;
}
