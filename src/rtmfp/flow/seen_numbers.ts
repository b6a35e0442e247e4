/** The sequence numbers of a flow that have arrived or were abandoned. RFC 7016 §3.6.3.2. */
export class SeenNumbers {
  /** All numbers from 0 up to this one are seen. */
  cumulative = 0;
  /** First and last number of each run beyond {@link cumulative}, ascending; undefined: no run. */
  #ranges: number[] | undefined;

  /** Numbers seen beyond {@link cumulative}: `[first, last, first, last, …]`, ascending. Read only. */
  get ranges(): readonly number[] {
    return this.#ranges ?? NONE;
  }

  /** Whether numbers are missing between those that are seen. */
  get gap(): boolean {
    return this.#ranges !== undefined;
  }

  has(number: number): boolean {
    if (number <= this.cumulative) return true;
    const ranges = this.#ranges;
    if (!ranges) return false;
    for (let i = ranges.length - 2; i >= 0; i -= 2) {
      if (number >= ranges[i]!) return number <= ranges[i + 1]!;
    }
    return false;
  }

  /**
   * Adds one number.
   *
   * @param maxRanges maximum number of runs beyond {@link cumulative}
   * @returns false if that would make one run too many: the number is not added
   */
  add(number: number, maxRanges: number): boolean {
    if (number <= this.cumulative) return true;
    if (number === this.cumulative + 1) {
      this.cumulative = number;
      if (this.#ranges) this.#join();
      return true;
    }
    const ranges = this.#ranges ??= [];
    let i = ranges.length; // the run after the place of `number`
    while (i > 0 && number < ranges[i - 2]!) i -= 2;
    if (i > 0 && number <= ranges[i - 1]! + 1) { // in or right behind the run before
      if (number <= ranges[i - 1]!) return true;
      ranges[i - 1] = number;
      if (i < ranges.length && ranges[i] === number + 1) ranges.splice(i - 1, 2);
      return true;
    }
    if (i < ranges.length && ranges[i] === number + 1) {
      ranges[i] = number;
      return true;
    }
    if (ranges.length >= 2 * maxRanges) return false;
    ranges.splice(i, 0, number, number);
    return true;
  }

  /**
   * Adds all numbers up to `number`.
   *
   * @returns the number of new ones
   */
  addUpTo(number: number): number {
    if (number <= this.cumulative) return 0;
    let added = number - this.cumulative;
    const ranges = this.#ranges ?? NONE;
    for (let i = 0; i < ranges.length && ranges[i]! <= number; i += 2) {
      added -= Math.min(ranges[i + 1]!, number) - ranges[i]! + 1;
    }
    this.cumulative = number;
    if (this.#ranges) this.#join();
    return added;
  }

  /** Merges the runs that {@link cumulative} has reached. */
  #join(): void {
    const ranges = this.#ranges!;
    let i = 0;
    while (i < ranges.length && ranges[i]! <= this.cumulative + 1) {
      this.cumulative = Math.max(this.cumulative, ranges[i + 1]!);
      i += 2;
    }
    if (i === ranges.length) this.#ranges = undefined;
    else if (i > 0) ranges.splice(0, i);
  }
}

const NONE: readonly number[] = [];
