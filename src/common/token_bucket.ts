/**
 * A token bucket, which limits how often something happens: it holds `capacity` tokens at first and at most,
 * and gains `perSecond` tokens a second. Times in milliseconds.
 */
export class TokenBucket {
  #tokens: number;
  /** Time of the last refill; no time passes before the first one. */
  #at = Infinity;

  constructor(readonly capacity: number, readonly perSecond: number) {
    this.#tokens = capacity;
  }

  /** @returns false, and takes none, if fewer tokens are left */
  take(now: number, tokens = 1): boolean {
    this.#refill(now);
    if (this.#tokens < tokens) return false;
    this.#tokens -= tokens;
    return true;
  }

  /** Whether it holds `capacity` tokens, as a new one does. */
  isFull(now: number): boolean {
    this.#refill(now);
    return this.#tokens === this.capacity;
  }

  /** A clock that goes back takes no tokens away. */
  #refill(now: number): void {
    const gained = Math.max(0, now - this.#at) * this.perSecond / 1_000;
    this.#tokens = Math.min(this.capacity, this.#tokens + gained);
    this.#at = now;
  }
}
