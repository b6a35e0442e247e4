import { TokenBucket } from "../common/token_bucket.ts";

/** Lines of full length that one place in the code may log at once, and each second after that. */
const BURST = 256;
const PER_SECOND = 16;
/** Places that have a budget of their own; all others share one. Scripts can make up places. */
const MAX_PLACES = 512;
/** Minimum ms between two removals of idle places. */
const SWEEP_INTERVAL = 1_000;
const OTHERS = "";

interface Budget<T> {
  readonly lines: TokenBucket;
  /** The last line left out, and the number left out since the last summary. */
  left: T | undefined;
  count: number;
}

/**
 * Limits the lines of each place, so that a client that causes ever new texts cannot push all other lines out of the
 * log files. Times in milliseconds.
 */
export class PlaceBudget<T> {
  readonly #budgets = new Map<string, Budget<T>>();
  #sweptAt = -Infinity;

  /**
   * Whether a line of a place is written.
   *
   * @param share its length as a share of the longest line that this place may log
   */
  allows(place: string, share: number, line: T, now: number): boolean {
    const budget = this.#of(place, now);
    if (budget.lines.take(now, share)) return true;
    budget.left = line;
    budget.count++;
    return false;
  }

  /** Yields the last line left out of each place since the last call, with the number of lines. */
  *left(): Generator<{ readonly line: T; readonly count: number }> {
    for (const budget of this.#budgets.values()) {
      if (budget.count === 0) continue;
      const { left, count } = budget;
      budget.left = undefined;
      budget.count = 0;
      yield { line: left!, count };
    }
  }

  #of(place: string, now: number): Budget<T> {
    const known = this.#budgets.get(place);
    if (known) return known;
    if (place !== OTHERS && this.#budgets.size >= MAX_PLACES) {
      this.#sweep(now);
      if (this.#budgets.size >= MAX_PLACES) return this.#of(OTHERS, now);
    }
    const budget = { lines: new TokenBucket(BURST, PER_SECOND), left: undefined, count: 0 };
    this.#budgets.set(place, budget);
    return budget;
  }

  #sweep(now: number): void {
    if (now - this.#sweptAt < SWEEP_INTERVAL) return;
    this.#sweptAt = now;
    for (const [place, { lines, count }] of this.#budgets) {
      if (count === 0 && lines.isFull(now)) this.#budgets.delete(place);
    }
  }
}
