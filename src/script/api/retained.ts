import { FUNCTION, type Lua, STRING, TABLE } from "../vm/lua.ts";

/** Maximum number of entries to visit: the estimate leaves out further ones. */
const MAX_ENTRIES = 200_000;
const MAX_DEPTH = 200;
/** Estimated bytes of a table, of an entry in one, of a function, and of a string besides its text. */
const TABLE_SIZE = 56, ENTRY_SIZE = 40, FUNCTION_SIZE = 40, STRING_SIZE = 24;

/**
 * Estimates the bytes that the table on top of the stack retains: its fields, those of inner tables, and the
 * variables of functions. Allocates no memory of Lua, as that may be full.
 */
export function retainedBytes(lua: Lua): number {
  return new Scales(lua).weigh(0);
}

class Scales {
  readonly #seen = new Set<number>();
  #entries = 0;

  constructor(readonly lua: Lua) {}

  /** Estimates the bytes of the value on top of the stack, which stays there. */
  weigh(depth: number): number {
    const { lua } = this;
    switch (lua.type(-1)) {
      case STRING:
        return STRING_SIZE + lua.rawLength(-1);
      case TABLE:
        return this.#isNew(depth) ? this.#weighTable(depth) : 0;
      case FUNCTION:
        return this.#isNew(depth) ? this.#weighFunction(depth) : 0;
      default:
        return 0;
    }
  }

  #isNew(depth: number): boolean {
    const pointer = this.lua.pointer(-1);
    if (this.#seen.has(pointer) || depth > MAX_DEPTH) return false;
    this.#seen.add(pointer);
    this.lua.reserve(4);
    return true;
  }

  #weighTable(depth: number): number {
    const { lua } = this;
    let bytes = TABLE_SIZE;
    const table = lua.top;
    lua.pushNil();
    while (this.#entries < MAX_ENTRIES && lua.next(table)) {
      this.#entries++;
      bytes += ENTRY_SIZE + this.weigh(depth + 1);
      lua.pop();
      if (lua.type(-1) === STRING) bytes += STRING_SIZE + lua.rawLength(-1);
    }
    lua.top = table;
    return bytes;
  }

  #weighFunction(depth: number): number {
    const { lua } = this;
    let bytes = FUNCTION_SIZE;
    const f = lua.top;
    for (let n = 1; this.#entries < MAX_ENTRIES && lua.c.lua_getupvalue(lua.state, f, n); n++) {
      this.#entries++;
      bytes += this.weigh(depth + 1);
      lua.pop();
    }
    lua.top = f;
    return bytes;
  }
}
