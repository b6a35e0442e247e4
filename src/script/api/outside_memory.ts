// What applications make the server keep besides Lua's memory: mails that wait, what sockets have not sent. It counts
// against `[script] memory`.
import type { Lua } from "../vm/lua.ts";
import { ScriptError } from "../vm/script_error.ts";
import type { LuaApplication } from "./application.ts";

/** The part of the memory that may be taken outside of Lua, and together with what Lua holds: the rest is Lua's. */
const MOST = 1 / 2, MOST_OF_ALL = 7 / 8;

export class OutsideMemory {
  #held = 0;
  #limit: number;
  readonly #lua: Lua;

  /** @param limit bytes that all scripts may hold, Lua's memory included */
  constructor(lua: Lua, limit: number) {
    this.#lua = lua;
    this.#limit = limit;
  }

  /** Bytes that are held. */
  get held(): number {
    return this.#held;
  }

  set limit(bytes: number) {
    this.#limit = bytes;
    this.#leaveRest();
  }

  /** Counts bytes of an application, which Lua then lacks. @returns false without room */
  take(application: LuaApplication, bytes: number): boolean {
    const held = this.#held + bytes;
    const { usedMemory } = this.#lua;
    if (held > this.#limit * MOST || held + usedMemory > this.#limit * MOST_OF_ALL) return false;
    this.#add(application, bytes);
    return true;
  }

  release(application: LuaApplication, bytes: number): void {
    this.#add(application, -bytes);
  }

  /**
   * Counts bytes until the function that is returned has been called.
   *
   * @throws {ScriptError} without room
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

  /** Counts bytes of an application that change: each call sets how many. @returns false without room: as before */
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
    this.#lua.memoryLimit = Math.floor(Math.max(this.#limit * MOST, this.#limit - this.#held));
  }
}
