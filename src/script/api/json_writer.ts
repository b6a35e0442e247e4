// Conversion from Lua to JSON. RFC 8259, API-143.
import { BOOLEAN, NIL, NUMBER, STRING, TABLE, TYPE_NAMES } from "../vm/lua.ts";
import type { Api } from "./api.ts";
import { JSON_TYPE, JsonError, MAX_DEPTH, MAX_LENGTH, VALUES_PER_LOOK } from "./json_error.ts";

/** Maximum number of nil elements of an array above the number of its other elements. */
const MAX_HOLES = 10;

const strict = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

export class JsonWriter {
  readonly #api: Api;
  /** Stack index of a value that stands for null, besides nil. */
  readonly #null: number | undefined;
  #parts: string[] = [];
  #length = 0;
  #values = 0;
  /** Keys that lead to the value that is being written. */
  readonly #path: (string | number)[] = [];

  constructor(api: Api, nullAt: number | undefined) {
    this.#api = api;
    this.#null = nullAt;
  }

  /** @throws {JsonError} */
  write(index: number): string {
    this.#value(index);
    return this.#parts.join("");
  }

  #put(text: string): void {
    this.#length += text.length;
    if (this.#length > MAX_LENGTH) throw new JsonError(`longer than ${MAX_LENGTH} bytes`);
    this.#parts.push(text);
  }

  #value(index: number): void {
    const { lua } = this.#api;
    if (++this.#values % VALUES_PER_LOOK === 0) lua.checkTime();
    if (this.#null !== undefined && lua.rawEqual(index, this.#null)) return this.#put("null");
    const type = lua.type(index);
    switch (type) {
      case NIL:
        return this.#put("null");
      case BOOLEAN:
        return this.#put(lua.toBoolean(index) ? "true" : "false");
      case NUMBER:
        return this.#put(this.#number(index));
      case STRING:
        return this.#put(this.#text(index));
      case TABLE:
        return this.#table(index);
      default:
        throw this.#formless(`a ${TYPE_NAMES[type]}`);
    }
  }

  #number(index: number): string {
    const { lua } = this.#api;
    if (lua.isInteger(index)) return lua.display(index); // all 64 bits
    const number = lua.toNumber(index);
    if (!Number.isFinite(number)) throw this.#formless(`the number ${lua.display(index)}`);
    return String(number);
  }

  #text(index: number): string {
    const { lua } = this.#api;
    if (lua.rawLength(index) > MAX_LENGTH) throw new JsonError(`longer than ${MAX_LENGTH} bytes`);
    const text = lua.text(index);
    if (text.includes("\ufffd")) this.#checkUtf8(lua.bytes(index));
    return JSON.stringify(text);
  }

  #checkUtf8(bytes: Uint8Array): void {
    try {
      strict.decode(bytes);
    } catch {
      throw this.#formless("a text that is not UTF-8");
    }
  }

  #table(index: number): void {
    const { lua, objects } = this.#api;
    const object = objects.describe(index);
    if (object !== undefined) throw this.#formless(object);
    if (this.#path.length >= MAX_DEPTH) {
      throw new JsonError(`tables nested deeper than ${MAX_DEPTH}: does one contain itself?`);
    }
    lua.reserve(4);
    const places = this.#placesOf(index);
    if (places === undefined) this.#object(index);
    else this.#array(index, places);
  }

  /** Length of the array that a table represents; undefined if it is an object. */
  #placesOf(index: number): number | undefined {
    const { lua } = this.#api;
    let count = 0, last = 0;
    lua.pushNil();
    while (lua.next(index)) {
      lua.pop();
      if (++count % VALUES_PER_LOOK === 0) lua.checkTime();
      const key = lua.type(-1) === NUMBER && lua.isInteger(-1) ? lua.toNumber(-1) : 0;
      if (key < 1) {
        lua.pop();
        return undefined;
      }
      last = Math.max(last, key);
    }
    if (count === 0) return this.#isEmptyObject(index) ? undefined : 0;
    return last <= 2 * count + MAX_HOLES ? last : undefined;
  }

  #isEmptyObject(index: number): boolean {
    const { lua } = this.#api;
    if (!lua.getMetatable(index)) return false;
    lua.pushText(JSON_TYPE);
    const marked = lua.rawGet(-2) === STRING && lua.text(-1) === "object";
    lua.pop(2);
    return marked;
  }

  #array(index: number, places: number): void {
    const { lua } = this.#api;
    this.#put("[");
    for (let i = 1; i <= places; i++) {
      if (i > 1) this.#put(",");
      this.#path.push(i);
      lua.rawGetIndex(index, i);
      this.#value(lua.top);
      lua.pop();
      this.#path.pop();
    }
    this.#put("]");
  }

  #object(index: number): void {
    const { lua } = this.#api;
    let first = true;
    this.#put("{");
    lua.pushNil();
    while (lua.next(index)) {
      const value = lua.top;
      const key = this.#key(value - 1);
      this.#put(`${first ? "" : ","}${key}:`);
      first = false;
      this.#path.push(key);
      this.#value(value);
      this.#path.pop();
      lua.pop();
    }
    this.#put("}");
  }

  /** A key as a string in quotes; a number becomes one. @throws {JsonError} for other types */
  #key(index: number): string {
    const { lua } = this.#api;
    const type = lua.type(index);
    if (type === NUMBER) return `"${lua.display(index)}"`;
    if (type === STRING) return this.#text(index);
    throw this.#formless(`a key that is a ${TYPE_NAMES[type]}`);
  }

  #formless(what: string): JsonError {
    const where = this.#path.map((key) => `[${key}]`).join("");
    const at = where === "" ? "" : ` at ${where.slice(0, 200)}`;
    return new JsonError(`JSON cannot express ${what}${at}`);
  }
}
