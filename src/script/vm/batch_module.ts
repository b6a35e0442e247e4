// The records by which `batch.wat` takes whole tables out of Lua and puts whole tables into it.
import type { LuaExports } from "./exports.ts";
import { batch } from "./modules.ts";

/** Length (bytes) of a record of {@link BatchExports.dump} or {@link BatchExports.run}. */
export const RECORD_SIZE = 16;

/** First word of records for `run`; the rest is at offsets 4 and 8. */
export const PUSH_NIL = 0,
  PUSH_BOOLEAN = 1, // 4: 0 or 1
  PUSH_NUMBER = 2, // 8: a double
  PUSH_INTEGER = 3, // 8: a double that is an integer
  PUSH_STRING = 4, // 4: length, 8: address
  PUSH_TABLE = 5, // 4, 8: numbers of elements and fields to make room for
  SET_FIELD = 6, // pops a value and the key below it
  SET_ELEMENT = 7, // 4: index; pops a value
  KEEP = 8, // 4: index where the table of references keeps the value on top
  PUSH_KEPT = 9, // 4: index
  PUSH_REF = 10; // 4: index in the registry

/** In the first word of a table's record: some of its keys are strings. */
export const HAS_NAMES = 256;

export interface BatchExports {
  /**
   * Writes records of the value on top of the stack from address `out` on. A record has the type at 0; a number or
   * boolean at 8; the length of a string at 4 and its address at 8; the length of a table at 4, its identity at 8 and
   * the end of its records at 12. After the record of a table come a record of each key and the records of its value.
   *
   * @returns the end of the records; 0 if they do not end before `end`, or if a table is deeper than `depth`, has a
   *   metatable, lacks elements or has them out of order, or has a key that is empty, begins with `__` or is neither a
   *   string nor the index of an element
   */
  dump(state: number, out: number, end: number, depth: number): number;
  /** Runs the records from address `at` up to `end`; `references` is the stack index of the table of references. */
  run(state: number, at: number, end: number, references: number): void;
}

/** The functions for one Lua. */
export function instantiateBatch(exports: LuaExports): BatchExports {
  const imported = { lua: exports as unknown as WebAssembly.ModuleImports };
  return new WebAssembly.Instance(batch, imported).exports as unknown as BatchExports;
}
