// Results and arguments of the functions of the API.
import { type Lua, NIL, NONE, NUMBER, STRING } from "../vm/lua.ts";

/** A value that pushes itself onto Lua's stack. */
export interface Pushable {
  /** Pushes exactly one value. */
  push(lua: Lua): void;
}

/** A result: undefined stands for no value, null for nil. */
export type Value = undefined | null | boolean | number | string | Uint8Array | Pushable;

/** Returned instead of a value: the results were pushed, any number of them. API-006. */
export const PUSHED = Symbol("pushed");
export type Result = Value | void | typeof PUSHED;

/** Pushes one value; undefined as nil. */
export function pushOne(lua: Lua, value: Value): void {
  switch (typeof value) {
    case "string":
      return lua.pushText(value);
    case "number":
      return lua.pushNumber(value);
    case "boolean":
      return lua.pushBoolean(value);
    case "object":
      if (value === null) return lua.pushNil();
      if (value instanceof Uint8Array) return lua.pushBytes(value);
      return value.push(lua);
    default:
      return lua.pushNil();
  }
}

/**
 * Reads the arguments of a call, front to back. A missing argument, or one of another type, reads as `""`, 0 or
 * false, without an error. API-005.
 */
export class Args {
  /** @param at stack index of the next argument */
  constructor(readonly lua: Lua, public at: number, readonly end = lua.top) {}

  get left(): number {
    return Math.max(0, this.end - this.at + 1);
  }

  /** The type of the next argument, which stays unread. */
  get type(): number {
    return this.at <= this.end ? this.lua.type(this.at) : NONE;
  }

  /** The type of the argument at this offset from the next one; -1 is the one read last. */
  typeAt(offset: number): number {
    return this.at + offset <= this.end ? this.lua.type(this.at + offset) : NONE;
  }

  /** Whether the next argument is missing or nil. */
  get absent(): boolean {
    return this.type <= NIL;
  }

  skip(): void {
    this.at++;
  }

  string(): string {
    const at = this.at++;
    return at <= this.end ? this.lua.text(at) : "";
  }

  /** A copy of the bytes of a string. */
  bytes(): Uint8Array<ArrayBuffer> {
    const at = this.at++;
    return at <= this.end ? this.lua.copyBytes(at) : new Uint8Array(0);
  }

  number(): number {
    const at = this.at++;
    return at <= this.end ? this.lua.toNumber(at) : 0;
  }

  boolean(missing = false): boolean {
    const at = this.at++;
    return at <= this.end && this.lua.type(at) !== NIL ? this.lua.toBoolean(at) : missing;
  }

  /** Whether the next argument is a string or a number. */
  get isText(): boolean {
    const { type } = this;
    return type === STRING || type === NUMBER;
  }
}
