// Makes one clock for all listeners of the times of a publisher, which may restart at any moment: an
// encoder restarts behind a relay, a file plays again, a counter wraps.

/** Maximum step back (ms) that counts as jitter; a larger one is a restart. */
const JITTER = 1000;
/** Maximum distance (ms) of audio and video on the same clock. */
const NEAR = 3000;
/** Some publishers count in 31 bits: a time within WRAP ms of HALF is followed by one within WRAP ms of 0. */
const HALF = 2 ** 31;
const WRAP = 10_000;

/** The clock of audio, or of video: each restarts at its own moment, on its own flow. */
interface Lane {
  started: boolean;
  /** The publisher's highest time since its latest restart. */
  high: number;
  /** The last time sent. */
  last: number;
  /** Milliseconds to add to the publisher's times. */
  offset: number;
  /** Number of the restart that the offset belongs to. */
  beginning: number;
}

/**
 * The times of a publication: those of its publisher, but never going back within a kind. After a
 * restart they continue, audio and video in sync if they were before.
 * All times are milliseconds modulo 2^32.
 */
export class Timeline {
  readonly #audio = lane();
  readonly #video = lane();
  #beginnings = 0;
  /** The offset before the latest restart. */
  #before = 0;

  /** The time of a frame. */
  frame(kind: "audio" | "video", time: number): number {
    const own = kind === "audio" ? this.#audio : this.#video;
    if (!own.started) {
      this.#start(own, kind === "audio" ? this.#video : this.#audio, time);
    } else {
      const ahead = (time - own.high) | 0;
      if (ahead > 0) own.high = time;
      else if (ahead < -JITTER) {
        this.#beginAnew(own, kind === "audio" ? this.#video : this.#audio, time);
      }
    }
    const onward = (time + own.offset) >>> 0;
    if (((own.last - onward) | 0) > 0) return own.last;
    return own.last = onward;
  }

  /** The time of a message that is not a frame, such as a codec header: publishers often send them with time 0. */
  aside(kind: "audio" | "video", time: number): number {
    const own = kind === "audio" ? this.#audio : this.#video;
    if (!own.started) return time;
    const onward = (time + own.offset) >>> 0;
    const ahead = (onward - own.last) | 0;
    return ahead >= 0 && ahead <= JITTER ? onward : own.last;
  }

  /** The time of data, which many publishers send with time 0. */
  data(time: number): number {
    const { last } = this;
    if (last === undefined) return time;
    const [audio, video] = [this.#audio, this.#video];
    const { offset } = audio.beginning > video.beginning ? audio : video;
    const onward = (time + offset) >>> 0;
    return distance(onward, last) <= WRAP ? onward : last;
  }

  /** The last time sent, of either kind; undefined before the first frame. */
  get last(): number | undefined {
    const [audio, video] = [this.#audio, this.#video];
    if (!audio.started) return video.started ? video.last : undefined;
    return video.started && ((video.last - audio.last) | 0) > 0 ? video.last : audio.last;
  }

  /** The first frame of a kind belongs to the restart of the other kind that it is nearer to. */
  #start(own: Lane, other: Lane, time: number): void {
    own.started = true;
    own.high = time;
    if (other.started) {
      const old = distance(time + this.#before, other.last);
      const isOld = other.beginning > 0 && old < distance(time + other.offset, other.last);
      own.offset = isOld ? this.#before : other.offset;
      own.beginning = isOld ? other.beginning - 1 : other.beginning;
    }
    own.last = (time + own.offset) >>> 0;
  }

  #beginAnew(own: Lane, other: Lane, time: number): void {
    const before = own.high;
    own.high = time;
    if (before < HALF && before >= HALF - WRAP && time < WRAP) {
      own.offset = (own.offset + HALF) | 0;
      return;
    }
    const began = other.started && other.beginning > own.beginning;
    if (began && distance(time + other.offset, own.last) <= NEAR) {
      own.offset = other.offset;
      own.beginning = other.beginning;
      return;
    }
    let latest = own.last;
    const ahead = (other.last - latest) | 0;
    if (other.started && ahead > 0 && ahead <= NEAR) latest = other.last;
    this.#before = own.offset;
    own.offset = (latest - time) | 0;
    own.beginning = ++this.#beginnings;
  }
}

const lane = (): Lane => ({ started: false, high: 0, last: 0, offset: 0, beginning: 0 });

const distance = (a: number, b: number): number => Math.abs((a - b) | 0);
