/** Ms for which a source is refused after too many broken links. */
const BAR_TIMEOUT = 10_000;
/** Maximum broken links of one source within that time: several servers may have one address. */
const MAX_BROKEN = 8;
/** Maximum connections of one source per second; further ones are closed at once. */
const MAX_ARRIVALS = 128;
const SECOND = 1_000;

/** Decides which sources may connect to the port for other servers, so that a refusal costs little. */
export class LinkArrivals {
  /** Refused sources, with the time (ms) of the end of the refusal. */
  readonly #barred = new Map<string, number>();
  /** Times (ms) at which links of each source broke, the latest last. */
  readonly #broken = new Map<string, number[]>();
  #since = -Infinity;
  #bySource = new Map<string, number>();

  /** Counts a connection of a source. @returns whether to accept it */
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

  /** Counts a link of a source that broke because of an invalid message. */
  broke(source: string, now: number): void {
    for (const [other, end] of this.#barred) if (end <= now) this.#barred.delete(other);
    for (const [other, times] of this.#broken) {
      if (times.at(-1)! <= now - BAR_TIMEOUT) this.#broken.delete(other);
    }
    const times = (this.#broken.get(source) ?? []).filter((at) => at > now - BAR_TIMEOUT);
    times.push(now);
    this.#broken.set(source, times);
    if (times.length <= MAX_BROKEN) return;
    this.#barred.set(source, now + BAR_TIMEOUT);
    this.#broken.delete(source);
  }
}
