// A WebAssembly module that takes whole tables out of Lua and puts whole tables into it at one call: from JavaScript
// each key and each value would be three or four calls, which cost more than what Lua does in them.
import type { LuaExports } from "./exports.ts";
import { F64, functionType, I32, I64, leb, sleb, wasmModule } from "./wasm_bytes.ts";

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

// Instructions. WebAssembly Core Specification 1.0, §5.4
const get = (local: number) => [0x20, ...leb(local)];
const set = (local: number) => [0x21, ...leb(local)];
const constant = (value: number) => [0x41, ...sleb(value)];
const call = (f: number) => [0x10, ...leb(f)];
const load = (at: number, offset: number) => [...get(at), 0x28, 2, offset];
const loadDouble = (at: number, offset: number) => [...get(at), 0x2b, 3, offset];
const storeAt = (offset: number) => [0x36, 2, offset]; // of the address and the value on the stack
const storeDoubleAt = (offset: number) => [0x39, 3, offset];
const LOAD_U16 = [0x2f, 0, 0];
const EQZ = 0x45, EQ = 0x46, NE = 0x47, GT_U = 0x4b, GE_U = 0x4f, ADD = 0x6a, SUB = 0x6b, OR = 0x72;
const F64_NE = 0x62, TO_DOUBLE = 0xb7, TO_I64 = 0xac, TO_I32 = 0xa7, TRUNCATE = [0xfc, 6];
const IF = [0x04, 0x40], ELSE = 0x05, BLOCK = [0x02, 0x40], LOOP = [0x03, 0x40], END = 0x0b;
const RETURN = 0x0f, DROP = 0x1a;
const branch = (depth: number) => [0x0c, depth];
const branchIf = (depth: number) => [0x0d, depth];

/** Calls a function of Lua with its state, local 0, and other arguments. */
const lua = (name: string, ...args: number[][]) => [
  ...get(0),
  ...args.flat(),
  ...call(imports.findIndex(([known]) => known === name)),
];

const TYPE_BOOLEAN = 1, TYPE_NUMBER = 3, TYPE_STRING = 4, TYPE_TABLE = 5;
const UNDERSCORES = 0x5f5f;

// dump(state, out, end, depth)
const [OUT, DUMP_END, DEPTH, TYPE] = [1, 2, 3, 4];
const whenType = (type: number, code: number[]) => [
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
const giveUpIf = (condition: number[]) => [
  ...[...condition, ...IF, ...lua("lua_settop", constant(-3)), ...constant(0), RETURN, END],
];
const dumpTable = [
  ...[...get(DEPTH), EQZ, ...IF, ...constant(0), RETURN, END],
  ...[...lua("lua_checkstack", constant(8)), EQZ, ...IF, ...constant(0), RETURN, END],
  ...[...lua("lua_getmetatable", constant(-1)), ...IF],
  ...[...lua("lua_settop", constant(-2)), ...constant(0), RETURN, END],
  ...[...get(OUT), ...lua("lua_rawlen", constant(-1)), TO_I32, ...storeAt(4)],
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
  ...giveUpIf([...load(AT, 4), EQZ]),
  ...giveUpIf([...get(NAME), ...LOAD_U16, ...constant(UNDERSCORES), EQ]),
  ...[...constant(HAS_NAMES), ...set(NAMES)],
  ELSE,
  ...giveUpIf([...get(KEY_TYPE), ...constant(TYPE_NUMBER), NE]),
  ...[...get(COUNT), ...constant(1), ADD, ...set(COUNT)],
  ...giveUpIf([
    ...[...lua("lua_tonumberx", constant(-2), constant(0)), ...get(COUNT), TO_DOUBLE, F64_NE],
  ]),
  END,
  ...[...get(0), ...get(AT), ...constant(RECORD), ADD, ...get(DUMP_END)],
  ...[...get(DEPTH), ...constant(1), SUB, ...call(DUMP), ...set(AT)],
  ...giveUpIf([...get(AT), EQZ]),
  ...lua("lua_settop", constant(-2)),
  ...[...branch(0), END, END],
  ...[...get(COUNT), ...load(OUT, 4), NE, ...IF, ...constant(0), RETURN, END],
  ...[...get(OUT), ...get(NAMES), ...constant(TYPE_TABLE), OR, ...storeAt(0)],
  ...[...get(OUT), ...get(AT), ...storeAt(12)],
  ...get(AT),
];

// run(state, at, end, references)
const [RECORD_AT, RUN_END, REFERENCES, OPERATION] = [1, 2, 3, 4];
const index = [...load(RECORD_AT, 4), TO_I64];
/** What each operation does, the most frequent first. */
const operations: [operation: number, code: number[]][] = [
  [PUSH_STRING, [...lua("lua_pushlstring", load(RECORD_AT, 8), load(RECORD_AT, 4)), DROP]],
  [SET_FIELD, lua("lua_rawset", constant(-3))],
  [SET_ELEMENT, lua("lua_rawseti", constant(-2), index)],
  [PUSH_INTEGER, lua("lua_pushinteger", loadDouble(RECORD_AT, 8), TRUNCATE)],
  [PUSH_NUMBER, lua("lua_pushnumber", loadDouble(RECORD_AT, 8))],
  [PUSH_TABLE, lua("lua_createtable", load(RECORD_AT, 4), load(RECORD_AT, 8))],
  [KEEP, [
    ...lua("lua_pushvalue", constant(-1)),
    ...lua("lua_rawseti", get(REFERENCES), index),
  ]],
  [PUSH_BOOLEAN, lua("lua_pushboolean", load(RECORD_AT, 4))],
  [PUSH_NIL, lua("lua_pushnil")],
  [PUSH_KEPT, [...lua("lua_rawgeti", get(REFERENCES), index), DROP]],
  [PUSH_REF, [...lua("lua_rawgeti", constant(-1001000), index), DROP]],
];
const run = [
  ...[...BLOCK, ...LOOP],
  ...[...get(RECORD_AT), ...get(RUN_END), GE_U, ...branchIf(1)],
  ...[...load(RECORD_AT, 0), ...set(OPERATION)],
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
    globals: [],
  }));
  const imported = { lua: exports as unknown as WebAssembly.ModuleImports };
  return new WebAssembly.Instance(compiled, imported).exports as unknown as BatchExports;
}
