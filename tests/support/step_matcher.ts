// A matcher of regular expressions that counts its steps. It backtracks like V8's, so its number of steps is proportional to V8's time.

/** A part of an expression. */
export type Part =
  | { readonly kind: "set"; readonly has: (char: string) => boolean; readonly sample: string }
  | { readonly kind: "sequence" | "choice"; readonly parts: readonly Part[] }
  | {
    readonly kind: "repeat";
    readonly part: Part;
    readonly min: number;
    readonly max: number;
    readonly lazy: boolean;
  }
  | { readonly kind: "look"; readonly part: Part; readonly negative: boolean }
  | { readonly kind: "edge"; readonly holds: (text: string, at: number) => boolean };

const CLASSES: Record<string, RegExp> = { d: /\d/, D: /\D/, w: /\w/, W: /\W/, s: /\s/, S: /\S/ };
const CONTROLS: Record<string, string> = { n: "\n", r: "\r", t: "\t", 0: "\0", f: "\f", v: "\v" };
const SAMPLES = [
  "a",
  "0",
  " ",
  "-",
  ".",
  ":",
  "/",
  "A",
  "\n",
  "#",
  "é",
  "_",
  "(",
  "%",
  "\u2028",
  "\x01",
];

/** Parses the syntax that this project's expressions use. @throws {Error} for other syntax */
export class Parser {
  #at = 0;
  constructor(readonly source: string, readonly flags: string) {}

  parse(): Part {
    const part = this.#choice();
    if (this.#at < this.source.length) {
      throw new Error(`Cannot read /${this.source}/ at ${this.#at}`);
    }
    return part;
  }

  #take(text: string): boolean {
    if (!this.source.startsWith(text, this.#at)) return false;
    this.#at += text.length;
    return true;
  }

  #choice(): Part {
    const parts = [this.#sequence()];
    while (this.#take("|")) parts.push(this.#sequence());
    return parts.length === 1 ? parts[0] : { kind: "choice", parts };
  }

  #sequence(): Part {
    const parts: Part[] = [];
    while (this.#at < this.source.length && !"|)".includes(this.source[this.#at])) {
      parts.push(this.#repeated());
    }
    return { kind: "sequence", parts };
  }

  #repeated(): Part {
    const part = this.#atom();
    const [found, few, comma, many] =
      /^(?:[*+?]|\{(\d+)(,?)(\d*)\})/.exec(this.source.slice(this.#at)) ?? [];
    if (found === undefined) return part;
    this.#at += found.length;
    const min = few !== undefined ? Number(few) : found === "+" ? 1 : 0;
    const max = few === undefined
      ? (found === "?" ? 1 : Infinity)
      : comma
      ? Number(many || Infinity)
      : min;
    return { kind: "repeat", part, min, max, lazy: this.#take("?") };
  }

  #atom(): Part {
    if (this.#take("^")) {
      const lines = this.flags.includes("m");
      return { kind: "edge", holds: (text, at) => at === 0 || (lines && text[at - 1] === "\n") };
    }
    if (this.#take("$")) {
      const lines = this.flags.includes("m");
      return {
        kind: "edge",
        holds: (text, at) => at === text.length || (lines && text[at] === "\n"),
      };
    }
    if (this.#take("\\b")) {
      const word = (char: string | undefined) => char !== undefined && /\w/.test(char);
      return { kind: "edge", holds: (text, at) => word(text[at - 1]) !== word(text[at]) };
    }
    for (const [mark, negative] of [["(?=", false], ["(?!", true]] as const) {
      if (this.#take(mark)) return { kind: "look", part: this.#closed(), negative };
    }
    if (this.#take("(?:")) return this.#closed();
    if (/^\(\?<[=!]/.test(this.source.slice(this.#at))) {
      throw new Error(`Cannot look behind in /${this.source}/`);
    }
    if (this.#take("(?<")) this.#at = this.source.indexOf(">", this.#at) + 1;
    else if (!this.#take("(")) return this.#set();
    return this.#closed();
  }

  #closed(): Part {
    const part = this.#choice();
    if (!this.#take(")")) throw new Error(`Cannot read /${this.source}/ at ${this.#at}`);
    return part;
  }

  /** Parses one character or character class. */
  #set(): Part {
    const start = this.#at;
    if (this.#take("[")) {
      for (; this.source[this.#at] !== "]"; this.#at++) {
        if (this.source[this.#at] === "\\") this.#at++;
      }
      this.#at++;
    } else if (this.#take("\\")) {
      const length =
        { x: 3, u: 5, p: this.source.indexOf("}", start) - start - 1 }[this.source[this.#at]] ?? 1;
      if (/[1-9]/.test(this.source[this.#at])) {
        throw new Error(`Cannot refer back in /${this.source}/`);
      }
      this.#at += length;
    } else this.#at += this.source.codePointAt(this.#at)! > 0xffff ? 2 : 1;
    const text = this.source.slice(start, this.#at);
    const flags = this.flags.replace(/[gmy]/g, "");
    const one = new RegExp(`^(?:${text})$`, flags);
    const literal = text.length === 1 ? text : CONTROLS[text[1]] ?? text[1];
    const candidates = [literal, ...SAMPLES, text.slice(1, 2)];
    const sample = candidates.find((char) => one.test(char)) ??
      [...everyChar()].find((char) => one.test(char))!;
    return {
      kind: "set",
      has: CLASSES[text[1]] && text.length === 2 ? (c) => one.test(c) : (c) => one.test(c),
      sample,
    };
  }
}

function* everyChar(): Generator<string> {
  for (let code = 0; code < 0x10000; code++) yield String.fromCharCode(code);
}

/** A short text that a part matches, in most cases. */
export function sampleOf(part: Part): string {
  switch (part.kind) {
    case "set":
      return part.sample;
    case "sequence":
      return part.parts.map(sampleOf).join("");
    case "choice":
      return sampleOf(part.parts[0]);
    case "repeat":
      return sampleOf(part.part).repeat(part.min);
    default:
      return "";
  }
}

type Next = (at: number) => boolean;

/** The matcher has taken too many steps. */
export class TooLong extends Error {}

/** Number of steps that finding all matches in a text takes. @throws {TooLong} after `most` steps */
export function countSteps(part: Part, text: string, most: number): number {
  let steps = 0;
  const run = (part: Part, at: number, next: Next): boolean => {
    if (++steps > most) throw new TooLong();
    switch (part.kind) {
      case "set":
        return at < text.length && part.has(text[at]) && next(at + 1);
      case "edge":
        return part.holds(text, at) && next(at);
      case "look":
        return run(part.part, at, () => true) !== part.negative && next(at);
      case "choice":
        return part.parts.some((one) => run(one, at, next));
      case "sequence": {
        const from = (i: number, at: number): boolean =>
          i === part.parts.length ? next(at) : run(part.parts[i], at, (end) => from(i + 1, end));
        return from(0, at);
      }
      case "repeat":
        return part.part.kind === "set"
          ? repeatSet(part, part.part, at, next)
          : repeat(part, 0, at, next);
    }
  };
  const repeat = (
    part: Part & { kind: "repeat" },
    count: number,
    at: number,
    next: Next,
  ): boolean => {
    const more = () =>
      count < part.max &&
      run(part.part, at, (end) =>
        (end > at || count < part.min) && repeat(part, count + 1, end, next));
    const enough = () => count >= part.min && next(at);
    return part.lazy ? enough() || more() : more() || enough();
  };
  /** Like {@link repeat}, without a nested call for each character. */
  const repeatSet = (
    { min, max, lazy }: Part & { kind: "repeat" },
    { has }: Part & { kind: "set" },
    at: number,
    next: Next,
  ): boolean => {
    const fits = (end: number) => {
      if (++steps > most) throw new TooLong();
      return end - at < max && end < text.length && has(text[end]);
    };
    let end = at;
    if (lazy) {
      for (;; end++) {
        if (end - at >= min && next(end)) return true;
        if (!fits(end)) return false;
      }
    }
    while (fits(end)) end++;
    for (; end - at >= min; end--) {
      if (++steps > most) throw new TooLong();
      if (next(end)) return true;
    }
    return false;
  };
  for (let at = 0; at <= text.length;) {
    let end = -1;
    if (run(part, at, (to) => (end = to, true))) at = Math.max(end, at + 1);
    else at++;
  }
  return steps;
}
