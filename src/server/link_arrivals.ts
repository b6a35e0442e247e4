/** How long a source waits whose servers broke the rules of links too often, in milliseconds. */
const BAR = 10_000;
/** Broken links of one source within that time before it waits: several servers may be behind one address. */
const MAX_BROKEN = 8;
/** Connections of one source in a second that are looked at. */
const MAX_ARRIVALS = 128;
const SECOND = 1_000;

/** Which sources may connect to the port for other servers now: a refusal costs as little as possible. */
export class LinkArrivals {
  /** Sources that are refused, with the end of that. */
  readonly #barred = new Map<string, number>();
  /** When links of each source broke, the latest last. */
  readonly #broken = new Map<string, number[]>();
  #since = -Infinity;
  #bySource = new Map<string, number>();

  /** Whether a source is neither barred nor floods. */
  allows(source: string, now: number): boolean {
    const barred = this.#barred.get(source);
    if (barred !== undefined && now < barred) return false;
    this.#barred.delete(source);
    if (now - this.#since >= SECOND) {
      this.#since = now;
      this.#bySource = new Map();
    }
    const arrivals = (this.#bySource.get(source) ?? 0) + 1;
    this.#bySource.set(source, arrivals);
    return arrivals <= MAX_ARRIVALS;
  }

  /** A server of a source broke the rules of its link. */
  broke(source: string, now: number): void {
    for (const [other, end] of this.#barred) if (end <= now) this.#barred.delete(other);
    for (const [other, times] of this.#broken) {
      if (times.at(-1)! <= now - BAR) this.#broken.delete(other);
    }
    const times = (this.#broken.get(source) ?? []).filter((at) => at > now - BAR);
    times.push(now);
    this.#broken.set(source, times);
    if (times.length <= MAX_BROKEN) return;
    this.#barred.set(source, now + BAR);
    this.#broken.delete(source);
  }
}
