// A Lua state and its values, as thin as it can be over the C API: a stack, byte strings, references, protected calls.
// Lua 5.4 Reference Manual, §4.
import { fromUtf8 } from "../../bytes/text.ts";
import { Instance, LONG_JUMP, type LuaExports } from "./exports.ts";
import { ScriptError } from "./script_error.ts";
import type { Shim } from "./shim.ts";

/** Types of values, as {@link Lua.type} tells them. */
export const NONE = -1,
  NIL = 0,
  BOOLEAN = 1,
  NUMBER = 3,
  STRING = 4,
  TABLE = 5,
  FUNCTION = 6,
  USERDATA = 7,
  THREAD = 8;

/** The table of everything that Lua must not forget, at this index of every stack. */
export const REGISTRY = -1001000;

/** The stack index of an upvalue of the running function, from 1. */
export const upvalue = (n: number): number => REGISTRY - n;

/** Keeps a value from being collected until it is released; {@link Lua.pushRef} brings it back. */
export type Ref = number;

/** A name that Lua and JavaScript both know: pushing it costs no conversion, recognising it no decoding. */
export interface Key {
  readonly text: string;
  readonly ref: Ref;
  /** What {@link Lua.pointer} says of this string. */
  readonly pointer: number;
}

/** A function of ours for Lua: arguments at 1, 2, …; gives how many values it left on top as results. */
export type LuaFunction = (lua: Lua) => number;

/** Place of a function of ours where Lua can call it. */
export type FunctionPointer = number;

export interface LuaOptions {
  /** Milliseconds, never going back. */
  clock(): number;
  /** Milliseconds since 1970. */
  now(): number;
  /** How long a call from outside may run, in milliseconds; default 1000. */
  time?: number;
  /** How much Lua may hold, in bytes; default 256 MiB. */
  memory?: number;
  /** Told of exceptions of functions of ours other than {@link ScriptError}; scripts see a plain error. */
  onBug?(error: unknown): void;
}

const NO_MEMORY = "not enough memory";
const SCRATCH = 65536;
/** Bytes of a lua_Debug, and more. */
const INFO = 128;
const ERROR_MEMORY = 4;
const COUNT_HOOK = 8;
/**
 * Instructions up to the first look at the clock and between two later ones, which come as often as it takes
 * to find some milliseconds between them: an instruction may be a long one, such as joining long strings.
 */
const FIRST_LOOK = 100;
const MIN_LOOK = 10;
const MAX_LOOK = 10_000;
/** Milliseconds between two looks that are few, and many. */
const FEW = 0.5, MANY = 2;

/** Who catches that memory is not enough may pass it on. */
const kindOf = (message: string) => message.endsWith(NO_MEMORY) ? "memory" : "runtime";

const encoder = new TextEncoder();
const empty = new Uint8Array(0);

export class Lua {
  /** The thread whose stack is used: the one that called the function of ours that runs. */
  state: number;
  readonly main: number;
  /** Lua's C API, for what is not wrapped here. */
  readonly c: LuaExports;
  readonly #instance: Instance;
  readonly #shim: Shim;
  readonly #options: LuaOptions;
  #bytes!: Uint8Array;
  #view!: DataView;
  readonly #scratch: number;
  readonly #lengthAt: number;
  readonly #infoAt: number;
  readonly #infoWhat: number;
  readonly #functions: LuaFunction[] = [];
  readonly #keys = new Map<string, Key>();
  readonly #messageHandler: FunctionPointer;
  readonly #threads: Ref;
  /** `collectgarbage`: the C function behind it cannot be called from WebAssembly. */
  readonly #collector: Ref;
  #failure: ScriptError | undefined;
  #depth = 0;
  /** When the call from outside began, and the last look at the clock was. */
  #started = 0;
  #looked = 0;
  /** Where the stack of C functions begins. */
  readonly #stackBase: number;
  #exhausted = false;
  readonly #time: number;

  constructor(options: LuaOptions) {
    this.#options = options;
    this.#time = options.time ?? 1000;
    const instance = this.#instance = new Instance({
      call: (state, index) => this.#dispatch(state, index),
      hook: (state) => this.#onHook(state),
      now: () => options.now(),
      grown: () => this.#onGrown(),
      raise: (state, thrown) => this.#raise(state, thrown),
    });
    const c = this.c = instance.lua;
    this.#shim = instance.shim;
    this.#onGrown();
    this.#scratch = c.malloc(SCRATCH);
    this.#lengthAt = c.malloc(8);
    this.#infoAt = c.malloc(INFO);
    this.#infoWhat = c.malloc(2);
    this.#bytes.set([0x66, 0], this.#infoWhat); // "f": the function
    this.#shim.limit.value = options.memory ?? 256 << 20;
    this.state = this.main = c.lua_newstate(instance.alloc, 0);
    if (!this.main) throw new ScriptError("not enough memory for a Lua state", "memory");
    this.#messageHandler = this.define((lua) => lua.#onMessage());
    this.newTable();
    this.newTable(0, 1);
    this.pushText("k");
    this.setField(-2, "__mode");
    this.setMetatable(-2);
    this.#threads = this.ref();
    this.openLibrary("base");
    this.getField(-1, "collectgarbage");
    this.#collector = this.ref();
    this.pop();
    c.lua_sethook(this.main, instance.hook, COUNT_HOOK, FIRST_LOOK);
    this.#stackBase = c.stackSave();
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

  /** The index counted from the bottom, which stays true when values are pushed. */
  absolute(index: number): number {
    return this.c.lua_absindex(this.state, index);
  }

  /** Makes room for `count` more values; without it there is room for 20. */
  reserve(count: number): void {
    if (!this.c.lua_checkstack(this.state, count)) {
      throw new ScriptError(`stack overflow: no room for ${count} values`);
    }
  }

  /** Puts the topmost value at `index`, those above move up. */
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
      this.#shim.pushInteger(this.state, value);
    } else this.c.lua_pushnumber(this.state, value);
  }

  /** A copy of an element of the stack. */
  pushValue(index: number): void {
    this.c.lua_pushvalue(this.state, index);
  }

  /** A string of exactly these bytes. */
  pushBytes(bytes: Uint8Array): void {
    const { length } = bytes;
    if (length <= SCRATCH) {
      this.#bytes.set(bytes, this.#scratch);
      this.c.lua_pushlstring(this.state, this.#scratch, length);
    } else this.#withBytes(bytes, (at) => this.c.lua_pushlstring(this.state, at, length));
  }

  /** A string of the UTF-8 bytes of `text`. */
  pushText(text: string): void {
    const { length } = text;
    if (length * 3 > SCRATCH) return this.pushBytes(encoder.encode(text));
    this.c.lua_pushlstring(this.state, this.#scratch, this.#encode(text));
  }

  pushKey(key: Key): void {
    this.#shim.rawGet(this.state, REGISTRY, key.ref);
  }

  pushRef(ref: Ref): void {
    this.#shim.rawGet(this.state, REGISTRY, ref);
  }

  /** An empty table with room for so many elements and fields. */
  newTable(elements = 0, fields = 0): void {
    this.c.lua_createtable(this.state, elements, fields);
  }

  /** A function of ours; it takes `upvalues` values off the stack, found again at {@link upvalue}. */
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
   * The bytes of the string at `index`; a number is made a string in its place. Any other value has none.
   *
   * @returns a view, valid until Lua runs or gets a value again: copy what is kept
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

  /** The string at `index` read as UTF-8; a number is made a string in its place. Any other value gives "". */
  text(index: number): string {
    const at = this.c.lua_tolstring(this.state, index, this.#lengthAt);
    if (at === 0) return "";
    const end = at + this.#view.getUint32(this.#lengthAt, true);
    const bytes = this.#bytes;
    if (end - at < 32) {
      let text = "";
      for (let i = at; i < end; i++) {
        const byte = bytes[i];
        if (byte > 127) return fromUtf8(bytes.subarray(at, end));
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

  /** What identifies a table, function, thread or short string as long as it lives; 0 for other values. */
  pointer(index: number): number {
    return this.c.lua_topointer(this.state, index);
  }

  /** The length of a string or table, asking no metamethod. */
  rawLength(index: number): number {
    return Number(this.c.lua_rawlen(this.state, index));
  }

  rawEqual(a: number, b: number): boolean {
    return this.c.lua_rawequal(this.state, a, b) !== 0;
  }

  // --- tables; `raw…` asks no metamethod, and only they may be used outside of a function that Lua called

  /** Replaces the key on top by its value in the table at `index`. @returns the type */
  get(index: number): number {
    return this.c.lua_gettable(this.state, index);
  }

  /** Takes a value and below it its key off the stack. */
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
    return this.#shim.rawGet(this.state, index, n);
  }

  /** Takes a value off the stack, which becomes element `n`. */
  rawSetIndex(index: number, n: number): void {
    this.#shim.rawSet(this.state, index, n);
  }

  /** Takes a value off the stack, which becomes a field. */
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
   * Replaces the key on top by the next key and its value; nil starts. At the end nothing is left of it.
   *
   * @returns false at the end
   */
  next(index: number): boolean {
    return this.c.lua_next(this.state, index) !== 0;
  }

  /** Takes a table (or nil) off the stack, which becomes the metatable of the one at `index`. */
  setMetatable(index: number): void {
    this.c.lua_setmetatable(this.state, index);
  }

  /** Pushes the metatable if there is one. */
  getMetatable(index: number): boolean {
    return this.c.lua_getmetatable(this.state, index) !== 0;
  }

  // --- references

  /** Takes the value on top off the stack, and keeps it. */
  ref(): Ref {
    return this.c.luaL_ref(this.state, REGISTRY);
  }

  unref(ref: Ref): void {
    this.c.luaL_unref(this.state, REGISTRY, ref);
  }

  /** A name, the same key whenever it is asked for; at most 40 bytes, and for names that never end. */
  key(text: string): Key {
    let key = this.#keys.get(text);
    if (!key) {
      this.pushText(text);
      const pointer = this.pointer(-1);
      this.#keys.set(text, key = { text, pointer, ref: this.ref() });
    }
    return key;
  }

  // --- functions and calls

  /** Makes a function of ours known to Lua, for ever. */
  define(f: LuaFunction): FunctionPointer {
    this.#functions.push(f);
    return this.#instance.functionAt(this.#functions.length - 1);
  }

  /**
   * Pushes a chunk of source text as a function; bytecode is refused.
   *
   * @param name shown in messages: `@` and a path, or `=` and a text
   * @returns what is wrong with the source; nothing is pushed then
   */
  load(source: Uint8Array, name: string, mode = "t"): ScriptError | undefined {
    const text = encoder.encode(`${name}\0${mode}\0`);
    const status = this.#withBytes(text, (nameAt) =>
      this.#withBytes(
        source,
        (at) =>
          this.c.luaL_loadbufferx(
            this.state,
            at,
            source.length,
            nameAt,
            nameAt + text.indexOf(0) + 1,
          ),
      ));
    if (status === 0) return undefined;
    const error = new ScriptError(this.text(-1), status === ERROR_MEMORY ? "memory" : "syntax");
    this.pop();
    return error;
  }

  /**
   * Begins a protected call: push a function and its arguments next, then {@link run}, read the results, which
   * start one above what this returns, and {@link leave}.
   */
  enter(): number {
    this.c.lua_pushcclosure(this.state, this.#messageHandler, 0);
    return this.c.lua_gettop(this.state);
  }

  /**
   * Runs the function pushed after {@link enter} returned `base`.
   *
   * @param results how many are kept, or -1 for all
   * @returns the error that ended it, if one did; then {@link leave} is done
   */
  run(base: number, results: number): ScriptError | undefined {
    const { c, state } = this;
    if (this.#depth++ === 0) {
      this.#started = this.#looked = this.#options.clock();
      c.lua_sethook(this.main, this.#instance.hook, COUNT_HOOK, FIRST_LOOK);
    }
    let status: number;
    try {
      status = c.lua_pcallk(state, c.lua_gettop(state) - base - 1, results, base, 0, 0);
    } finally {
      this.#depth--;
    }
    if (status === 0) {
      if (this.#exhausted && this.#depth === 0) this.#recover();
      return undefined;
    }
    const error = this.#takeFailure(status);
    c.lua_settop(state, base - 1);
    if (this.#depth === 0 && this.#exhausted) this.#recover();
    if (this.#depth === 0 && error.kind === "memory") this.collect();
    return error;
  }

  leave(base: number): void {
    this.c.lua_settop(this.state, base - 1);
  }

  /**
   * Ends what {@link enter} began, as something was thrown before {@link run}, or by it.
   *
   * @returns the error of the script; what is none, a bug of ours, is thrown on
   */
  abandon(base: number, thrown: unknown): ScriptError {
    if (this.#depth === 0) this.c.stackRestore(this.#stackBase); // C functions may have been left
    this.c.lua_settop(this.state, base - 1);
    if (thrown instanceof ScriptError) return thrown;
    // Lua jumps when memory runs out: what runs around this is told so too, as it ends.
    if (thrown === LONG_JUMP) return new ScriptError(NO_MEMORY, "memory");
    throw thrown;
  }

  /** As `error` in a script, from within a function of ours. */
  fail(message: string): never {
    throw new ScriptError(message);
  }

  // --- who called

  /** Where level 1, the caller of a function of ours, is: `file:line: `; "" if it is none of Lua's. */
  where(level: number): string {
    this.c.luaL_where(this.state, level);
    const text = this.text(-1);
    this.pop();
    return text;
  }

  /** Pushes the function at a level: 1 is the caller of a function of ours. @returns false if there is none */
  pushCaller(level: number): boolean {
    if (!this.c.lua_getstack(this.state, level, this.#infoAt)) return false;
    this.c.lua_getinfo(this.state, this.#infoWhat, this.#infoAt);
    return true;
  }

  /** Upvalue `n`, from 1, of a function: pushes it. @returns its name, undefined if there is none */
  pushUpvalue(index: number, n: number): string | undefined {
    const at = this.c.lua_getupvalue(this.state, index, n);
    if (at === 0) return undefined;
    return fromUtf8(this.#bytes.subarray(at, this.#bytes.indexOf(0, at)));
  }

  // --- memory and time

  /** Bytes that Lua holds. */
  get usedMemory(): number {
    return this.#shim.used.value >>> 0;
  }

  /** Bytes that Lua may hold. */
  get memoryLimit(): number {
    return this.#shim.limit.value >>> 0;
  }

  /** Collects all garbage. */
  collect(): void {
    this.pushRef(this.#collector);
    this.c.lua_pcallk(this.state, 0, 0, 0, 0, 0);
  }

  /** Whether the running call has used up its time: then only what unwinds may run. */
  get exhausted(): boolean {
    return this.#exhausted;
  }

  /** The table of all coroutines, weak keys: whoever makes one enters it, so that time ends for it too. */
  get threads(): Ref {
    return this.#threads;
  }

  close(): void {
    this.c.lua_close(this.main);
  }

  /** Opens one of Lua's own libraries and pushes its table; "base" is there, and again overwrites globals. */
  openLibrary(name: "base" | "coroutine" | "table" | "string" | "utf8" | "math" | "debug"): void {
    this.c.lua_pushcclosure(
      this.state,
      this.#instance.tableIndex(this.c[`luaopen_${name}`]),
      0,
    );
    this.c.lua_callk(this.state, 0, 1, 0, 0);
  }

  #onGrown(): void {
    const { buffer } = this.#instance?.lua.memory ?? this.c.memory;
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

  #withBytes<T>(bytes: Uint8Array, use: (at: number) => T): T {
    const at = this.c.malloc(bytes.length);
    if (at === 0) throw new ScriptError(NO_MEMORY, "memory");
    try {
      this.#bytes.set(bytes, at);
      return use(at);
    } finally {
      this.c.free(at);
    }
  }

  #dispatch(state: number, index: number): number {
    const caller = this.state;
    this.state = state;
    let count: number;
    try {
      count = this.#functions[index](this);
    } catch (thrown) {
      if (thrown === LONG_JUMP) {
        this.state = caller;
        throw LONG_JUMP;
      }
      this.#pushThrown(thrown);
      count = -1;
    }
    this.state = caller;
    return count < 0 ? this.c.lua_error(state) : count;
  }

  /** Pushes what a function of ours threw, as an error message. */
  #pushThrown(thrown: unknown): void {
    let message: string;
    if (thrown instanceof ScriptError) message = thrown.message;
    else {
      message = `internal error: ${thrown instanceof Error ? thrown.message : thrown}`;
      this.#options.onBug?.(thrown);
    }
    this.c.lua_settop(this.state, 0);
    let where = "";
    for (let level = 1; level < 5 && where === ""; level++) where = this.where(level);
    this.pushText(where + message);
  }

  /** JavaScript's own stack overflow, or a trap: from here on it is an error in Lua. */
  #raise(state: number, thrown: unknown): void {
    if (thrown instanceof ScriptError || !(thrown instanceof Error)) this.#options.onBug?.(thrown);
    try {
      this.state = state;
      this.pushText(`internal error: ${thrown instanceof Error ? thrown.message : thrown}`);
      this.c.lua_error(state);
    } catch (jump) {
      if (jump !== LONG_JUMP) throw jump;
    }
  }

  /** Lua's message handler: runs where the error happened. */
  #onMessage(): number {
    const type = this.type(1);
    const message = type === STRING || type === NUMBER ? this.text(1) : "";
    const error = new ScriptError(message, this.#exhausted ? "time" : kindOf(message));
    this.c.luaL_traceback(this.state, this.state, 0, 1);
    error.traceback = this.text(-1);
    this.#failure = error;
    this.top = 1;
    return 1;
  }

  #takeFailure(status: number): ScriptError {
    const failure = this.#failure;
    this.#failure = undefined;
    if (status === ERROR_MEMORY) return new ScriptError(NO_MEMORY, "memory");
    if (failure) return failure;
    const message = this.text(-1);
    return new ScriptError(message, kindOf(message));
  }

  #onHook(state: number): void {
    const { c } = this;
    const { hook } = this.#instance;
    if (!this.#isTimeUp()) {
      const count = c.lua_gethookcount(state);
      const next = this.#nextLook(count);
      if (next !== count) {
        c.lua_sethook(state, hook, COUNT_HOOK, next);
        // That goes through all functions that are being called, for which the script cannot help.
        this.#looked = this.#options.clock();
      }
      return;
    }
    c.lua_sethook(state, hook, COUNT_HOOK, 1);
    c.luaL_where(state, 0);
    const caller = this.state;
    this.state = state;
    this.pushText(this.text(-1) + this.#timeText());
    this.state = caller;
    c.lua_error(state);
  }

  /** After how many instructions to look at the clock again, if the last time it was `count`. */
  #nextLook(count: number): number {
    const now = this.#options.clock();
    const passed = now - this.#looked;
    this.#looked = now;
    if (passed < FEW) return Math.min(4 * count, MAX_LOOK);
    return passed > MANY ? Math.max(count >> 2, MIN_LOOK) : count;
  }

  /** Looks at the clock; if time is up it is for all threads. */
  #isTimeUp(): boolean {
    if (this.#exhausted) return true;
    if (this.#depth === 0 || this.#options.clock() - this.#started <= this.#time) return false;
    this.#exhausted = true;
    this.#armHooks(1);
    return true;
  }

  #timeText(): string {
    return `ran longer than ${this.#time} ms and was stopped`;
  }

  /**
   * For functions that take long without running Lua.
   *
   * @throws {ScriptError} if the running call has used up its time
   */
  checkTime(): void {
    if (this.#isTimeUp()) throw new ScriptError(this.#timeText(), "time");
  }

  #recover(): void {
    this.#exhausted = false;
    this.#armHooks(FIRST_LOOK);
  }

  /** Sets after how many instructions the hook is called, in every thread. */
  #armHooks(count: number): void {
    const { c } = this;
    const { hook } = this.#instance;
    c.lua_sethook(this.main, hook, COUNT_HOOK, count);
    const state = this.state;
    this.state = this.main;
    this.pushRef(this.#threads);
    const table = this.top;
    this.pushNil();
    while (this.next(table)) {
      const thread = c.lua_tothread(this.main, -2);
      c.lua_sethook(thread, hook, COUNT_HOOK, count);
      this.pop();
    }
    this.pop();
    this.state = state;
  }
}
