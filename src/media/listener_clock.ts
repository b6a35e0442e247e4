type Kind = "audio" | "video";

/** How much earlier than the first frame of one kind that of the other may be, in milliseconds. */
const EARLIER = 10_000;

/**
 * The times that one listener is sent: those of the publication, or shifted so that they begin at 0.
 * They never go back within a kind, and continue when another publisher begins.
 * Milliseconds modulo 2^32.
 */
export class ListenerClock {
  /** The last times that were sent. */
  #audio = 0;
  #video = 0;
  /** Added to the publication's times. */
  #offset = 0;
  /** A first time from here on becomes 0; Infinity: none does. Set before it comes. */
  rebaseFrom = Infinity;
  /** `new`: before the first frame; `waiting`: before the first frame of the present publisher. */
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
    return this.#state === "new" && time < this.rebaseFrom ? time : this.#latest;
  }

  get #latest(): number {
    return ((this.#audio - this.#video) | 0) > 0 ? this.#audio : this.#video;
  }

  /** The first frame of the listener, or of a new publisher, decides on the offset. */
  #start(time: number): void {
    const latest = this.#latest;
    const ahead = (time - latest) | 0;
    const isNew = this.#state === "new";
    const joins = isNew ? time >= this.rebaseFrom : ahead < 0 || this.rebaseFrom < Infinity;
    this.#offset = joins ? -ahead | 0 : 0;
    this.#audio = this.#video = isNew && !joins ? (time - EARLIER) >>> 0 : latest;
    this.#state = "running";
  }
}
