/** Length (ms) of a client's buffer by default, and the bounds of a length that a client sets. VOD-041. */
const DEFAULT_BUFFER = 3_000;
const MIN_BUFFER = 1_000;
const MAX_BUFFER = 60_000;
/** A jump back (ms) beyond this restarts the clock: otherwise all later frames would be due at once. */
const MAX_BACK = 1_000;

/** Decides when the frames of a file are due: no earlier than the client's buffer needs. VOD-040. */
export class PlaybackPacing {
  #buffer = DEFAULT_BUFFER;
  /** The media time that was due at the time `#since`, both in ms. */
  #media = 0;
  #since: number;
  #pausedSince: number | undefined;
  /** Media time (ms) up to which frames are due while paused: the picture of a seek. VOD-055. */
  #shown = -1;
  #last = 0;

  constructor(now: number) {
    this.#since = now;
  }

  /** Length of the client's buffer in ms. */
  get buffer(): number {
    return this.#buffer;
  }

  setBuffer(milliseconds: number): void {
    this.#buffer = Math.min(MAX_BUFFER, Math.max(MIN_BUFFER, milliseconds));
  }

  /** Continues at a media time. */
  startAt(media: number, now: number): void {
    this.#media = this.#last = media;
    this.#since = now;
    if (this.#pausedSince === undefined) return;
    this.#pausedSince = now;
    this.#shown = media;
  }

  pause(now: number): void {
    this.#pausedSince ??= now;
  }

  resume(now: number): void {
    if (this.#pausedSince !== undefined) this.#since += now - this.#pausedSince;
    this.#pausedSince = undefined;
    this.#shown = -1;
  }

  /** @returns ms until a frame is due; 0 if it is due now; Infinity while paused */
  wait(media: number, now: number): number {
    if (this.#pausedSince !== undefined) return media <= this.#shown ? 0 : Infinity;
    if (media < this.#last - MAX_BACK && this.#last > this.#media) {
      const slack = Math.max(0, this.#horizon(now) - this.#last);
      this.#media = media + slack - this.#buffer;
      this.#since = now;
    }
    const wait = Math.max(0, media - this.#horizon(now));
    if (wait === 0) this.#last = media;
    return wait;
  }

  #horizon(now: number): number {
    return this.#media + now - this.#since + this.#buffer;
  }
}
