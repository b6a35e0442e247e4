/** How long a source waits whose server broke the rules of a link, in milliseconds. */
const BAR = 10_000;
/** Connections of one source in a second that are looked at. */
const MAX_ARRIVALS = 128;
const SECOND = 1_000;

/** Which sources may connect to the port for other servers now: a refusal costs as little as possible. */
export class LinkArrivals {
  /** Sources that are refused, with the end of that. */
  readonly #barred = new Map<string, number>();
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

  /** The server of a source broke the rules of a link. */
  bar(source: string, now: number): void {
    for (const [other, end] of this.#barred) if (end <= now) this.#barred.delete(other);
    this.#barred.set(source, now + BAR);
  }
}
