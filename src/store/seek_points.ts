import type { SeekPoint } from "./flv_index.ts";

/** Maximum number of points of a file: then every second one is removed. VOD-106. */
const MAX_POINTS = 100_000;

/** Seek points of a file, in ascending order. */
export class SeekPoints {
  #times: number[] = [];
  #positions: number[] = [];

  get length(): number {
    return this.#times.length;
  }

  /** Time of the last point; -Infinity if there is none. */
  get last(): number {
    return this.#times.at(-1) ?? -Infinity;
  }

  /** Appends a point; ignores one that is not later than the last. */
  add(time: number, position: number): void {
    if (time <= this.last) return;
    if (this.#times.length >= MAX_POINTS) {
      this.#times = this.#times.filter((_, i) => i % 2 === 0);
      this.#positions = this.#positions.filter((_, i) => i % 2 === 0);
    }
    this.#times.push(time);
    this.#positions.push(position);
  }

  /** The last point up to a time; undefined if all are later. */
  before(time: number): SeekPoint | undefined {
    let [low, high] = [0, this.#times.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#times[middle]! <= time) low = middle + 1;
      else high = middle;
    }
    return this.#at(low - 1);
  }

  *values(): Generator<SeekPoint> {
    for (let i = 0;; i++) {
      const point = this.#at(i);
      if (!point) return;
      yield point;
    }
  }

  #at(index: number): SeekPoint | undefined {
    const [time, position] = [this.#times[index], this.#positions[index]];
    return time === undefined || position === undefined ? undefined : { time, position };
  }
}
