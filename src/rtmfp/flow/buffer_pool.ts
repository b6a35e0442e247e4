/** Pool of buffers for messages that arrive in pieces. */
export class BufferPool {
  /** By the binary logarithm of their length. */
  readonly #free: Uint8Array[][] = [];
  #bytes = 0;

  /** @param most maximum number of bytes kept */
  constructor(readonly most = 8 << 20) {}

  /** A buffer of at least `size` bytes and a power of two, with arbitrary content. */
  take(size: number): Uint8Array {
    const order = Math.max(10, 32 - Math.clz32(Math.max(size - 1, 0)));
    const buffer = this.#free[order]?.pop();
    if (!buffer) return new Uint8Array(2 ** order);
    this.#bytes -= buffer.length;
    return buffer;
  }

  /** Takes back a buffer of {@link take}. */
  give(buffer: Uint8Array): void {
    if (this.#bytes + buffer.length > this.most) return;
    const order = 31 - Math.clz32(buffer.length);
    while (this.#free.length <= order) this.#free.push([]);
    this.#free[order]!.push(buffer);
    this.#bytes += buffer.length;
  }
}
