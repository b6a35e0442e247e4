/**
 * Allocates many short pieces of bytes side by side in larger buffers: a separate buffer takes some
 * 300 bytes more than its content, most of them outside of the heap. A page is freed when none of its
 * pieces is used any more, so use one `Pages` for pieces of about the same lifetime.
 */
export class Pages {
  #page = new Uint8Array(0);
  #used = 0;

  /** @param size of a page, in bytes */
  constructor(readonly size = 4096) {}

  /** `length` zero bytes to write into. */
  take(length: number): Uint8Array {
    if (length > this.size / 4) return new Uint8Array(length);
    if (this.#used + length > this.#page.length) {
      this.#page = new Uint8Array(this.size);
      this.#used = 0;
    }
    const start = this.#used;
    return this.#page.subarray(start, this.#used = start + length);
  }
}
