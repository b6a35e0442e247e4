// The progress line of publishing and playing.

/** Counters since the start. */
export interface Progress {
  /** Stream time of the newest frame, in milliseconds. */
  time: number;
  videoFrames: number;
  audioFrames: number;
  /** Bytes of audio and video data. */
  bytes: number;
  /** Smoothed round trip in milliseconds; 0 while unknown. */
  roundTrip: number;
}

/** `h:mm:ss.t` of a time in milliseconds. */
export function clockText(milliseconds: number): string {
  const tenths = Math.floor(milliseconds / 100);
  const two = (value: number) => String(value).padStart(2, "0");
  const seconds = Math.floor(tenths / 10);
  const [h, m, s] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60];
  return `${h}:${two(m)}:${two(s)}.${tenths % 10}`;
}

/**
 * One line: time, frames, bit rate and round trip, the longest form that fits.
 *
 * @param bitRate in bits per second
 * @param columns of the line
 */
export function progressText(progress: Progress, bitRate: number, columns = Infinity): string {
  const { time, videoFrames, audioFrames, roundTrip } = progress;
  const clock = clockText(time);
  const rate = bitRate < 999_500
    ? `${Math.round(bitRate / 1000)} kb/s`
    : `${(bitRate / 1e6).toFixed(2)} Mb/s`;
  const rtt = roundTrip > 0 ? `${Math.round(roundTrip)} ms` : "-";
  const shortest = `${clock}  ${rate}`;
  const forms = [
    `${clock}  video ${videoFrames}  audio ${audioFrames}  ${rate}  rtt ${rtt}`,
    `${clock}  v ${videoFrames}  a ${audioFrames}  ${rate}`,
    shortest,
  ];
  return forms.find(({ length }) => length <= columns) ?? shortest.slice(0, columns);
}

/** A terminal, or any other output of text. */
export interface ProgressOutput {
  write(text: string): void;
  /** Whether a line can be overwritten. */
  readonly isTerminal: boolean;
  /** Characters of a line of a terminal. */
  readonly columns?: number;
}

/** Prints progress: on a terminal one line that it overwrites, elsewhere a line every 5 s. */
export class ProgressLine {
  /** Times and byte counts of the last seconds, oldest first, for the bit rate. */
  #samples: { at: number; bytes: number }[] = [];
  #printedAt = -Infinity;
  #open = false;

  constructor(readonly output: ProgressOutput) {}

  /** Interval (ms) of calls of {@link show}. */
  static readonly period = 250;

  /** Shows `progress` at `now` (ms), if it is due. */
  show(progress: Progress, now: number): void {
    const newest = { at: now, bytes: progress.bytes };
    this.#samples.push(newest);
    // The rate covers the time since the latest sample that is 2 s old.
    this.#samples.splice(0, Math.max(0, this.#samples.findLastIndex(({ at }) => now - at >= 2000)));
    const { isTerminal, columns = 80 } = this.output;
    if (!isTerminal && now - this.#printedAt < 5000) return;
    this.#printedAt = now;
    const [first = newest] = this.#samples;
    const elapsed = now - first.at;
    const rate = elapsed > 0 ? (progress.bytes - first.bytes) * 8000 / elapsed : 0;
    // Some terminals wrap a line that reaches the last column.
    const text = progressText(progress, rate, isTerminal ? columns - 1 : Infinity);
    this.output.write(isTerminal ? `\r\x1b[K${text}` : `${text}\n`);
    this.#open = isTerminal;
  }

  /** Prints a line of its own, above the progress on a terminal. */
  say(text: string): void {
    this.output.write(this.#open ? `\r\x1b[K${text}\n` : `${text}\n`);
    this.#open = false;
  }
}

/** Standard error; standard output is for results. */
export const standardError: ProgressOutput = {
  write(text) {
    const bytes = new TextEncoder().encode(text);
    for (let at = 0; at < bytes.length;) at += Deno.stderr.writeSync(bytes.subarray(at));
  },
  get isTerminal() {
    return Deno.stderr.isTerminal();
  },
  get columns() {
    try {
      return Deno.consoleSize().columns || 80;
    } catch {
      return 80;
    }
  },
};
