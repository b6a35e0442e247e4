import type { Lua, Ref } from "../vm/lua.ts";
import { PUSHED, pushOne, type Value } from "./values.ts";

/** Pushes tables of values, for scripts to walk with `for`. */
export class ValueTables {
  readonly #next: Ref;

  /** @param next the original function `next` of Lua, as scripts may replace the global one (API-020) */
  constructor(readonly lua: Lua, next: Ref) {
    this.#next = next;
  }

  /** Pushes `next` and a table, for a `for` loop. */
  pushWalk(pushTable: () => void): void {
    this.lua.pushRef(this.#next);
    pushTable();
  }

  /** Pushes `next` and a list of objects, for `ipairs`. API-008. */
  pushListWalk(values: Iterable<Value>): typeof PUSHED {
    this.pushWalk(() => this.pushList(values));
    return PUSHED;
  }

  pushList(values: Iterable<Value>): void {
    const { lua } = this;
    lua.newTable();
    let n = 0;
    for (const value of values) {
      pushOne(lua, value);
      lua.rawSetIndex(-2, ++n);
    }
  }

  /** Pushes a table of pairs, for `pairs`. */
  pushTable(pairs: Iterable<readonly [string, Value]>): void {
    const { lua } = this;
    lua.newTable();
    for (const [key, value] of pairs) {
      lua.pushText(key);
      pushOne(lua, value);
      lua.rawSet(-3);
    }
  }
}
