type Kind = "audio" | "video";

/** Maximum time (ms) by which the first frame of one kind may be earlier than that of the other. */
const MAX_LEAD = 10_000;

/**
 * The times sent to one listener: those of the publication, or shifted to begin at 0.
 * They never go back within a kind, and continue when another publisher begins.
 * Milliseconds modulo 2^32.
 */
export class ListenerClock {
  /** The last times sent. */
  #audio = 0;
  #video = 0;
  /** Added to the publication's times. */
  #offset = 0;
  /** A first time from here on becomes 0; Infinity: never. Set it before the first frame. */
  rebaseFrom = Infinity;
  /** `new`: before the first frame; `waiting`: before the first frame of the present publisher. */
  #state: "new" | "waiting" | "running" = "new";

  /** Another publisher has begun, with unrelated times. */
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

  /** The time of a codec header, which does not set the offset. */
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

  /** Sets the offset at the first frame of the listener or of a new publisher. */
  #start(time: number): void {
    const latest = this.#latest;
    const ahead = (time - latest) | 0;
    const isNew = this.#state === "new";
    const joins = isNew ? time >= this.rebaseFrom : ahead < 0 || this.rebaseFrom < Infinity;
    this.#offset = joins ? -ahead | 0 : 0;
    this.#audio = this.#video = isNew && !joins ? (time - MAX_LEAD) >>> 0 : latest;
    this.#state = "running";
  }
}
