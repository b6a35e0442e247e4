import { Refused } from "../../media/refused.ts";
import { BOOLEAN, STRING } from "../vm/lua.ts";
import type { ScriptError } from "../vm/script_error.ts";
import { type Api, surplus } from "./api.ts";
import type { LuaApplication } from "./application.ts";
import { EventFunctions } from "./event_functions.ts";
import type { Request } from "./refusals.ts";

const NO_OPTIONS = {};
const OWN = { own: true };

/** Runs the events of an application. API-601 to API-649. */
export class Events {
  readonly #api: Api;
  readonly #application: LuaApplication;
  readonly #functions: EventFunctions;

  constructor(api: Api, application: LuaApplication) {
    this.#api = api;
    this.#application = application;
    this.#functions = new EventFunctions(api.lua, application);
  }

  /** Forgets the functions of parents, which have changed. */
  forget(): void {
    this.#functions.forget();
  }

  /**
   * Runs an event if the application has it. Logs errors, and returns them for events that answer with them.
   *
   * @param expected number of results that the event uses; more cause a warning (API-017)
   * @param read called with the stack index of the first result, and their number
   * @param options `own`: ignore parents; `request`: the request that the event may refuse
   */
  run(
    name: string,
    expected: number,
    push: () => void,
    read?: (first: number, count: number) => void,
    { own, request }: { own?: boolean; request?: Request } = NO_OPTIONS,
  ): ScriptError | undefined {
    if (!this.#application.running) return undefined;
    const { lua } = this.#api;
    const key = lua.key(name);
    const base = lua.enter();
    if (!(own ? this.#functions.pushOwn(key) : this.#functions.push(key))) {
      lua.leave(base);
      return undefined;
    }
    const api = this.#api;
    return api.perform(this.#application, base, name, () => {
      push();
      const error = lua.run(base, -1);
      const count = lua.top - base;
      if (error || count > 0) {
        api.definedAt = () =>
          api.placeOfFunction(() => own ? this.#functions.pushOwn(key) : this.#functions.push(key));
      }
      if (error) return error;
      if (count > expected) api.log("warn", surplus(name, count, expected));
      read?.(base + 1, count);
      lua.leave(base);
    }, request);
  }

  /** Runs an event if this application itself, not a parent, defines it. API-617 to API-620 */
  runOwn(name: string, push: () => void, read?: (first: number, count: number) => void): void {
    this.run(name, read ? Infinity : 0, push, read, OWN);
  }

  /** Runs an event that can refuse, by `return false` or an error. API-642, API-646 */
  permission(name: string, request: Request, push: () => void): "replace" | void {
    let refused = false;
    let replaces = false;
    const error = this.run(name, 1, push, (first, count) => {
      const { lua } = this.#api;
      refused = count > 0 && lua.type(first) === BOOLEAN && !lua.toBoolean(first);
      if (refused) this.#api.refuse(request, undefined);
      replaces = count > 0 && lua.type(first) === STRING && lua.text(first) === "replace";
    }, { request });
    if (error) throw new Refused(this.#api.clientText(error));
    if (refused) throw new Refused();
    if (replaces) return "replace";
  }

  /** Whether the application has a function for an event. */
  handles(event: string): boolean {
    const { lua } = this.#api;
    const base = lua.enter();
    const found = this.#application.running && this.#functions.push(lua.key(event));
    lua.leave(base);
    return found;
  }
}
