/** Number of finished entries at the front after which the array is compacted. */
const DONE = 64;

/** Frames of a channel that were handed out and have not been acknowledged. */
export class InFlight {
  /** Per message: its number in the channel, its length, and the connection's total up to its last byte. */
  readonly #numbers: number[] = [];
  readonly #bytes: number[] = [];
  readonly #ends: number[] = [];
  #first = 0;
  #end = 0;
  /** Number of the last frame that arrived, and total bytes of all that arrived. */
  arrived = 0;
  arrivedBytes = 0;

  /** Number of the first frame; undefined if there is none. */
  get first(): number | undefined {
    return this.#first < this.#end ? this.#numbers[this.#first] : undefined;
  }

  /** @param end total bytes of the connection up to its last byte */
  push(number: number, bytes: number, end: number): void {
    const at = this.#end++;
    this.#numbers[at] = number;
    this.#bytes[at] = bytes;
    this.#ends[at] = end;
  }

  /** This total of the connection's bytes has arrived. @returns whether it completes a frame */
  arrive(bytes: number): boolean {
    const before = this.#first;
    let first = before;
    while (first < this.#end && this.#ends[first]! <= bytes) {
      this.arrivedBytes += this.#bytes[first++]!;
    }
    if (first === before) return false;
    this.arrived = this.#numbers[first - 1]!;
    this.#first = first;
    if (first === this.#end || first >= DONE) this.#moveUp();
    return true;
  }

  #moveUp(): void {
    const left = this.#end -= this.#first;
    const lists = [this.#numbers, this.#bytes, this.#ends];
    if (left > 0) { for (const list of lists) list.copyWithin(0, this.#first); }
    this.#first = 0;
    if (this.#numbers.length > DONE) { for (const list of lists) list.length = left; }
  }
}
