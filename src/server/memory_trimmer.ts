/** So many sessions that have come since are worth the work. */
const MANY = 100;
/** The least time between two times, in milliseconds. */
const PAUSE = 10_000;

/**
 * Gives memory back that a rush of handshakes has left unused. What it takes to compile the code
 * that becomes hot in the first of them is more than 1,000 sessions need.
 */
export class MemoryTrimmer {
  #trim: (() => Promise<unknown>) | undefined;
  #sessions = 0;
  #at = -Infinity;

  /** @param trim gives free memory back, without keeping anybody waiting */
  constructor(trim: (() => Promise<unknown>) | undefined) {
    this.#trim = trim;
  }

  /** @param sessions how many there have ever been */
  tick(now: number, sessions: number): void {
    if (!this.#trim || sessions - this.#sessions < MANY || now - this.#at < PAUSE) return;
    this.#sessions = sessions;
    this.#at = now;
    this.#trim().catch(() => this.#trim = undefined);
  }
}
