/** How many of the bytes of a string its hash looks at, about. */
const SAMPLES = 32;
/** How many strings of the same hash are compared before a string counts as new. */
const TRIES = 16;

/**
 * The strings that a message has by now, found by what they say. They are kept as places in the
 * bytes of the message, so that neither texts nor copies are made of them.
 */
export class StringTable {
  #heads = new Int32Array(64); // by hash: 1 + index of the last string that has it
  #nexts: number[] = []; // by index: 1 + index of one before that has the same place in #heads
  #hashes: number[] = [];
  #starts: number[] = [];
  #lengths: number[] = [];
  #hash = 0;

  clear(): void {
    if (this.#nexts.length === 0) return;
    if (this.#heads.length > 1024) this.#heads = new Int32Array(64);
    else this.#heads.fill(0);
    this.#nexts.length =
      this.#hashes.length =
      this.#starts.length =
      this.#lengths.length =
        0;
  }

  /**
   * Index of the string that equals `bytes` from `start` up to `end`, or -1.
   *
   * @param message where the strings are
   */
  find(message: Uint8Array, bytes: Uint8Array, start: number, end: number): number {
    const length = end - start;
    const step = 1 + Math.floor(length / SAMPLES);
    let hash = length;
    for (let i = start; i < end; i += step) hash = Math.imul(hash, 31) + bytes[i] | 0;
    hash ^= hash >>> 15;
    this.#hash = hash;
    let index = this.#heads[hash & (this.#heads.length - 1)] - 1;
    for (let tries = 0; index >= 0 && tries < TRIES; index = this.#nexts[index] - 1, tries++) {
      if (this.#hashes[index] !== hash || this.#lengths[index] !== length) continue;
      const at = this.#starts[index];
      let i = 0;
      while (i < length && message[at + i] === bytes[start + i]) i++;
      if (i === length) return index;
    }
    return -1;
  }

  /** Adds the string last looked for with `find`, which is new and starts at `at` in the message. */
  add(at: number, length: number): void {
    if (this.#nexts.length === this.#heads.length) this.#grow();
    const place = this.#hash & (this.#heads.length - 1);
    this.#nexts.push(this.#heads[place]);
    this.#hashes.push(this.#hash);
    this.#starts.push(at);
    this.#lengths.push(length);
    this.#heads[place] = this.#nexts.length;
  }

  #grow(): void {
    const heads = new Int32Array(4 * this.#heads.length);
    for (let index = 0; index < this.#nexts.length; index++) {
      const place = this.#hashes[index] & (heads.length - 1);
      this.#nexts[index] = heads[place];
      heads[place] = index + 1;
    }
    this.#heads = heads;
  }
}
