import { Frame } from "../media/frame.ts";

const AVC = 7;
const COMMAND = 5;
const BEGIN = 0;
const END = 1;

/**
 * The frames between a key frame and the target of a seek, sent at once. AVC frames are enclosed in video
 * commands, so that Flash shows only the target. VOD-052, FLV E.4.3.1.
 */
export class SeekBurst {
  #codec: number | undefined;

  /** @param target milliseconds */
  constructor(readonly target: number) {}

  /** Whether a frame of this time is after the burst. */
  isOver(time: number): boolean {
    return time >= this.target;
  }

  /** @returns the video command to send before the first frame; undefined later, for an empty frame and other codecs */
  begin(video: Uint8Array): Frame | undefined {
    const [first] = video;
    if (this.#codec !== undefined || first === undefined) return undefined;
    this.#codec = (first & 0x80) === 0 ? first & 15 : -1;
    return this.#command(BEGIN);
  }

  /** @returns the video command to send after the last frame; undefined for other codecs */
  end(): Frame | undefined {
    return this.#command(END);
  }

  #command(value: number): Frame | undefined {
    if (this.#codec !== AVC) return undefined;
    return new Frame("video", this.target, Uint8Array.of(COMMAND << 4 | AVC, value));
  }
}
