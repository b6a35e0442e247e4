// The time that scripts may take. Lua calls a hook at intervals of instructions; once time is up, at every instruction
// of every coroutine, so that no `pcall` can catch it.
import type { Instance } from "./exports.ts";
import { ScriptError } from "./script_error.ts";
import type { Ref, Stack } from "./stack.ts";

const COUNT_HOOK = 8;
/**
 * Instructions up to the first look at the clock, and between two later ones, adapted to the time between them: one
 * instruction may take long, such as joining long strings.
 */
const FIRST_LOOK = 100;
const MIN_LOOK = 10;
const MAX_LOOK = 10_000;
/** Minimum and maximum ms between two looks at the clock. */
const MIN_LOOK_INTERVAL = 0.5, MAX_LOOK_INTERVAL = 2;
/** Offset in lua_State of Lua 5.4 of `allowhook`, a byte that is 0 while a hook runs (lstate.h). */
const ALLOW_HOOK = 7;
/** Maximum number of active functions among which the innermost one of a script is looked for. */
const MAX_LEVELS = 10;

export class TimeLimit {
  /** The table of all coroutines (weak keys); the creator of one adds it, so that the time limit covers it. */
  readonly threads: Ref;
  /** Whether the running call has used up its time: then only code that unwinds it may run. */
  exhausted = false;
  /** Maximum ms of the next calls, within {@link time}; undefined: all of it. */
  allowance: number | undefined;
  #running = false;
  /** Times (ms) of the start of the call from outside and of the last look at the clock. */
  #started = 0;
  #looked = 0;

  /**
   * @param clock milliseconds, never going back
   * @param time milliseconds that a call may take
   */
  constructor(
    readonly stack: Stack,
    readonly instance: Instance,
    readonly clock: () => number,
    public time: number,
  ) {
    stack.newTable();
    stack.newTable(0, 1);
    stack.pushText("k");
    stack.setField(-2, "__mode");
    stack.setMetatable(-2);
    this.threads = stack.ref();
    this.#arm(stack.main, FIRST_LOOK);
    if (new Uint8Array(stack.c.memory.buffer)[stack.main + ALLOW_HOOK] !== 1) {
      throw new ScriptError("this build of Lua has states of an unknown form");
    }
  }

  /** Turns the hook of a coroutine on, which an error in the hook has left off. */
  allowHooks(state: number): void {
    if (state !== 0) new Uint8Array(this.stack.c.memory.buffer)[state + ALLOW_HOOK] = 1;
  }

  /** A call from outside begins. */
  begin(): void {
    this.#running = true;
    this.#started = this.#looked = this.clock();
    this.#arm(this.stack.main, FIRST_LOOK);
  }

  /** A call from outside has ended, with or without an error. */
  end(): void {
    this.#running = false;
    if (!this.exhausted) return;
    this.exhausted = false;
    this.#armAll(FIRST_LOOK);
  }

  /**
   * For functions that take long without running Lua.
   *
   * @throws {ScriptError} if the running call has used up its time
   */
  check(): void {
    if (this.#isUp()) throw new ScriptError(this.#text(), "time");
  }

  /** Lua's hook. Does not return once time is up. */
  onHook(state: number): void {
    const { stack } = this;
    const { c } = stack;
    if (!this.#isUp()) {
      const count = c.lua_gethookcount(state);
      const next = this.#nextLook(count);
      if (next !== count) {
        this.#arm(state, next);
        // lua_sethook visits every active function: that time is not the script's.
        this.#looked = this.clock();
      }
      return;
    }
    this.#arm(state, 1);
    const caller = stack.state;
    stack.state = state;
    stack.pushText(this.#place() + this.#text());
    stack.state = caller;
    c.lua_error(state);
  }

  /** Number of instructions until the next look at the clock, if it was `count` until this one. */
  #nextLook(count: number): number {
    const now = this.clock();
    const passed = now - this.#looked;
    this.#looked = now;
    if (passed < MIN_LOOK_INTERVAL) return Math.min(4 * count, MAX_LOOK);
    return passed > MAX_LOOK_INTERVAL ? Math.max(count >> 2, MIN_LOOK) : count;
  }

  /** Whether time is up; then it is up for all coroutines. */
  #isUp(): boolean {
    if (this.exhausted) return true;
    if (!this.#running || this.clock() - this.#started <= this.#most) return false;
    this.exhausted = true;
    this.#armAll(1);
    return true;
  }

  /** Position of the innermost function of a script, which may have called functions of Lua or the prelude. */
  #place(): string {
    for (let level = 0; level < MAX_LEVELS; level++) {
      const where = this.stack.where(level);
      if (where !== "" && !where.startsWith("prelude:")) return where;
    }
    return "";
  }

  get #most(): number {
    return Math.min(this.time, this.allowance ?? Infinity);
  }

  #text(): string {
    const most = Math.floor(this.#most);
    if (most === this.time) return `ran longer than ${most} ms and was stopped`;
    return `ran longer than ${most} ms, while other applications wait, and was stopped`;
  }

  /** Makes Lua call the hook every `count` instructions. */
  #arm(state: number, count: number): void {
    this.stack.c.lua_sethook(state, this.instance.hook, COUNT_HOOK, count);
  }

  #armAll(count: number): void {
    const { stack } = this;
    const { state, main } = stack;
    this.#arm(main, count);
    stack.state = main;
    stack.pushRef(this.threads);
    const table = stack.top;
    stack.pushNil();
    while (stack.next(table)) {
      this.#arm(stack.c.lua_tothread(main, -2), count);
      stack.pop();
    }
    stack.pop();
    stack.state = state;
  }
}
