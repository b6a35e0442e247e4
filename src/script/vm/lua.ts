// A Lua machine: our functions that Lua calls, protected calls into Lua, limits of memory and time.
// Lua 5.4 Reference Manual, §4.4.
import { Instance, LONG_JUMP } from "./exports.ts";
import { markGotos, withGoto } from "./goto.ts";
import { ScriptError } from "./script_error.ts";
import { type FunctionPointer, NO_MEMORY, NUMBER, type Ref, Stack, STRING } from "./stack.ts";
import { TimeLimit } from "./time_limit.ts";

export * from "./stack.ts";

/** Our function for Lua: arguments at 1, 2, …; returns the number of its results, the values on top of the stack. */
type LuaFunction = (lua: Lua) => number;

export interface LuaOptions {
  /** Milliseconds, never going back. */
  clock(): number;
  /**
   * An unpredictable integer from 0 to 2^32 - 1, which seeds Lua's hash of strings and `math.random`.
   * By default random.
   */
  seed?(): number;
  /** Maximum ms of a call from outside; default 1000. */
  time?: number;
  /** Maximum bytes that Lua may hold; default 256 MiB. */
  memory?: number;
  /** Called with exceptions of our functions other than {@link ScriptError}; scripts see "internal error". */
  onBug?(error: unknown): void;
}

const ERROR_MEMORY = 4;

/** Minimum and maximum bytes of one step of the collector: a few milliseconds. */
const MIN_COLLECTED = 64 << 10, MAX_COLLECTED = 2 << 20;

/** A script may catch the error of full memory and raise it again behind a text of its own. */
const kindOf = (message: string) => message.endsWith(NO_MEMORY) ? "memory" : "runtime";

/**
 * Calls of our functions between two looks at the clock: C functions, such as `gsub`, call them without running an
 * instruction of Lua. A power of 2.
 */
const CALLS_PER_LOOK = 32;

/** Maximum level, from the call of `error`, of the function whose line the message begins with. */
const MAX_POSITION_LEVEL = 4;

/** Whether a chunk is the prelude or the sandbox, whose name is stripped. */
const isShared = (source: string) => source === "=prelude" || source === "=?";

const randomSeed = (): number =>
  new DataView(crypto.getRandomValues(new Uint8Array(4)).buffer).getUint32(0);

const encoder = new TextEncoder();

export class Lua extends Stack {
  readonly #instance: Instance;
  readonly #options: LuaOptions;
  readonly #limit: TimeLimit;
  readonly #functions: LuaFunction[] = [];
  readonly #messageHandler: FunctionPointer;
  /** `collectgarbage`: the C function behind it cannot be called from WebAssembly. */
  readonly #collector: Ref;
  #calls = 0;
  /** The original function `error`, as scripts may replace the global one. */
  readonly #error: Ref;
  #failure: ScriptError | undefined;
  /** Number of running calls into Lua, each from a function that the one before called. */
  #depth = 0;
  /** Number of running calls of {@link timed}. */
  #timed = 0;
  /** Stack pointer of C functions outside any call. */
  readonly #stackBase: number;

  constructor(options: LuaOptions) {
    const instance = new Instance(options.seed ?? randomSeed);
    super(instance, options.memory ?? 256 << 20);
    this.#instance = instance;
    this.#options = options;
    const limit = new TimeLimit(this, instance, () => options.clock(), options.time ?? 1000);
    this.#limit = limit;
    instance.call = (state, index) => this.#dispatch(state, index);
    instance.onHook = (state) => limit.onHook(state);
    instance.raise = (state, thrown) => this.#raise(state, thrown);
    this.#messageHandler = this.define((lua) => lua.#onMessage());
    this.openLibrary("base");
    this.getField(-1, "collectgarbage");
    this.#collector = this.ref();
    this.getField(-1, "error");
    this.#error = this.ref();
    this.pop();
    this.#stackBase = this.c.stackSave();
  }

  // --- functions and calls

  /** Makes our function callable by Lua, for as long as the machine exists. */
  define(f: LuaFunction): FunctionPointer {
    this.#functions.push(f);
    return this.#instance.functionAt(this.#functions.length - 1);
  }

  /**
   * Pushes a chunk of source text as a function; bytecode is refused.
   *
   * @param name shown in messages: `@` and a path, or `=` and a text
   * @returns the error in the source; then nothing is pushed
   */
  load(source: Uint8Array, name: string, mode = "t"): ScriptError | undefined {
    if (mode === "t") source = markGotos(source);
    const text = encoder.encode(`${name}\0${mode}\0`);
    const status = this.withBytes(text, (nameAt) =>
      this.withBytes(
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
    const error = new ScriptError(
      withGoto(this.text(-1)),
      status === ERROR_MEMORY ? "memory" : "syntax",
    );
    this.pop();
    return error;
  }

  /**
   * Begins a protected call: push a function and its arguments, call {@link run}, read the results, call
   * {@link leave}.
   *
   * @returns the base: the results start at the stack index above it
   */
  enter(): number {
    this.c.lua_pushcclosure(this.state, this.#messageHandler, 0);
    return this.c.lua_gettop(this.state);
  }

  /**
   * Runs the function pushed after {@link enter} returned `base`.
   *
   * @param results number of results to keep; -1: all
   * @returns the error that ended the call, if any; then {@link leave} is not needed
   */
  run(base: number, results: number): ScriptError | undefined {
    const { c, state } = this;
    if (this.#depth++ + this.#timed === 0) this.#limit.begin();
    let status: number;
    try {
      status = c.lua_pcallk(state, c.lua_gettop(state) - base - 1, results, base, 0, 0);
    } finally {
      if (--this.#depth + this.#timed === 0) this.#limit.end();
    }
    if (status === 0) return undefined;
    const error = this.#takeFailure(status);
    c.lua_settop(state, base - 1);
    if (this.#depth === 0 && error.kind === "memory") this.collect();
    return error;
  }

  /** Counts the work before and after {@link run}, such as reading arguments, in the same time limit. */
  timed<T>(action: () => T): T {
    if (this.#depth + this.#timed++ === 0) this.#limit.begin();
    try {
      return action();
    } finally {
      if (--this.#timed + this.#depth === 0) this.#limit.end();
    }
  }

  leave(base: number): void {
    this.c.lua_settop(this.state, base - 1);
  }

  /**
   * Ends a call begun by {@link enter} after an exception before or in {@link run}.
   *
   * @returns the error of the script; rethrows other exceptions, which are our bugs
   */
  abandon(base: number, thrown: unknown): ScriptError {
    if (this.#depth === 0) this.c.stackRestore(this.#stackBase); // C functions may have been left
    this.c.lua_settop(this.state, base - 1);
    if (thrown instanceof ScriptError) return thrown;
    // Lua jumps when memory runs out.
    if (thrown === LONG_JUMP) return new ScriptError(NO_MEMORY, "memory");
    throw thrown;
  }

  /** Raises an error in Lua from within our function, as `error` does in a script. */
  fail(message: string): never {
    throw new ScriptError(message);
  }

  // --- memory and time

  /** Bytes that Lua holds. */
  get usedMemory(): number {
    return this.shim.used.value >>> 0;
  }

  /** Bytes that Lua may hold. */
  get memoryLimit(): number {
    return this.shim.limit.value >>> 0;
  }

  set memoryLimit(bytes: number) {
    this.shim.limit.value = bytes;
  }

  /** Maximum ms of a call from outside. */
  get timeLimit(): number {
    return this.#limit.time;
  }

  set timeLimit(milliseconds: number) {
    this.#limit.time = milliseconds;
  }

  /** Maximum ms of the next calls, within {@link timeLimit}; undefined: all of it. */
  set allowance(milliseconds: number | undefined) {
    this.#limit.allowance = milliseconds;
  }

  /** Collects all garbage. */
  collect(): void {
    this.pushRef(this.#collector);
    this.c.lua_pcallk(this.state, 0, 0, 0, 0, 0);
  }

  /** Runs one step of the incremental collector. */
  collectSome(): void {
    const { used } = this.shim;
    const bytes = Math.min(Math.max((used.value >>> 0) / 8, MIN_COLLECTED), MAX_COLLECTED);
    this.pushRef(this.#collector);
    this.pushText("step");
    this.pushNumber(Math.ceil(bytes / 1024));
    if (this.c.lua_pcallk(this.state, 2, 0, 0, 0, 0) !== 0) this.pop();
  }

  /** Whether the running call has used up its time: then only code that unwinds it may run. */
  get exhausted(): boolean {
    return this.#limit.exhausted;
  }

  /** The table of all coroutines (weak keys); the creator of one adds it, so that the time limit covers it. */
  get threads(): Ref {
    return this.#limit.threads;
  }

  /** Turns the hook of the coroutine at a stack index on again, after the time limit ended code in it. */
  allowHooks(index: number): void {
    this.#limit.allowHooks(this.c.lua_tothread(this.state, index));
  }

  /**
   * For functions that take long without running Lua.
   *
   * @throws {ScriptError} if the running call has used up its time
   */
  checkTime(): void {
    this.#limit.check();
  }

  close(): void {
    this.c.lua_close(this.main);
  }

  /** Opens one of Lua's libraries and pushes its table. "base" is open already; opening it again resets globals. */
  openLibrary(name: "base" | "coroutine" | "table" | "string" | "utf8" | "math" | "debug"): void {
    this.c.lua_pushcclosure(
      this.state,
      this.#instance.tableIndex(this.c[`luaopen_${name}`]),
      0,
    );
    this.c.lua_callk(this.state, 0, 1, 0, 0);
  }

  #dispatch(state: number, index: number): number {
    const caller = this.state;
    this.state = state;
    let count: number;
    try {
      const f = this.#functions[index];
      if (!f) throw new Error(`Lua calls function ${index}, which was not defined`);
      count = f(this);
      if ((++this.#calls & (CALLS_PER_LOOK - 1)) === 0) this.#limit.check();
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

  /** Pushes an exception of our function as an error message. */
  #pushThrown(thrown: unknown): void {
    let message: string;
    if (thrown instanceof ScriptError) message = thrown.message;
    else {
      message = `internal error: ${thrown instanceof Error ? thrown.message : thrown}`;
      this.#options.onBug?.(thrown);
    }
    this.c.lua_settop(this.state, 0);
    let where = "";
    const placed = thrown instanceof ScriptError && thrown.kind === "syntax"; // names the line in the loaded text
    for (let level = 1; level < 5 && where === "" && !placed; level++) where = this.where(level);
    this.pushText(where + message);
  }

  /** Makes a stack overflow of JavaScript, or a trap of WebAssembly, an error in Lua. */
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
    const error = new ScriptError(message, this.exhausted ? "time" : kindOf(message));
    this.c.luaL_traceback(this.state, this.state, 0, 1);
    error.traceback = this.text(-1);
    error.raised = this.#isRaised();
    for (let level = 1; level <= MAX_POSITION_LEVEL; level++) {
      const position = this.where(level);
      if (position !== "" && message.startsWith(position)) {
        error.plain = message.slice(position.length);
        break;
      }
    }
    this.#failure = error;
    this.top = 1;
    return 1;
  }

  /** Whether the script itself called `error`, rather than a function of the prelude or sandbox. */
  #isRaised(): boolean {
    if (!this.pushCaller(1)) return false;
    this.pushRef(this.#error);
    return this.rawEqual(-1, -2) && this.pushCaller(2) && !isShared(this.definition(-1).source);
  }

  #takeFailure(status: number): ScriptError {
    const failure = this.#failure;
    this.#failure = undefined;
    if (status === ERROR_MEMORY) return new ScriptError(NO_MEMORY, "memory");
    if (failure) return failure;
    const message = this.text(-1);
    return new ScriptError(message, kindOf(message));
  }
}
