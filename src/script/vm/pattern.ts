// How long a Lua pattern takes. Lua matches in one instruction, which the time limit cannot interrupt; so the pattern
// functions of scripts ask here first (see sandbox/patterns.lua). Lua 5.4 Reference Manual, §6.4.1.
import { ScriptError } from "./script_error.ts";

/** Maximum steps of a rehearsal, which takes about a second for them. */
const MAX_STEPS = 10_000_000;
/** Maximum depth of a rehearsal, as in Lua. */
const MAX_DEPTH = 200;

const ESCAPE = 0x25, OPEN = 0x28, CLOSE = 0x29, SET = 0x5b, SET_END = 0x5d, DOT = 0x2e;
const CARET = 0x5e, DOLLAR = 0x24, STAR = 0x2a, PLUS = 0x2b, MINUS = 0x2d, QUESTION = 0x3f;
const BALANCE = 0x62, FRONTIER = 0x66;

/**
 * The exponent k of the time n^k that matching a text of n bytes may take: 1 for each repetition, and 1 for a
 * pattern that may match anywhere.
 *
 * @throws {ScriptError} if the pattern is malformed, in Lua's words
 */
export function measure(pattern: Uint8Array): number {
  let repetitions = 0;
  let open = 0;
  const malformed = (what: string) => new ScriptError(`malformed pattern (${what})`);
  for (let i = 0; i < pattern.length; i++) {
    const c = pattern[i];
    if (c === STAR || c === PLUS || c === MINUS || c === QUESTION) repetitions++;
    else if (c === OPEN) open++;
    else if (c === CLOSE && --open < 0) throw new ScriptError("invalid pattern capture");
    else if (c === SET) i = endOfSet(pattern, i);
    else if (c === ESCAPE) {
      const next = pattern[++i];
      if (next === undefined) throw malformed("ends with '%'");
      if (next === BALANCE) {
        if (i + 2 >= pattern.length) throw malformed("missing arguments to '%b'");
        repetitions++;
        i += 2;
      } else if (next === FRONTIER) {
        if (pattern[i + 1] !== SET) throw new ScriptError("missing '[' after '%f' in pattern");
      }
    }
  }
  if (open > 0) throw new ScriptError("unfinished capture");
  return repetitions + (pattern[0] === CARET ? 0 : 1);

  /** Index of the bracket that closes the set opened at `at`. */
  function endOfSet(pattern: Uint8Array, at: number): number {
    let i = pattern[at + 1] === CARET ? at + 2 : at + 1;
    do { // a bracket in first place is an element of the set
      if (pattern[i] === ESCAPE) i++;
      if (i >= pattern.length) throw malformed("missing ']'");
      i++;
    } while (pattern[i] !== SET_END);
    return i;
  }
}

/**
 * Matches as Lua would, to find out whether that takes too long.
 *
 * @param first first position to try, as in scripts: 1 is the first byte, -1 the last one
 * @param all whether to continue after each match
 * @returns the end of the last match, in bytes of the text; -1 without a match
 * @throws {ScriptError} if it takes more than {@link MAX_STEPS}
 */
export function rehearse(
  text: Uint8Array,
  pattern: Uint8Array,
  first: number,
  all: boolean,
): number {
  const start = first < 0 ? Math.max(0, text.length + first) : Math.max(0, first - 1);
  const anchored = pattern[0] === CARET;
  const matcher = new Matcher(text, pattern);
  let last = FAIL;
  for (let at = start; at <= text.length;) {
    matcher.captures.length = 0;
    const end = matcher.match(at, anchored ? 1 : 0, 0);
    if (end !== FAIL) last = end;
    if (anchored || (end !== FAIL && !all)) break;
    at = end !== FAIL && end > at ? end : at + 1;
  }
  return last;
}

const FAIL = -1;
/** Length of a capture that is open, or that is a position. */
const UNCLOSED = -1, POSITION = -2;

class Matcher {
  steps = 0;
  readonly captures: { start: number; length: number }[] = [];

  constructor(readonly text: Uint8Array, readonly pattern: Uint8Array) {}

  /** @returns the end of the match of the pattern from `p` on, or FAIL; Lua reports malformed patterns */
  match(s: number, p: number, depth: number): number {
    const { text, pattern } = this;
    if (depth > MAX_DEPTH) return FAIL;
    for (;;) {
      this.#step();
      if (p >= pattern.length) return s;
      const c = pattern[p];
      if (c === OPEN) return this.#open(s, p, depth);
      if (c === CLOSE) return this.#close(s, p, depth);
      if (c === DOLLAR && p + 1 === pattern.length) return s === text.length ? s : FAIL;
      if (c === ESCAPE) {
        const next = pattern[p + 1];
        if (next === BALANCE) {
          s = this.#balance(s, p + 2);
          if (s === FAIL) return FAIL;
          p += 4;
          continue;
        }
        if (next === FRONTIER) {
          const end = this.#classEnd(p + 2);
          const before = text[s - 1] ?? 0;
          const after = text[s] ?? 0;
          if (this.#inSet(before, p + 2, end - 1) || !this.#inSet(after, p + 2, end - 1)) {
            return FAIL;
          }
          p = end;
          continue;
        }
        if (next !== undefined && next >= 0x30 && next <= 0x39) {
          s = this.#again(s, next - 0x31);
          if (s === FAIL) return FAIL;
          p += 2;
          continue;
        }
      }
      const end = this.#classEnd(p);
      const repetition = pattern[end];
      if (repetition === QUESTION) {
        if (this.#single(s, p, end)) {
          const found = this.match(s + 1, end + 1, depth + 1);
          if (found !== FAIL) return found;
        }
        p = end + 1;
      } else if (repetition === PLUS) {
        return this.#single(s, p, end) ? this.#most(s + 1, p, end, depth) : FAIL;
      } else if (repetition === STAR) {
        return this.#most(s, p, end, depth);
      } else if (repetition === MINUS) {
        return this.#least(s, p, end, depth);
      } else {
        if (!this.#single(s, p, end)) return FAIL;
        s++;
        p = end;
      }
    }
  }

  #step(count = 1): void {
    this.steps += count;
    if (this.steps > MAX_STEPS) throw new ScriptError("pattern takes too long for this text");
  }

  #open(s: number, p: number, depth: number): number {
    const position = this.pattern[p + 1] === CLOSE;
    this.captures.push({ start: s, length: position ? POSITION : UNCLOSED });
    const end = this.match(s, position ? p + 2 : p + 1, depth + 1);
    if (end === FAIL) this.captures.pop();
    return end;
  }

  #close(s: number, p: number, depth: number): number {
    const capture = this.captures.findLast(({ length }) => length === UNCLOSED);
    if (!capture) return FAIL;
    capture.length = s - capture.start;
    const end = this.match(s, p + 1, depth + 1);
    if (end === FAIL) capture.length = UNCLOSED;
    return end;
  }

  #again(s: number, index: number): number {
    const capture = this.captures[index];
    if (!capture || capture.length < 0 || this.text.length - s < capture.length) return FAIL;
    for (let i = 0; i < capture.length; i++) {
      this.#step();
      if (this.text[capture.start + i] !== this.text[s + i]) return FAIL;
    }
    return s + capture.length;
  }

  #balance(s: number, p: number): number {
    const [open, close] = [this.pattern[p], this.pattern[p + 1]];
    if (s >= this.text.length || this.text[s] !== open) return FAIL;
    let depth = 1;
    for (let i = s + 1; i < this.text.length; i++) {
      this.#step();
      const c = this.text[i];
      if (c === close) {
        if (--depth === 0) return i + 1;
      } else if (c === open) depth++;
    }
    return FAIL;
  }

  #most(s: number, p: number, end: number, depth: number): number {
    let count = 0;
    while (this.#single(s + count, p, end)) count++;
    for (; count >= 0; count--) {
      const found = this.match(s + count, end + 1, depth + 1);
      if (found !== FAIL) return found;
    }
    return FAIL;
  }

  #least(s: number, p: number, end: number, depth: number): number {
    for (;;) {
      const found = this.match(s, end + 1, depth + 1);
      if (found !== FAIL) return found;
      if (!this.#single(s, p, end)) return FAIL;
      s++;
    }
  }

  /** End of the single character class that begins at `p`. */
  #classEnd(p: number): number {
    const { pattern } = this;
    const c = pattern[p++];
    if (c === ESCAPE) return p + 1;
    if (c !== SET) return p;
    const start = p;
    if (pattern[p] === CARET) p++;
    do {
      if (p >= pattern.length) return p;
      if (pattern[p++] === ESCAPE) p++;
    } while (pattern[p] !== SET_END);
    this.#step((p - start) >> 4); // Lua scans sets byte by byte
    return p + 1;
  }

  #single(s: number, p: number, end: number): boolean {
    this.#step();
    const c = this.text[s];
    if (c === undefined) return false; // the end of the text
    switch (this.pattern[p]) {
      case DOT:
        return true;
      case ESCAPE:
        return inClass(c, this.pattern[p + 1]);
      case SET:
        return this.#inSet(c, p, end - 1);
      default:
        return this.pattern[p] === c;
    }
  }

  /** Whether the set with brackets at `p` and `last` contains a byte. */
  #inSet(c: number, p: number, last: number): boolean {
    const { pattern } = this;
    let found = true;
    this.#step((last - p) >> 4);
    if (pattern[p + 1] === CARET) {
      found = false;
      p++;
    }
    while (++p < last) {
      if (pattern[p] === ESCAPE) {
        if (inClass(c, pattern[++p])) return found;
      } else if (pattern[p + 1] === MINUS && p + 2 < last) {
        const [low, high] = [pattern[p], pattern[p + 2]];
        if (low !== undefined && high !== undefined && low <= c && c <= high) return found;
        p += 2;
      } else if (pattern[p] === c) return found;
    }
    return !found;
  }
}

/** Whether a byte is in the class of a letter, such as `%a`; for a letter without a class, whether byte and letter are equal. */
function inClass(c: number, letter: number | undefined): boolean {
  if (letter === undefined) return false; // the pattern ends, which Lua reports
  const lower = letter | 0x20;
  let found: boolean;
  switch (String.fromCharCode(lower)) {
    case "a":
      found = isAlpha(c);
      break;
    case "c":
      found = c < 32 || c === 127;
      break;
    case "d":
      found = isDigit(c);
      break;
    case "g":
      found = c > 32 && c < 127;
      break;
    case "l":
      found = c >= 0x61 && c <= 0x7a;
      break;
    case "p":
      found = c > 32 && c < 127 && !isAlpha(c) && !isDigit(c);
      break;
    case "s":
      found = c === 32 || (c >= 9 && c <= 13);
      break;
    case "u":
      found = c >= 0x41 && c <= 0x5a;
      break;
    case "w":
      found = isAlpha(c) || isDigit(c);
      break;
    case "x":
      found = isDigit(c) || ((c | 0x20) >= 0x61 && (c | 0x20) <= 0x66);
      break;
    case "z":
      found = c === 0;
      break;
    default:
      return letter === c;
  }
  if (!isAlpha(letter)) return letter === c;
  return letter === lower ? found : !found;
}

const isAlpha = (c: number) => (c | 0x20) >= 0x61 && (c | 0x20) <= 0x7a;
const isDigit = (c: number) => c >= 0x30 && c <= 0x39;
