import type { Frame } from "./frame.ts";

/** Memory of a kept frame besides its payload, in bytes. */
const FRAME = 200;
/** Maximum age (ms, media time) of kept frames. */
const MAX_AGE = 30_000;

interface TimedFrame {
  readonly frame: Frame;
  readonly time: number;
}

/** Number of bytes that all {@link RecentFrames} of a server keep, and its limits. */
export class RecentBytes {
  used = 0;

  /**
   * @param ofOne maximum bytes per publication; 0 keeps nothing
   * @param ofAll maximum bytes of all together
   */
  constructor(readonly ofOne: number, readonly ofAll: number) {}
}

/**
 * The audio and video of a publication since its last key frame, so that a late listener sees a
 * picture at once. If these exceed a limit, listeners start at the next key frame.
 */
export class RecentFrames {
  #frames: TimedFrame[] = [];
  #bytes = 0;
  readonly #all: RecentBytes;

  constructor(all: RecentBytes) {
    this.#all = all;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** In order of arrival, from a key frame on; empty if a limit was exceeded since. */
  get frames(): readonly TimedFrame[] {
    return this.#frames;
  }

  /** @param time of the publication's timeline */
  add(frame: Frame, time: number): void {
    const { ofOne, ofAll } = this.#all;
    if (ofOne === 0) return;
    const isKey = frame.kind === "video" && frame.role === "key";
    const first = this.#frames[0];
    if (isKey) this.clear();
    else if (!first) return;
    else if (((time - first.time) | 0) > MAX_AGE) return this.clear();
    const bytes = frame.payload.length + FRAME;
    if (this.#bytes + bytes > ofOne || this.#all.used + bytes > ofAll) return this.clear();
    this.#frames.push({ frame, time });
    this.#bytes += bytes;
    this.#all.used += bytes;
  }

  clear(): void {
    this.#all.used -= this.#bytes;
    this.#bytes = 0;
    if (this.#frames.length > 0) this.#frames = [];
  }
}
