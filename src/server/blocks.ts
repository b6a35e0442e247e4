/** Buffers for writes, kept for the next: a frame that goes to a thousand players needs as many. */
export class Blocks {
  readonly #spare: Uint8Array[] = [];

  /**
   * @param size bytes of a block
   * @param kept how many that are not in use are kept
   */
  constructor(readonly size: number, readonly kept: number) {}

  take(): Uint8Array {
    return this.#spare.pop() ?? new Uint8Array(this.size);
  }

  give(block: Uint8Array): void {
    if (this.#spare.length < this.kept) this.#spare.push(block);
  }
}
