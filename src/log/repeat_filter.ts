import { TokenBucket } from "../common/token_bucket.ts";

/** Number of equal lines that pass at once, and each second after that. */
const BURST = 20;
const PER_SECOND = 1;
/** Minimum ms between two removals of idle texts. */
const SWEEP_INTERVAL = 1_000;
/** Maximum number of remembered texts, and of their characters; further lines pass. */
const MAX_TEXTS = 512;
const MAX_CHARACTERS = 1 << 20;

interface Repeat<T> {
  readonly passes: TokenBucket;
  /** The last line held back, and the number held back since one passed. */
  held: T | undefined;
  count: number;
}

/** Keeps a repeated line from filling the log. Times in milliseconds. */
export class RepeatFilter<T> {
  readonly #texts = new Map<string, Repeat<T>>();
  #characters = 0;
  #sweptAt = -Infinity;

  /** The characters of all texts that are remembered. */
  get characters(): number {
    return this.#characters;
  }

  /** Whether a line passes. */
  pass(text: string, line: T, now: number): boolean {
    let repeat = this.#texts.get(text);
    if (!repeat) {
      if (!this.#hasRoom(text)) this.#sweep(now);
      repeat = { passes: new TokenBucket(BURST, PER_SECOND), held: undefined, count: 0 };
      if (this.#hasRoom(text)) {
        this.#texts.set(text, repeat);
        this.#characters += text.length;
      }
    }
    if (repeat.passes.take(now)) return true;
    repeat.held = line;
    repeat.count++;
    return false;
  }

  /** Yields the lines held back since the last call, with their counts. */
  *held(): Generator<{ readonly line: T; readonly count: number }> {
    for (const repeat of this.#texts.values()) {
      if (repeat.count === 0) continue;
      const { held, count } = repeat;
      repeat.held = undefined;
      repeat.count = 0;
      yield { line: held!, count };
    }
  }

  #hasRoom(text: string): boolean {
    return this.#texts.size < MAX_TEXTS && this.#characters + text.length <= MAX_CHARACTERS;
  }

  #sweep(now: number): void {
    if (now - this.#sweptAt < SWEEP_INTERVAL) return;
    this.#sweptAt = now;
    for (const [text, repeat] of this.#texts) {
      if (repeat.count > 0 || !repeat.passes.isFull(now)) continue;
      this.#texts.delete(text);
      this.#characters -= text.length;
    }
  }
}
