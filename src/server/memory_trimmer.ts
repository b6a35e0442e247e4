/** Minimum number of new sessions since the last trim. */
const MIN_SESSIONS = 100;
/** Minimum ms between two trims. */
const TRIM_INTERVAL = 10_000;

/**
 * Returns memory to the system after a rush of handshakes. Compiling the code that becomes hot in the
 * first rush takes more memory than 1,000 sessions.
 */
export class MemoryTrimmer {
  #trim: (() => Promise<unknown>) | undefined;
  #sessions = 0;
  #at = -Infinity;

  /** @param trim returns free memory without blocking */
  constructor(trim: (() => Promise<unknown>) | undefined) {
    this.#trim = trim;
  }

  /** @param sessions number of sessions since the start */
  tick(now: number, sessions: number): void {
    if (!this.#trim || sessions - this.#sessions < MIN_SESSIONS) return;
    if (now - this.#at < TRIM_INTERVAL) return;
    this.#sessions = sessions;
    this.#at = now;
    this.#trim().catch(() => this.#trim = undefined);
  }
}
