// The values of a Lua state, a thin layer over the C API: a stack, byte strings, tables, references.
// Lua 5.4 Reference Manual, §4.1 to §4.4.
import { fromUtf8 } from "../../bytes/text.ts";
import type { Instance, LuaExports } from "./exports.ts";
import { ScriptError } from "./script_error.ts";
import type { Shim } from "./shim.ts";

/** Types of values, as {@link Stack.type} returns them. */
export const NONE = -1,
  NIL = 0,
  BOOLEAN = 1,
  NUMBER = 3,
  STRING = 4,
  TABLE = 5,
  FUNCTION = 6,
  USERDATA = 7,
  THREAD = 8;

/** Names of these types in scripts, by number. */
export const TYPE_NAMES = [
  "nil",
  "boolean",
  "userdata",
  "number",
  "string",
  "table",
  "function",
  "userdata",
  "thread",
];

/** Stack index of the registry: a table whose values Lua does not collect. */
export const REGISTRY = -1001000;

/** The stack index of an upvalue of the running function, from 1. */
export const upvalue = (n: number): number => REGISTRY - n;

/** Keeps a value from being collected until it is released; {@link Stack.pushRef} brings it back. */
export type Ref = number;

/** A name kept in Lua and JavaScript: pushing it needs no conversion, recognising it no decoding. */
export interface Key {
  readonly text: string;
  readonly ref: Ref;
  /** Result of {@link Stack.pointer} for this string. */
  readonly pointer: number;
}

/** Index of our function in Lua's function table. */
export type FunctionPointer = number;

export const NO_MEMORY = "not enough memory";
/** Size (bytes) of the memory through which shorter strings go to Lua. */
const SCRATCH = 65536;
/** Size (bytes) of the memory for a lua_Debug, which takes less. */
const INFO = 128;
/** Offsets in a lua_Debug: `source`, with its length after it, and `linedefined`. */
const INFO_SOURCE = 16, INFO_LINE = 28;

const encoder = new TextEncoder();
const empty = new Uint8Array(0);

export class Stack {
  /** The thread whose stack is used: the caller of our running function. */
  state: number;
  /** The main thread. */
  readonly main: number;
  /** Lua's C API, for functions that are not wrapped here. */
  readonly c: LuaExports;
  /** What Lua's C API lacks. */
  readonly shim: Shim;
  #bytes!: Uint8Array;
  #view!: DataView;
  readonly #scratch: number;
  readonly #lengthAt: number;
  readonly #infoAt: number;
  readonly #infoWhat: number;
  readonly #infoSource: number;
  readonly #keys = new Map<string, Key>();

  /** @param memory maximum bytes that Lua may hold */
  constructor(instance: Instance, memory: number) {
    const c = this.c = instance.lua;
    this.shim = instance.shim;
    instance.onGrown = () => this.#onGrown();
    this.#onGrown();
    this.#scratch = c.malloc(SCRATCH);
    this.#lengthAt = c.malloc(8);
    this.#infoAt = c.malloc(INFO);
    this.#infoWhat = c.malloc(5);
    this.#bytes.set(encoder.encode("f\0>S\0"), this.#infoWhat); // pushes the function; for the one on top, its source
    this.#infoSource = this.#infoWhat + 2;
    this.shim.limit.value = memory;
    this.state = this.main = c.lua_newstate(instance.alloc, 0);
    if (!this.main) throw new ScriptError(NO_MEMORY, "memory");
  }

  // --- the stack

  get top(): number {
    return this.c.lua_gettop(this.state);
  }

  set top(index: number) {
    this.c.lua_settop(this.state, index);
  }

  pop(count = 1): void {
    this.c.lua_settop(this.state, -count - 1);
  }

  /** The index counted from the bottom, which stays valid when values are pushed. */
  absolute(index: number): number {
    return this.c.lua_absindex(this.state, index);
  }

  /** Makes room for `count` more values; without it there is room for 20. */
  reserve(count: number): void {
    if (!this.c.lua_checkstack(this.state, count)) {
      throw new ScriptError(`stack overflow: no room for ${count} values`);
    }
  }

  /** Moves the topmost value to `index`; the values above move up. */
  insert(index: number): void {
    this.c.lua_rotate(this.state, index, 1);
  }

  remove(index: number): void {
    this.c.lua_rotate(this.state, index, -1);
    this.pop();
  }

  // --- pushing values

  pushNil(): void {
    this.c.lua_pushnil(this.state);
  }

  pushBoolean(value: boolean): void {
    this.c.lua_pushboolean(this.state, value ? 1 : 0);
  }

  /** Integral values become integers, so that they print without a point (API-018). */
  pushNumber(value: number): void {
    if (Number.isSafeInteger(value) && (value !== 0 || 1 / value > 0)) {
      this.shim.pushInteger(this.state, value);
    } else this.c.lua_pushnumber(this.state, value);
  }

  /** Pushes a copy of a value of the stack. */
  pushValue(index: number): void {
    this.c.lua_pushvalue(this.state, index);
  }

  /** Pushes a string of exactly these bytes. */
  pushBytes(bytes: Uint8Array): void {
    const { length } = bytes;
    if (length <= SCRATCH) {
      this.#bytes.set(bytes, this.#scratch);
      this.c.lua_pushlstring(this.state, this.#scratch, length);
    } else this.withBytes(bytes, (at) => this.c.lua_pushlstring(this.state, at, length));
  }

  /** Pushes a string of the UTF-8 bytes of `text`. */
  pushText(text: string): void {
    const { length } = text;
    if (length * 3 > SCRATCH) return this.pushBytes(encoder.encode(text));
    this.c.lua_pushlstring(this.state, this.#scratch, this.#encode(text));
  }

  pushKey(key: Key): void {
    this.shim.rawGet(this.state, REGISTRY, key.ref);
  }

  pushRef(ref: Ref): void {
    this.shim.rawGet(this.state, REGISTRY, ref);
  }

  /** Pushes an empty table with room for elements and fields. */
  newTable(elements = 0, fields = 0): void {
    this.c.lua_createtable(this.state, elements, fields);
  }

  /** Pops `upvalues` values and pushes our function, which finds them at {@link upvalue}. */
  pushFunction(pointer: FunctionPointer, upvalues = 0): void {
    this.c.lua_pushcclosure(this.state, pointer, upvalues);
  }

  // --- reading values

  /** {@link NIL}, {@link BOOLEAN}, …; {@link NONE} above the top. */
  type(index: number): number {
    return this.c.lua_type(this.state, index);
  }

  isInteger(index: number): boolean {
    return this.c.lua_isinteger(this.state, index) !== 0;
  }

  toBoolean(index: number): boolean {
    return this.c.lua_toboolean(this.state, index) !== 0;
  }

  /** The number at `index`, also out of a numeric string; else 0. */
  toNumber(index: number): number {
    return this.c.lua_tonumberx(this.state, index, 0);
  }

  /**
   * The bytes of the string at `index`; a number becomes a string in place. Other values give no bytes.
   *
   * @returns a view, valid until Lua runs or a value is pushed; copy it to keep it
   */
  bytes(index: number): Uint8Array {
    const at = this.c.lua_tolstring(this.state, index, this.#lengthAt);
    if (at === 0) return empty;
    return this.#bytes.subarray(at, at + this.#view.getUint32(this.#lengthAt, true));
  }

  /** As {@link bytes}, a copy. */
  copyBytes(index: number): Uint8Array<ArrayBuffer> {
    return this.bytes(index).slice() as Uint8Array<ArrayBuffer>;
  }

  /** The string at `index` read as UTF-8; a number becomes a string in place. Other values give "". */
  text(index: number): string {
    const at = this.c.lua_tolstring(this.state, index, this.#lengthAt);
    if (at === 0) return "";
    const end = at + this.#view.getUint32(this.#lengthAt, true);
    const bytes = this.#bytes;
    if (end - at < 32) {
      let text = "";
      for (let i = at; i < end; i++) {
        const byte = bytes[i];
        if (byte === undefined || byte > 127) return fromUtf8(bytes.subarray(at, end));
        text += String.fromCharCode(byte);
      }
      return text;
    }
    return fromUtf8(bytes.subarray(at, end));
  }

  /** Any value as Lua's `tostring` gives it. */
  display(index: number): string {
    this.c.luaL_tolstring(this.state, index, 0);
    const text = this.text(-1);
    this.pop();
    return text;
  }

  /** Identity of a table, function, userdata, thread or short string while it lives; 0 for nil, booleans, numbers. */
  pointer(index: number): number {
    return this.c.lua_topointer(this.state, index);
  }

  /** The length of a string or table, without metamethods. */
  rawLength(index: number): number {
    return Number(this.c.lua_rawlen(this.state, index));
  }

  rawEqual(a: number, b: number): boolean {
    return this.c.lua_rawequal(this.state, a, b) !== 0;
  }

  // --- tables; `raw…` calls no metamethod: use only these outside a function that Lua called

  /** Replaces the key on top by its value in the table at `index`. @returns the type */
  get(index: number): number {
    return this.c.lua_gettable(this.state, index);
  }

  /** Pops a value and the key below it, and sets that field of the table at `index`. */
  set(index: number): void {
    this.c.lua_settable(this.state, index);
  }

  rawGet(index: number): number {
    return this.c.lua_rawget(this.state, index);
  }

  rawSet(index: number): void {
    this.c.lua_rawset(this.state, index);
  }

  /** Pushes element `n` of a table. @returns the type */
  rawGetIndex(index: number, n: number): number {
    return this.shim.rawGet(this.state, index, n);
  }

  /** Pops a value and makes it element `n`. */
  rawSetIndex(index: number, n: number): void {
    this.shim.rawSet(this.state, index, n);
  }

  /** Pops a value and makes it a field. */
  setField(index: number, name: string): void {
    const table = this.absolute(index);
    this.pushText(name);
    this.insert(-2);
    this.rawSet(table);
  }

  /** Pushes a field. @returns the type */
  getField(index: number, name: string): number {
    const table = this.absolute(index);
    this.pushText(name);
    return this.rawGet(table);
  }

  /**
   * Pops a key and pushes the next key and its value; nil starts. At the end it only pops.
   *
   * @returns false at the end
   */
  next(index: number): boolean {
    return this.c.lua_next(this.state, index) !== 0;
  }

  /** Pops a table (or nil) and makes it the metatable of the one at `index`. */
  setMetatable(index: number): void {
    this.c.lua_setmetatable(this.state, index);
  }

  /** Pushes the metatable. @returns false, without pushing, if there is none */
  getMetatable(index: number): boolean {
    return this.c.lua_getmetatable(this.state, index) !== 0;
  }

  // --- references

  /** Pops a value and keeps it until {@link unref}. */
  ref(): Ref {
    return this.c.luaL_ref(this.state, REGISTRY);
  }

  unref(ref: Ref): void {
    this.c.luaL_unref(this.state, REGISTRY, ref);
  }

  /** The key of a name of at most 40 bytes. Keys are never released: call it only for a fixed set of names. */
  key(text: string): Key {
    let key = this.#keys.get(text);
    if (!key) {
      this.pushText(text);
      const pointer = this.pointer(-1);
      this.#keys.set(text, key = { text, pointer, ref: this.ref() });
    }
    return key;
  }

  // --- callers

  /** Position of the function at a level (1: the caller of our function): `file:line: `; "" if not a Lua function. */
  where(level: number): string {
    this.c.luaL_where(this.state, level);
    const text = this.text(-1);
    this.pop();
    return text;
  }

  /** Pushes the function at a level (1: the caller of our function). @returns false if there is none */
  pushCaller(level: number): boolean {
    if (!this.c.lua_getstack(this.state, level, this.#infoAt)) return false;
    this.c.lua_getinfo(this.state, this.#infoWhat, this.#infoAt);
    return true;
  }

  /** Where the function at a stack index is defined: the name of its chunk as loaded, and a line, or -1. */
  definition(index: number): { source: string; line: number } {
    this.pushValue(index);
    this.c.lua_getinfo(this.state, this.#infoSource, this.#infoAt);
    const at = this.#view.getUint32(this.#infoAt + INFO_SOURCE, true);
    const length = this.#view.getUint32(this.#infoAt + INFO_SOURCE + 4, true);
    const line = this.#view.getInt32(this.#infoAt + INFO_LINE, true);
    return { source: fromUtf8(this.#bytes.subarray(at, at + length)), line };
  }

  /** Pushes upvalue `n`, from 1, of a function. @returns its name, or undefined, without pushing, if there is none */
  pushUpvalue(index: number, n: number): string | undefined {
    const at = this.c.lua_getupvalue(this.state, index, n);
    if (at === 0) return undefined;
    return fromUtf8(this.#bytes.subarray(at, this.#bytes.indexOf(0, at)));
  }

  #onGrown(): void {
    const { buffer } = this.c.memory;
    this.#bytes = new Uint8Array(buffer);
    this.#view = new DataView(buffer);
  }

  /** Writes a text to the scratch memory. @returns its length in bytes */
  #encode(text: string): number {
    const { length } = text;
    const at = this.#scratch;
    const bytes = this.#bytes;
    if (length < 32) {
      let i = 0;
      for (; i < length; i++) {
        const code = text.charCodeAt(i);
        if (code > 127) break;
        bytes[at + i] = code;
      }
      if (i === length) return length;
    }
    return encoder.encodeInto(text, bytes.subarray(at, at + SCRATCH)).written;
  }

  /** Calls `use` with the address of a copy of bytes in Lua's memory, and frees the copy. */
  withBytes<T>(bytes: Uint8Array, use: (at: number) => T): T {
    const at = this.c.malloc(bytes.length);
    if (at === 0) throw new ScriptError(NO_MEMORY, "memory");
    try {
      this.#bytes.set(bytes, at);
      return use(at);
    } finally {
      this.c.free(at);
    }
  }
}
