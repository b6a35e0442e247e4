/** How often something may happen: so often at once, and so often a second in the long run. */
export class Allowance {
  #left: number;
  #at = -Infinity;

  constructor(readonly burst: number, readonly perSecond: number) {
    this.#left = burst;
  }

  /** @returns false: nothing, or not so much, is left */
  take(now: number, amount = 1): boolean {
    const earned = Math.max(0, now - this.#at) * this.perSecond / 1_000;
    this.#left = Math.min(this.burst, this.#left + earned);
    this.#at = now;
    if (this.#left < amount) return false;
    this.#left -= amount;
    return true;
  }
}
