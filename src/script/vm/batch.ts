import {
  type BatchExports,
  HAS_NAMES,
  instantiateBatch,
  KEEP,
  PUSH_BOOLEAN,
  PUSH_INTEGER,
  PUSH_KEPT,
  PUSH_NIL,
  PUSH_NUMBER,
  PUSH_REF,
  PUSH_STRING,
  PUSH_TABLE,
  RECORD_SIZE,
  SET_ELEMENT,
  SET_FIELD,
} from "./batch_module.ts";
import type { Lua, Ref } from "./lua.ts";

export { HAS_NAMES, RECORD_SIZE };

/** Size in bytes of the buffer for records read from Lua; larger tables are read value by value. */
const DUMP_SIZE = 1 << 16;
/** Maximum depth of nested tables in records. */
const MAX_DEPTH = 32;
/** Size in bytes of the buffer for records written to Lua. */
const QUEUE_SIZE = 1 << 14;

/** Views of Lua's memory, for JavaScript to read and write it. */
export class LuaMemory {
  bytes: Uint8Array;
  view: DataView;
  readonly #memory: WebAssembly.Memory;

  constructor(lua: Lua) {
    this.#memory = lua.c.memory;
    this.bytes = new Uint8Array(this.#memory.buffer);
    this.view = new DataView(this.#memory.buffer);
  }

  /** Renews the views if Lua's memory has moved; call it after each call that may make Lua allocate. */
  refresh(): void {
    if (this.bytes.length > 0) return; // else it is detached
    this.bytes = new Uint8Array(this.#memory.buffer);
    this.view = new DataView(this.#memory.buffer);
  }
}

/** Reads and writes whole tables of one Lua machine. */
export class TableBatch {
  readonly memory: LuaMemory;
  readonly queue: Queue;
  readonly #lua: Lua;
  readonly #module: BatchExports;
  readonly #dumped: number;

  constructor(lua: Lua) {
    this.#lua = lua;
    this.#module = instantiateBatch(lua.c);
    this.#dumped = lua.c.malloc(DUMP_SIZE);
    const queued = lua.c.malloc(QUEUE_SIZE);
    this.memory = new LuaMemory(lua);
    this.queue = new Queue(lua, this.#module, this.memory, queued);
  }

  /**
   * Writes records of the value on top of the stack, as {@link BatchExports.dump} describes.
   *
   * @returns the address of the records, valid until the next call; 0 if records cannot express the value
   */
  dump(): number {
    const at = this.#dumped;
    const end = this.#module.dump(this.#lua.state, at, at + DUMP_SIZE, MAX_DEPTH);
    this.memory.refresh();
    return end && at;
  }
}

/** A list of operations on Lua's stack, which {@link flush} runs. */
export class Queue {
  /** Stack index of the table for {@link keep} and {@link kept}. */
  references = 0;
  readonly #lua: Lua;
  readonly #module: BatchExports;
  readonly #memory: LuaMemory;
  readonly #start: number;
  #at: number;

  constructor(lua: Lua, module: BatchExports, memory: LuaMemory, start: number) {
    this.#lua = lua;
    this.#module = module;
    this.#memory = memory;
    this.#start = this.#at = start;
  }

  /** Runs the listed operations; call it before any other use of Lua. */
  flush(): void {
    const end = this.#at;
    if (end === this.#start) return;
    this.#at = this.#start; // first: an error in Lua leaves `run`
    this.#module.run(this.#lua.state, this.#start, end, this.references);
    this.#memory.refresh();
  }

  /** Discards the listed operations. */
  clear(): void {
    this.#at = this.#start;
  }

  nil(): void {
    this.#add(PUSH_NIL);
  }

  boolean(value: boolean): void {
    this.#addWith(PUSH_BOOLEAN, value ? 1 : 0);
  }

  /** Integral values become integers, as {@link Lua.pushNumber} makes them. */
  number(value: number): void {
    const isInteger = Number.isSafeInteger(value) && !Object.is(value, -0);
    const at = this.#add(isInteger ? PUSH_INTEGER : PUSH_NUMBER);
    this.#memory.view.setFloat64(at + 8, value, true);
  }

  /** Pushes a string of bytes in Lua's memory. */
  string(start: number, length: number): void {
    const at = this.#add(PUSH_STRING);
    this.#memory.view.setInt32(at + 4, length, true);
    this.#memory.view.setInt32(at + 8, start, true);
  }

  table(elements: number, fields: number): void {
    const at = this.#add(PUSH_TABLE);
    this.#memory.view.setInt32(at + 4, elements, true);
    this.#memory.view.setInt32(at + 8, fields, true);
  }

  /** Pushes a value of the registry. */
  ref(ref: Ref): void {
    this.#addWith(PUSH_REF, ref);
  }

  /** Pops a value and the key below it, and sets that field of the table below. */
  setField(): void {
    this.#add(SET_FIELD);
  }

  /** Pops a value and makes it element `n` of the table below. */
  setElement(n: number): void {
    this.#addWith(SET_ELEMENT, n);
  }

  /** Makes the value on top, which stays there, entry `n` of the table of references. */
  keep(n: number): void {
    this.#addWith(KEEP, n);
  }

  /** Pushes entry `n` of the table of references. */
  kept(n: number): void {
    this.#addWith(PUSH_KEPT, n);
  }

  #addWith(operation: number, operand: number): void {
    const at = this.#add(operation); // first: it may replace the view
    this.#memory.view.setInt32(at + 4, operand, true);
  }

  /**
   * Starts a record; runs the earlier ones if the buffer is full. Lua's memory moves as it grows, so views
   * taken before this call are invalid after it.
   *
   * @returns the address of the new record
   */
  #add(operation: number): number {
    if (this.#at === this.#start + QUEUE_SIZE) this.flush();
    this.#memory.refresh();
    const at = this.#at;
    this.#at += RECORD_SIZE;
    this.#memory.view.setInt32(at, operation, true);
    return at;
  }
}
