// Memory of the server besides Lua's that applications use, such as queued mails and unsent bytes of sockets. It
// counts against `[script] memory`.
import type { Lua } from "../vm/lua.ts";
import { ScriptError } from "../vm/script_error.ts";
import type { LuaApplication } from "./application.ts";

/** Maximum share of the limit outside of Lua, and of the sum of that and Lua's memory when more is taken. */
const MAX_OUTSIDE = 1 / 2, MAX_SUM = 7 / 8;

export class OutsideMemory {
  #held = 0;
  #limit: number;
  readonly #lua: Lua;

  /** @param limit bytes that all scripts may hold, Lua's memory included */
  constructor(lua: Lua, limit: number) {
    this.#lua = lua;
    this.#limit = limit;
  }

  /** Counted bytes of all applications. */
  get held(): number {
    return this.#held;
  }

  set limit(bytes: number) {
    this.#limit = bytes;
    this.#leaveRest();
  }

  /** Counts bytes of an application, which lowers Lua's limit. @returns false, without counting, above the limit */
  take(application: LuaApplication, bytes: number): boolean {
    const held = this.#held + bytes;
    const { usedMemory } = this.#lua;
    if (held > this.#limit * MAX_OUTSIDE || held + usedMemory > this.#limit * MAX_SUM) return false;
    this.#add(application, bytes);
    return true;
  }

  release(application: LuaApplication, bytes: number): void {
    this.#add(application, -bytes);
  }

  /**
   * Counts bytes until the returned function is called.
   *
   * @throws {ScriptError} above the limit
   */
  hold(application: LuaApplication, bytes: number): () => void {
    if (!this.take(application, bytes)) {
      throw new ScriptError(
        `not enough memory: the server keeps ${this.#held} bytes for scripts already`,
      );
    }
    let left = bytes;
    return () => {
      this.release(application, left);
      left = 0;
    };
  }

  /** Counts a changing number of bytes. @returns a function that sets it; false, without change, above the limit */
  counter(application: LuaApplication): (bytes: number) => boolean {
    let counted = 0;
    return (bytes) => {
      const more = bytes - counted;
      if (more > 0 && !this.take(application, more)) return false;
      if (more < 0) this.release(application, -more);
      counted = bytes;
      return true;
    };
  }

  #add(application: LuaApplication, bytes: number): void {
    application.outside += bytes;
    this.#held += bytes;
    this.#leaveRest();
  }

  #leaveRest(): void {
    this.#lua.memoryLimit = Math.floor(
      Math.max(this.#limit * MAX_OUTSIDE, this.#limit - this.#held),
    );
  }
}
