/** About how many bytes of a string its hash covers. */
const SAMPLES = 12;
/** How many strings of the same hash are compared before a string counts as new. */
const MAX_TRIES = 16;

// An entry of the table.
const NEXT = 0, HASH = 1, START = 2, LENGTH = 3, ENTRY = 4;

/**
 * The strings of a message so far, found by content. An entry is an offset into the bytes of the
 * message, so that no text or copy is made.
 */
export class StringTable {
  #heads = new Int32Array(64); // by hash: 1 + index of the last string that has it
  #entries = new Int32Array(32 * ENTRY); // NEXT: 1 + index of one before that has the same head
  #count = 0;
  #hash = 0;

  clear(): void {
    if (this.#count === 0) return;
    if (this.#heads.length > 1024) {
      this.#heads = new Int32Array(64);
      this.#entries = new Int32Array(32 * ENTRY);
    } else this.#heads.fill(0);
    this.#count = 0;
  }

  /**
   * Index of the string that equals `bytes` from `start` up to `end`, or -1.
   *
   * @param message where the strings are
   */
  find(message: Uint8Array, bytes: Uint8Array, start: number, end: number): number {
    const length = end - start;
    const hash = this.#hash = sample(bytes, start, end);
    const entries = this.#entries;
    let index = this.#heads[hash & (this.#heads.length - 1)]! - 1;
    for (let tries = 0; index >= 0 && tries < MAX_TRIES; tries++) {
      const entry = index * ENTRY;
      if (entries[entry + HASH] === hash && entries[entry + LENGTH] === length) {
        const at = entries[entry + START]!;
        let i = 0;
        while (i < length && message[at + i] === bytes[start + i]) i++;
        if (i === length) return index;
      }
      index = entries[entry + NEXT]! - 1;
    }
    return -1;
  }

  /** Adds the string last looked for with `find`, which is new and starts at `at` in the message. */
  add(at: number, length: number): void {
    if (this.#count * ENTRY === this.#entries.length) this.#grow();
    const entries = this.#entries;
    const place = this.#hash & (this.#heads.length - 1);
    const entry = this.#count * ENTRY;
    entries[entry + NEXT] = this.#heads[place]!;
    entries[entry + HASH] = this.#hash;
    entries[entry + START] = at;
    entries[entry + LENGTH] = length;
    this.#heads[place] = ++this.#count;
  }

  #grow(): void {
    const entries = new Int32Array(2 * this.#entries.length);
    entries.set(this.#entries);
    const heads = new Int32Array(2 * this.#heads.length);
    for (let index = 0; index < this.#count; index++) {
      const place = entries[index * ENTRY + HASH]! & (heads.length - 1);
      entries[index * ENTRY + NEXT] = heads[place]!;
      heads[place] = index + 1;
    }
    this.#entries = entries;
    this.#heads = heads;
  }
}

/** Hash of the length and some bytes, always including the last two: numbered names differ there. */
function sample(bytes: Uint8Array, start: number, end: number): number {
  let hash = end - start;
  const step = 1 + ((end - start) / SAMPLES | 0);
  let i = start;
  for (; i < end; i += step) hash = Math.imul(hash, 31) + bytes[i]! | 0;
  if (step > 1) {
    hash = Math.imul(hash, 31) + bytes[end - 1]! | 0;
    hash = Math.imul(hash, 31) + bytes[end - 2]! | 0;
  }
  return hash ^ hash >>> 15;
}
