/** Lines of full length that one place in the code may log at once, and each second after that. */
const BURST = 256;
const PER_SECOND = 16;
/** Places that have a budget of their own; all others share one. Scripts can make up places. */
const MAX_PLACES = 512;
/** Milliseconds after which an idle place has its whole budget again, and between two looks for such places. */
const REFILLED = BURST / PER_SECOND * 1_000, SWEEP_INTERVAL = 1_000;
const OTHERS = "";

interface Budget<T> {
  lines: number;
  since: number;
  /** The last line left out, and the number left out since the last summary. */
  left: T | undefined;
  count: number;
}

/**
 * Keeps lines of ever new texts, which clients can cause, from washing everything else out of the log files.
 * Times in milliseconds.
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
    const refill = (now - budget.since) * PER_SECOND / 1_000;
    budget.lines = Math.min(BURST, budget.lines + refill);
    budget.since = now;
    if (budget.lines < share) {
      budget.left = line;
      budget.count++;
      return false;
    }
    budget.lines -= share;
    return true;
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
    const budget = { lines: BURST, since: now, left: undefined, count: 0 };
    this.#budgets.set(place, budget);
    return budget;
  }

  #sweep(now: number): void {
    if (now - this.#sweptAt < SWEEP_INTERVAL) return;
    this.#sweptAt = now;
    for (const [place, { since, count }] of this.#budgets) {
      if (count === 0 && now - since >= REFILLED) this.#budgets.delete(place);
    }
  }
}
