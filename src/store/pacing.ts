/** Length (ms) of a client's buffer if it sets none, and the bounds of a length that it sets. VOD-041. */
const BUFFER = 3_000;
const MIN_BUFFER = 1_000;
const MAX_BUFFER = 60_000;
/** A jump back (ms) beyond this restarts the clock: otherwise all later frames would be due at once. */
const MAX_BACK = 1_000;

/** Decides when the frames of a file are due: no earlier than the client's buffer needs. VOD-040. */
export class Pacing {
  #buffer = BUFFER;
  /** Media time and time of the same moment, in milliseconds. */
  #media = 0;
  #since: number;
  #pausedSince: number | undefined;
  /** While paused, frames up to here are due: the picture that was sought. VOD-055. */
  #shown = -1;
  #last = 0;

  constructor(now: number) {
    this.#since = now;
  }

  /** Milliseconds. */
  get buffer(): number {
    return this.#buffer;
  }

  setBuffer(milliseconds: number): void {
    this.#buffer = Math.min(MAX_BUFFER, Math.max(MIN_BUFFER, milliseconds));
  }

  /** Playing continues at a time of the file. */
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

  /** @returns milliseconds until a frame of the file is due; 0 if it is; Infinity while paused */
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
