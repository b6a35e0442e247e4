/** A pattern of paths, such as `/live/cam*`; `*` matches any number of characters. */
export class NamePattern {
  readonly #parts: readonly string[];

  constructor(readonly text: string) {
    this.#parts = text.split("*");
  }

  /** Whether the pattern matches the whole path. */
  matches(path: string): boolean {
    const [first = "", ...middle] = this.#parts;
    const last = middle.pop();
    if (last === undefined) return path === first;
    if (!path.startsWith(first) || path.length < first.length + last.length) return false;
    if (!path.endsWith(last)) return false;
    const end = path.length - last.length;
    let at = first.length;
    for (const part of middle) {
      const found = path.indexOf(part, at);
      if (found < 0 || found + part.length > end) return false;
      at = found + part.length;
    }
    return true;
  }

  toString(): string {
    return this.text;
  }
}

/** @returns undefined if the text is not a pattern of paths */
export function parseNamePattern(text: string): NamePattern | undefined {
  return /^\/[^\s/\p{Cc}][^\p{Cc}]*$/u.test(text) ? new NamePattern(text) : undefined;
}
