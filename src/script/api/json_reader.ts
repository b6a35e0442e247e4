// Conversion from JSON to Lua. RFC 8259, API-144.
import type { Lua } from "../vm/lua.ts";
import { JSON_TYPE, JsonError, MAX_DEPTH, MAX_LENGTH, VALUES_PER_LOOK } from "./json_error.ts";

const strict = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

const code = (character: string) => character.charCodeAt(0);
const QUOTE = code('"'), BACKSLASH = code("\\"), COMMA = code(","), COLON = code(":");
const OPEN_ARRAY = code("["), CLOSE_ARRAY = code("]");
const OPEN_OBJECT = code("{"), CLOSE_OBJECT = code("}");
const SPACES = [" ", "\t", "\n", "\r"].map(code);

const NUMBER = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/;
const WORDS = new Map([["true", true], ["false", false], ["null", null]]);

/** Reads one JSON text onto the stack. */
export class JsonReader {
  readonly #lua: Lua;
  readonly #bytes: Uint8Array;
  /** Stack index of the value that stands for null; undefined: nil stands for it. */
  readonly #null: number | undefined;
  #at = 0;
  #depth = 0;
  #values = 0;

  constructor(lua: Lua, bytes: Uint8Array, nullAt: number | undefined) {
    this.#lua = lua;
    this.#bytes = bytes;
    this.#null = nullAt;
  }

  /** Pushes the value. @throws {JsonError} after pushing any number of values */
  push(): void {
    const bytes = this.#bytes;
    if (bytes.length > MAX_LENGTH) {
      throw new JsonError(`the text is longer than ${MAX_LENGTH} bytes`);
    }
    try {
      strict.decode(bytes);
    } catch {
      throw new JsonError("the text is not UTF-8");
    }
    if (bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf) this.#at = 3;
    this.#lua.reserve(4);
    this.#value();
    if (this.#peek() !== undefined) throw this.#unexpected("the end");
  }

  /** The next byte that is not a space, left unread; undefined at the end. */
  #peek(): number | undefined {
    for (;; this.#at++) {
      const byte = this.#bytes[this.#at];
      if (byte === undefined || !SPACES.includes(byte)) return byte;
    }
  }

  /** Reads a byte if it is the next one. */
  #skip(byte: number): boolean {
    if (this.#peek() !== byte) return false;
    this.#at++;
    return true;
  }

  #value(): void {
    if (++this.#values % VALUES_PER_LOOK === 0) this.#lua.checkTime();
    switch (this.#peek()) {
      case OPEN_OBJECT:
        return this.#nested(() => this.#object());
      case OPEN_ARRAY:
        return this.#nested(() => this.#array());
      case QUOTE:
        return this.#text();
      default:
        return this.#word();
    }
  }

  #nested(read: () => void): void {
    if (this.#depth >= MAX_DEPTH) {
      throw this.#wrong(`arrays and objects nested deeper than ${MAX_DEPTH}`);
    }
    this.#depth++;
    this.#at++;
    this.#lua.reserve(4);
    read();
    this.#depth--;
  }

  #object(): void {
    const lua = this.#lua;
    lua.newTable();
    if (this.#skip(CLOSE_OBJECT)) return this.#markEmpty();
    do {
      if (this.#peek() !== QUOTE) throw this.#unexpected("a name in quotes");
      this.#text();
      if (!this.#skip(COLON)) throw this.#unexpected('":"');
      this.#value();
      lua.rawSet(-3);
    } while (this.#skip(COMMA));
    if (!this.#skip(CLOSE_OBJECT)) throw this.#unexpected('"," or "}"');
  }

  /** Marks an empty object, so that the writer can tell it from an empty array. */
  #markEmpty(): void {
    const lua = this.#lua;
    lua.newTable(0, 1);
    lua.pushText("object");
    lua.setField(-2, JSON_TYPE);
    lua.setMetatable(-2);
  }

  #array(): void {
    const lua = this.#lua;
    lua.newTable();
    if (this.#skip(CLOSE_ARRAY)) return;
    let n = 0;
    do {
      this.#value();
      lua.rawSetIndex(-2, ++n);
    } while (this.#skip(COMMA));
    if (!this.#skip(CLOSE_ARRAY)) throw this.#unexpected('"," or "]"');
  }

  #text(): void {
    const bytes = this.#bytes;
    const start = this.#at;
    let escaped = false;
    for (let i = start + 1;; i++) {
      const byte = bytes[i];
      if (byte === undefined) throw this.#wrong("unterminated string");
      if (byte < 0x20) {
        this.#at = i;
        throw this.#wrong("unescaped control character in a string");
      }
      if (byte === BACKSLASH) {
        escaped = true;
        i++;
      } else if (byte === QUOTE) {
        if (escaped) this.#lua.pushText(this.#unescaped(bytes.subarray(start, i + 1)));
        else this.#lua.pushBytes(bytes.subarray(start + 1, i));
        this.#at = i + 1;
        return;
      }
    }
  }

  #unescaped(quoted: Uint8Array): string {
    try {
      return JSON.parse(strict.decode(quoted));
    } catch {
      throw this.#wrong("invalid escape in a string");
    }
  }

  /** A number, `true`, `false` or `null`. */
  #word(): void {
    const lua = this.#lua;
    const bytes = this.#bytes;
    let end = this.#at;
    let text = "";
    for (let byte = bytes[end]; isWord(byte) && text.length <= MAX_WORD; byte = bytes[++end]) {
      text += String.fromCharCode(byte);
    }
    const word = WORDS.get(text);
    if (word === null) {
      if (this.#null === undefined) lua.pushNil();
      else lua.pushValue(this.#null);
    } else if (word !== undefined) lua.pushBoolean(word);
    else if (NUMBER.test(text)) {
      const number = Number(text);
      if (!Number.isFinite(number)) throw this.#wrong("a number is too large");
      lua.pushNumber(number);
    } else throw this.#unexpected("a value");
    this.#at = end;
  }

  #unexpected(expected: string): JsonError {
    const byte = this.#bytes[this.#at];
    const found = byte === undefined
      ? "the end"
      : byte > 0x20 && byte < 0x7f
      ? `"${String.fromCharCode(byte)}"`
      : `the byte ${byte}`;
    return this.#wrong(`${expected} expected, not ${found}`);
  }

  #wrong(what: string): JsonError {
    return new JsonError(`byte ${this.#at + 1}: ${what}`);
  }
}

/** Maximum characters of a number. */
const MAX_WORD = 1_000;

/** Letters, digits, `+`, `-` and `.`. */
const isWord = (byte: number | undefined): byte is number =>
  byte !== undefined &&
  ((byte >= 0x30 && byte <= 0x39) || (byte >= 0x61 && byte <= 0x7a) ||
    (byte >= 0x41 && byte <= 0x5a) || byte === 0x2b || byte === 0x2d || byte === 0x2e);
