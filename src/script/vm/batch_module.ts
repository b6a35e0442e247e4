// The records by which `batch.wat` takes whole tables out of Lua and puts whole tables into it.
import type { LuaExports } from "./exports.ts";
import { batch } from "./modules.ts";

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

/** The functions for one Lua. */
export function instantiateBatch(exports: LuaExports): BatchExports {
  const imported = { lua: exports as unknown as WebAssembly.ModuleImports };
  return new WebAssembly.Instance(batch, imported).exports as unknown as BatchExports;
}
