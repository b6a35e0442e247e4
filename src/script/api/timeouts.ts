// cumulus:setTimeout and cumulus:clearTimeout: functions of scripts that run once, later. API-141, API-142.
import { FUNCTION, NUMBER, type Ref, STRING } from "../vm/lua.ts";
import { ScriptError } from "../vm/script_error.ts";
import type { Api } from "./api.ts";
import type { LuaApplication } from "./application.ts";
import type { Host } from "./host.ts";
import type { Binding } from "./binding.ts";
import { type Due, TimerQueue } from "./timer_queue.ts";
import type { Args } from "./values.ts";

/** Name of the function in errors and for the watchdog. */
const NAME = "setTimeout";
/** Maximum number of timeouts of an application, and bytes of `[script] memory` of each. */
const MAX_TIMEOUTS = 10_000, TIMEOUT_COST = 256;
/** Maximum delay in ms, as of `setTimeout` in browsers: 24.8 days. */
const MAX_DELAY = 2 ** 31 - 1;
/** Ms after which no further timeout runs before clients are served. */
const MAX_SLICE = 20;
/** Ms by which timeouts are postponed while the calls of their application must wait. */
const POSTPONE_INTERVAL = 250;

/** A function that is to run. */
interface Timeout {
  readonly id: number;
  readonly application: LuaApplication;
  readonly ref: Ref;
  /** Releases its memory. */
  readonly release: () => void;
  due: Due<Timeout>;
}

/** The timeouts of all applications. */
export class Timeouts {
  readonly #api: Api;
  readonly #queue = new TimerQueue<Timeout>();
  readonly #ofApplication = new Map<LuaApplication, Map<number, Timeout>>();
  #lastId = 0;
  /** The timer of the host, and its time (ms). */
  #armed: { readonly at: number; readonly cancel: () => void } | undefined;

  constructor(api: Api) {
    this.#api = api;
  }

  /**
   * Sets a timeout of the running application for the function at a stack index.
   *
   * @returns its id
   * @throws {ScriptError} above the maximum number of timeouts, or of memory
   */
  set(milliseconds: number, index: number): number {
    const api = this.#api;
    const application = api.running!;
    const own = this.#ownOf(application);
    if (own.size >= MAX_TIMEOUTS) {
      throw new ScriptError(`the application has ${MAX_TIMEOUTS} timeouts, the maximum`);
    }
    const release = api.outside.hold(application, TIMEOUT_COST);
    api.lua.pushValue(index);
    const timeout = { id: ++this.#lastId, application, ref: api.lua.ref(), release } as Timeout;
    timeout.due = this.#queue.add(api.host.now() + Math.max(1, milliseconds), timeout);
    own.set(timeout.id, timeout);
    this.#arm();
    return timeout.id;
  }

  /** Cancels a timeout of the running application; ignores unknown ids. */
  clear(id: number): void {
    const timeout = this.#ofApplication.get(this.#api.running!)?.get(id);
    if (!timeout) return;
    this.#take(timeout);
    this.#api.lua.unref(timeout.ref);
    this.#arm();
  }

  /** The timeouts of an application, which end with it. */
  #ownOf(application: LuaApplication): Map<number, Timeout> {
    const known = this.#ofApplication.get(application);
    if (known) return known;
    const own = new Map<number, Timeout>();
    this.#ofApplication.set(application, own);
    application.owned.add({
      close: () => {
        this.#ofApplication.delete(application);
        for (const timeout of own.values()) {
          this.#take(timeout);
          this.#api.lua.unref(timeout.ref);
        }
        this.#arm();
      },
    });
    return own;
  }

  /** Removes a timeout from the queue; the caller releases its function. */
  #take(timeout: Timeout): void {
    this.#queue.remove(timeout.due);
    this.#ofApplication.get(timeout.application)?.delete(timeout.id);
    timeout.release();
  }

  /** Sets the host's timer to the first timeout. */
  #arm(): void {
    const at = this.#queue.first?.at;
    if (this.#armed && this.#armed.at === at) return;
    this.#armed?.cancel();
    this.#armed = undefined;
    if (at === undefined) return;
    const { host } = this.#api;
    const cancel = host.timer(Math.max(0, at - host.now()), () => this.#run());
    this.#armed = { at, cancel };
  }

  /** Calls the timeouts due by now. Timeouts that they set run in a later turn, even with delay 0. */
  #run(): void {
    this.#armed = undefined;
    const { host } = this.#api;
    const now = host.now();
    for (;;) {
      const due = this.#queue.first;
      if (!due || due.at > now || host.now() - now >= MAX_SLICE) break;
      this.#call(due.value);
    }
    this.#arm();
  }

  #call(timeout: Timeout): void {
    const api = this.#api;
    const { lua } = api;
    const { application, ref } = timeout;
    if (application.mustWait) {
      this.#queue.remove(timeout.due);
      timeout.due = this.#queue.add(api.host.now() + POSTPONE_INTERVAL, timeout);
      return;
    }
    this.#take(timeout);
    const push = () => {
      lua.pushRef(ref);
      return true;
    };
    const base = lua.enter();
    api.perform(application, base, NAME, () => {
      push();
      const error = lua.run(base, 0);
      if (!error) return lua.leave(base);
      api.definedAt = () => api.placeOfFunction(push);
      return error;
    });
    lua.unref(ref);
  }
}

/** The functions as members of `cumulus`. */
export const timeoutMethods: Required<Pick<Binding<Host, Api>, "call">>["call"] = {
  [NAME](_, args, api) {
    const milliseconds = delay(args);
    if (args.type !== FUNCTION) throw wrong("the second argument is not a function");
    return api.timeouts.set(milliseconds, args.at);
  },
  clearTimeout(_, args, api) {
    if (!args.absent) api.timeouts.clear(args.number());
  },
};

/** @throws {ScriptError} if the next argument is not a delay */
function delay(args: Args): number {
  if (args.type === FUNCTION) throw wrong("the arguments are swapped");
  const isNumber = args.type === NUMBER ||
    (args.type === STRING && args.lua.c.lua_isnumber(args.lua.state, args.at) !== 0);
  const milliseconds = args.number();
  if (!isNumber || !(milliseconds >= 0 && milliseconds <= MAX_DELAY)) {
    throw wrong(`the milliseconds are not a number from 0 to ${MAX_DELAY}`);
  }
  return milliseconds;
}

const wrong = (what: string) => new ScriptError(`${NAME}(milliseconds, f): ${what}`);
