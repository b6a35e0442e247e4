// `goto` as Lua 5.1 and LuaJIT read it. In 5.1 it is a name like any other; LuaJIT takes it for a statement
// only where one may begin and a name follows. Lua 5.4 reserves the word, so the machine reserves another of
// the same length, and statements that jump are written with that one before they are compiled.
import { toUtf8 } from "../../bytes/text.ts";
import { ScriptError } from "./script_error.ts";

/** The word that the machine reserves. As long as `goto`, so that no byte of a source moves. */
const RESERVED = "_0g0";
const GOTO = "goto";
const goto = toUtf8(GOTO);
const reserved = toUtf8(RESERVED);

/** Lua's constants are in this many first bytes of its memory. */
const CONSTANTS = 1 << 16;

/**
 * Makes Lua reserve another word than `goto`. Call before a state is made.
 *
 * @throws {ScriptError} if this build of Lua does not keep its reserved words as expected
 */
export function freeGoto(memory: WebAssembly.Memory): void {
  const constants = new Uint8Array(memory.buffer, 0, CONSTANTS);
  const word = toUtf8(`\0${GOTO}\0`);
  let found = 0;
  for (let at = constants.indexOf(0); at >= 0; at = constants.indexOf(0, at + 1)) {
    if (!word.every((byte, i) => constants[at + i] === byte)) continue;
    constants.set(reserved, at + 1);
    found++;
  }
  if (found !== 1) throw new ScriptError("this build of Lua keeps its reserved words elsewhere");
}

/** A message of the compiler, with `goto` for the word that stands for it. */
export const withGoto = (message: string): string => message.replaceAll(RESERVED, GOTO);

/**
 * Writes statements that jump with the reserved word. Lines, columns and length stay the same; a source without
 * such a statement is returned itself.
 */
export function markGotos(source: Uint8Array): Uint8Array {
  if (indexOfGoto(source) < 0) return source;
  let marked: Uint8Array | undefined;
  const before: string[] = []; // the last tokens, newest last
  const tokens = new Tokens(source);
  let token = tokens.next();
  while (token !== "") {
    const at = tokens.start;
    const following = tokens.next();
    if (token === GOTO && isName(following) && statementMayFollow(before)) {
      marked ??= source.slice();
      marked.set(reserved, at);
    }
    before.push(token);
    if (before.length > 5) before.shift();
    token = following;
  }
  return marked ?? source;
}

function indexOfGoto(source: Uint8Array): number {
  const first = GOTO.charCodeAt(0);
  for (let at = source.indexOf(first); at >= 0; at = source.indexOf(first, at + 1)) {
    if (goto.every((byte, i) => source[at + i] === byte)) return at;
  }
  return -1;
}

/** Stands for any text or number. */
const LITERAL = '"';
/** Words after which an expression, a name or a list comes; after any other word a statement may begin. */
const OPENING = new Set(
  "and elseif for function if in local not or return until while".split(" "),
);
const KEYWORDS = new Set([
  ...OPENING,
  ..."break do else end false nil repeat then true".split(" "),
]);
/** Tokens that end an expression or a statement, besides names, words and literals. */
const ENDING = new Set([")", "]", "}", ";", "::", "...", LITERAL]);

const isName = (token: string) => /^[A-Za-z_]/.test(token) && !KEYWORDS.has(token);

function statementMayFollow(before: readonly string[]): boolean {
  const last = before.at(-1);
  if (last === undefined) return true;
  if (/^[A-Za-z_]/.test(last)) return !OPENING.has(last);
  if (last !== ">") return ENDING.has(last);
  // `local name <const>`, as 5.4 has it, or a comparison
  const [local, , less, attribute] = before;
  return local === "local" && less === "<" && (attribute === "const" || attribute === "close");
}

/** Splits a Lua source into the tokens needed to find statements. Lua 5.4 Reference Manual, §3.1. */
class Tokens {
  #at = 0;
  /** Index in the source of the last token. */
  start = 0;
  constructor(readonly source: Uint8Array) {}

  /** The next token; {@link LITERAL} for any text or number; "" at the end. */
  next(): string {
    const { source } = this;
    for (;;) {
      let byte = source[this.#at];
      while (byte !== undefined && byte <= 0x20) byte = source[++this.#at];
      this.start = this.#at;
      if (byte === undefined) return "";
      const following = source[this.#at + 1];
      if (byte === 0x2d && following === 0x2d) { // --
        this.#at += 2;
        if (!this.#longText()) this.#skipLine();
        continue;
      }
      if (isLetter(byte)) return this.#word();
      if (isDigit(byte) || byte === 0x2e && isDigit(following)) return this.#number();
      if (byte === 0x22 || byte === 0x27) return this.#text(byte);
      if (byte === 0x5b && this.#longText()) return LITERAL;
      return this.#sign();
    }
  }

  #word(): string {
    const { source } = this;
    let text = "";
    for (let byte = source[this.#at]; isOfName(byte); byte = source[++this.#at]) {
      text += String.fromCharCode(byte);
    }
    return text;
  }

  #number(): string {
    const { source } = this;
    for (;; this.#at++) {
      const byte = source[this.#at];
      const sign = byte === 0x2b || byte === 0x2d; // of an exponent
      if (sign && !EXPONENTS.has(source[this.#at - 1])) break;
      if (!sign && byte !== 0x2e && !isLetter(byte) && !isDigit(byte)) break;
    }
    return LITERAL;
  }

  #text(quote: number): string {
    const { source } = this;
    for (this.#at++; this.#at < source.length; this.#at++) {
      const byte = source[this.#at];
      if (byte === 0x5c) this.#at++; // a backslash
      else if (byte === quote || byte === 0x0a) break;
    }
    this.#at++;
    return LITERAL;
  }

  /** Goes past `[[…]]` or `[=[…]=]` if one stands here. */
  #longText(): boolean {
    const { source } = this;
    let level = 0;
    if (source[this.#at] !== 0x5b) return false;
    while (source[this.#at + 1 + level] === 0x3d) level++;
    if (source[this.#at + 1 + level] !== 0x5b) return false;
    for (let at = this.#at + level + 2;; at++) {
      at = source.indexOf(0x5d, at);
      if (at < 0) break;
      let closing = 0;
      while (source[at + 1 + closing] === 0x3d) closing++;
      if (closing !== level || source[at + 1 + closing] !== 0x5d) continue;
      this.#at = at + level + 2;
      return true;
    }
    this.#at = source.length;
    return true;
  }

  #skipLine(): void {
    const end = this.source.indexOf(0x0a, this.#at);
    this.#at = end < 0 ? this.source.length : end;
  }

  /** Reads the two relevant signs of several characters: `::` and `...`. */
  #sign(): string {
    const { source } = this;
    const text = String.fromCharCode(...source.subarray(this.#at, this.#at + 3));
    const sign = text === "..." ? text : text.startsWith("::") ? "::" : text.slice(0, 1);
    this.#at += sign.length;
    return sign;
  }
}

/** Letters before the sign of an exponent. */
const EXPONENTS: ReadonlySet<number | undefined> = new Set(toUtf8("eEpP"));

const isDigit = (byte: number | undefined): boolean =>
  byte !== undefined && byte >= 0x30 && byte <= 0x39;
const isLetter = (byte: number | undefined): boolean =>
  byte !== undefined &&
  (byte >= 0x41 && byte <= 0x5a || byte >= 0x61 && byte <= 0x7a || byte === 0x5f);
const isOfName = (byte: number | undefined): byte is number => isLetter(byte) || isDigit(byte);
