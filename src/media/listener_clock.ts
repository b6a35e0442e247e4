type Kind = "audio" | "video";

/** How much earlier than the first frame of one kind that of the other may be, in milliseconds. */
const EARLIER = 10_000;

/**
 * The times that one listener is sent: those of the publication, or less so that they begin at 0.
 * They never go back within a kind, and go on from where they were when another publisher begins.
 * Milliseconds modulo 2^32.
 */
export class ListenerClock {
  /** The last times that were sent. */
  #audio = 0;
  #video = 0;
  /** Added to the publication's times. */
  #offset = 0;
  /** Whether times begin at 0; set before the first of them. */
  rebase = false;
  /** No frame was sent, none of the present publisher, or some. */
  #state: "new" | "waiting" | "running" = "new";

  /** Another publisher has begun, whose times may have nothing to do with those before. */
  begin(): void {
    if (this.#state === "running") this.#state = "waiting";
  }

  /** The time to send a frame with. */
  frame(kind: Kind, time: number): number {
    if (this.#state !== "running") this.#start(time);
    const onward = (time + this.#offset) >>> 0;
    if (kind === "audio") {
      return ((this.#audio - onward) | 0) > 0 ? this.#audio : this.#audio = onward;
    }
    return ((this.#video - onward) | 0) > 0 ? this.#video : this.#video = onward;
  }

  /** The time of a codec header: before the first frame it decides on nothing. */
  header(kind: Kind, time: number): number {
    return this.#state === "running" ? this.frame(kind, time) : this.#early(time);
  }

  data(time: number): number {
    return this.#state === "running" ? (time + this.#offset) >>> 0 : this.#early(time);
  }

  #early(time: number): number {
    return this.#state === "new" && !this.rebase ? time : this.#latest;
  }

  get #latest(): number {
    return ((this.#audio - this.#video) | 0) > 0 ? this.#audio : this.#video;
  }

  /** The first frame of the listener, or of a new publisher, decides on the offset. */
  #start(time: number): void {
    const latest = this.#latest;
    const ahead = (time - latest) | 0;
    const isNew = this.#state === "new";
    this.#offset = this.rebase || (!isNew && ahead < 0) ? -ahead | 0 : 0;
    this.#state = "running";
    const first = isNew && !this.rebase ? (time - EARLIER) >>> 0 : latest;
    this.#audio = this.#video = first;
  }
}
