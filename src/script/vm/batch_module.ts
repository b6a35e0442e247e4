// A WebAssembly module that takes whole tables out of Lua and puts whole tables into it at one call: from JavaScript
// each key and each value would be three or four calls, which cost more than what Lua does in them.
import type { LuaExports } from "./exports.ts";
import {
  ADD,
  BLOCK,
  branch,
  branchIf,
  call,
  constant,
  DROP,
  ELSE,
  END,
  EQ,
  EQZ,
  F64_NE,
  F64_TO_I64,
  GE_U,
  get,
  GT_U,
  I32_TO_F64,
  I32_TO_I64,
  I64_TO_I32,
  IF,
  load,
  loadDouble,
  loadShort,
  LOOP,
  NE,
  OR,
  RETURN,
  set,
  storeAt,
  storeDoubleAt,
  SUB,
} from "../../wasm/instructions.ts";
import type { Code } from "../../wasm/encoding.ts";
import { F64, functionType, I32, I64, wasmModule } from "../../wasm/module.ts";

/** Length of a record, of {@link Batch.dump} or {@link Batch.run}. */
export const RECORD = 16;

/** First word of records for `run`; the rest is at offsets 4 and 8. */
export const PUSH_NIL = 0,
  PUSH_BOOLEAN = 1, // 4: 0 or 1
  PUSH_NUMBER = 2, // 8: a double
  PUSH_INTEGER = 3, // 8: a double that is an integer
  PUSH_STRING = 4, // 4: length, 8: address
  PUSH_TABLE = 5, // 4, 8: for how many elements and fields there is room
  SET_FIELD = 6, // takes a value and below it its key
  SET_ELEMENT = 7, // 4: index; takes a value
  KEEP = 8, // 4: index where the table of references keeps the value on top
  PUSH_KEPT = 9, // 4: index
  PUSH_REF = 10; // 4: index in the registry

/** In the first word of a table's record: some of its keys are strings. */
export const HAS_NAMES = 256;

export interface BatchExports {
  /**
   * Writes records of the value on top of the stack from address `out` on: type, then a number or boolean at 8, or
   * length and address of a string at 4 and 8, or of a table: length at 4, what identifies it at 8, where its records
   * end at 12, and then a record of each key and records of each value.
   *
   * @returns where they end. 0 if they do not end before `end`, or if there is a table among them that is more than
   *   this: deeper than `depth`, with a metatable, with elements missing or out of order, with keys that begin with
   *   `__`, are empty or no strings
   */
  dump(state: number, out: number, end: number, depth: number): number;
  /** Carries out the records from address `at` up to `end`; `references` is a stack index. */
  run(state: number, at: number, end: number, references: number): void;
}

/** Functions of Lua's C API that are used, with the index of their type. */
const imports: [name: keyof LuaExports, type: number][] = [
  ["lua_type", 0],
  ["lua_next", 0],
  ["lua_checkstack", 0],
  ["lua_getmetatable", 0],
  ["lua_toboolean", 0],
  ["lua_topointer", 0],
  ["lua_rawlen", 1],
  ["lua_tonumberx", 2],
  ["lua_tolstring", 3],
  ["lua_settop", 4],
  ["lua_pushnil", 5],
  ["lua_pushboolean", 4],
  ["lua_pushnumber", 6],
  ["lua_pushinteger" as keyof LuaExports, 7],
  ["lua_pushlstring", 3],
  ["lua_pushvalue", 4],
  ["lua_createtable", 8],
  ["lua_rawset", 4],
  ["lua_rawseti" as keyof LuaExports, 9],
  ["lua_rawgeti" as keyof LuaExports, 10],
];
const types = [
  functionType([I32, I32], [I32]),
  functionType([I32, I32], [I64]),
  functionType([I32, I32, I32], [F64]),
  functionType([I32, I32, I32], [I32]),
  functionType([I32, I32], []),
  functionType([I32], []),
  functionType([I32, F64], []),
  functionType([I32, I64], []),
  functionType([I32, I32, I32], []),
  functionType([I32, I32, I64], []),
  functionType([I32, I32, I64], [I32]),
  functionType([I32, I32, I32, I32], [I32]), // dump
  functionType([I32, I32, I32, I32], []), // run
];
const DUMP = imports.length, DUMP_TABLE = DUMP + 1;

/** Calls a function of Lua with its state, local 0, and other arguments. */
const lua = (name: string, ...args: Code[]) => [
  ...get(0),
  ...args.flat(),
  ...call(imports.findIndex(([known]) => known === name)),
];

const TYPE_BOOLEAN = 1, TYPE_NUMBER = 3, TYPE_STRING = 4, TYPE_TABLE = 5;
const UNDERSCORES = 0x5f5f;

// dump(state, out, end, depth)
const [OUT, DUMP_END, DEPTH, TYPE] = [1, 2, 3, 4];
const whenType = (type: number, code: Code) => [
  ...[...get(TYPE), ...constant(type), EQ, ...IF, ...code, END],
];
const dump = [
  ...[...get(OUT), ...constant(RECORD), ADD, ...get(DUMP_END), GT_U],
  ...[...IF, ...constant(0), RETURN, END],
  ...[...lua("lua_type", constant(-1)), ...set(TYPE)],
  ...[...get(OUT), ...get(TYPE), ...storeAt(0)],
  ...whenType(TYPE_NUMBER, [
    ...[...get(OUT), ...lua("lua_tonumberx", constant(-1), constant(0)), ...storeDoubleAt(8)],
  ]),
  ...whenType(TYPE_STRING, [
    ...[...get(OUT), ...lua("lua_tolstring", constant(-1), [...get(OUT), ...constant(4), ADD])],
    ...storeAt(8),
  ]),
  ...whenType(TYPE_BOOLEAN, [
    ...[...get(OUT), ...lua("lua_toboolean", constant(-1)), ...storeAt(8)],
  ]),
  ...whenType(TYPE_TABLE, [
    ...[...get(0), ...get(OUT), ...get(DUMP_END), ...get(DEPTH), ...call(DUMP_TABLE), RETURN],
  ]),
  ...[...get(OUT), ...constant(RECORD), ADD],
];

// dumpTable(state, out, end, depth), of which the first three are as above
const [AT, KEY_TYPE, NAME, COUNT, NAMES] = [4, 5, 6, 7, 8];
/** Gives up where a table, a key and a value are on the stack. */
const giveUpIf = (condition: Code) => [
  ...[...condition, ...IF, ...lua("lua_settop", constant(-3)), ...constant(0), RETURN, END],
];
const dumpTable = [
  ...[...get(DEPTH), EQZ, ...IF, ...constant(0), RETURN, END],
  ...[...lua("lua_checkstack", constant(8)), EQZ, ...IF, ...constant(0), RETURN, END],
  ...[...lua("lua_getmetatable", constant(-1)), ...IF],
  ...[...lua("lua_settop", constant(-2)), ...constant(0), RETURN, END],
  ...[...get(OUT), ...lua("lua_rawlen", constant(-1)), I64_TO_I32, ...storeAt(4)],
  ...[...get(OUT), ...lua("lua_topointer", constant(-1)), ...storeAt(8)],
  ...[...get(OUT), ...constant(RECORD), ADD, ...set(AT)],
  ...lua("lua_pushnil"),
  ...[...BLOCK, ...LOOP],
  ...[...lua("lua_next", constant(-2)), EQZ, ...branchIf(1)],
  ...giveUpIf([...get(AT), ...constant(RECORD), ADD, ...get(DUMP_END), GT_U]),
  ...[...lua("lua_type", constant(-2)), ...set(KEY_TYPE)],
  ...[...get(AT), ...get(KEY_TYPE), ...storeAt(0)],
  ...[...get(KEY_TYPE), ...constant(TYPE_STRING), EQ, ...IF],
  ...[...lua("lua_tolstring", constant(-2), [...get(AT), ...constant(4), ADD]), ...set(NAME)],
  ...[...get(AT), ...get(NAME), ...storeAt(8)],
  ...giveUpIf([...load(get(AT), 4), EQZ]),
  ...giveUpIf([...loadShort(get(NAME)), ...constant(UNDERSCORES), EQ]),
  ...[...constant(HAS_NAMES), ...set(NAMES)],
  ELSE,
  ...giveUpIf([...get(KEY_TYPE), ...constant(TYPE_NUMBER), NE]),
  ...[...get(COUNT), ...constant(1), ADD, ...set(COUNT)],
  ...giveUpIf([
    ...[...lua("lua_tonumberx", constant(-2), constant(0)), ...get(COUNT), I32_TO_F64, F64_NE],
  ]),
  END,
  ...[...get(0), ...get(AT), ...constant(RECORD), ADD, ...get(DUMP_END)],
  ...[...get(DEPTH), ...constant(1), SUB, ...call(DUMP), ...set(AT)],
  ...giveUpIf([...get(AT), EQZ]),
  ...lua("lua_settop", constant(-2)),
  ...[...branch(0), END, END],
  ...[...get(COUNT), ...load(get(OUT), 4), NE, ...IF, ...constant(0), RETURN, END],
  ...[...get(OUT), ...get(NAMES), ...constant(TYPE_TABLE), OR, ...storeAt(0)],
  ...[...get(OUT), ...get(AT), ...storeAt(12)],
  ...get(AT),
];

// run(state, at, end, references)
const [RECORD_AT, RUN_END, REFERENCES, OPERATION] = [1, 2, 3, 4];
const index = [...load(get(RECORD_AT), 4), I32_TO_I64];
/** What each operation does, the most frequent first. */
const operations: [operation: number, code: Code][] = [
  [PUSH_STRING, [
    ...lua("lua_pushlstring", load(get(RECORD_AT), 8), load(get(RECORD_AT), 4)),
    DROP,
  ]],
  [SET_FIELD, lua("lua_rawset", constant(-3))],
  [SET_ELEMENT, lua("lua_rawseti", constant(-2), index)],
  [PUSH_INTEGER, lua("lua_pushinteger", loadDouble(get(RECORD_AT), 8), F64_TO_I64)],
  [PUSH_NUMBER, lua("lua_pushnumber", loadDouble(get(RECORD_AT), 8))],
  [PUSH_TABLE, lua("lua_createtable", load(get(RECORD_AT), 4), load(get(RECORD_AT), 8))],
  [KEEP, [
    ...lua("lua_pushvalue", constant(-1)),
    ...lua("lua_rawseti", get(REFERENCES), index),
  ]],
  [PUSH_BOOLEAN, lua("lua_pushboolean", load(get(RECORD_AT), 4))],
  [PUSH_NIL, lua("lua_pushnil")],
  [PUSH_KEPT, [...lua("lua_rawgeti", get(REFERENCES), index), DROP]],
  [PUSH_REF, [...lua("lua_rawgeti", constant(-1001000), index), DROP]],
];
const run = [
  ...[...BLOCK, ...LOOP],
  ...[...get(RECORD_AT), ...get(RUN_END), GE_U, ...branchIf(1)],
  ...[...load(get(RECORD_AT), 0), ...set(OPERATION)],
  ...operations.flatMap((
    [operation, code],
  ) => [...get(OPERATION), ...constant(operation), EQ, ...IF, ...code, ELSE]),
  ...operations.map(() => END),
  ...[...get(RECORD_AT), ...constant(RECORD), ADD, ...set(RECORD_AT)],
  ...[...branch(0), END, END],
];

let compiled: WebAssembly.Module | undefined;

/** The functions for one Lua. */
export function instantiateBatch(exports: LuaExports): BatchExports {
  compiled ??= new WebAssembly.Module(wasmModule({
    types,
    imports: imports.map(([name, type]) => ["lua", name, type]),
    memory: ["lua", "memory"],
    functions: [
      { type: 11, export: "dump", locals: [I32], code: dump },
      { type: 11, export: "dumpTable", locals: [I32, I32, I32, I32, I32], code: dumpTable },
      { type: 12, export: "run", locals: [I32], code: run },
    ],
  }));
  const imported = { lua: exports as unknown as WebAssembly.ModuleImports };
  return new WebAssembly.Instance(compiled, imported).exports as unknown as BatchExports;
}
