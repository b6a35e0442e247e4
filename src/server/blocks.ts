/** Pool of buffers for writes: a frame for 1,000 players needs 1,000 of them. */
export class Blocks {
  readonly #spare: Uint8Array[] = [];

  /**
   * @param size bytes of a block
   * @param kept maximum number of unused blocks in the pool
   */
  constructor(readonly size: number, readonly kept: number) {}

  take(): Uint8Array {
    return this.#spare.pop() ?? new Uint8Array(this.size);
  }

  give(block: Uint8Array): void {
    if (this.#spare.length < this.kept) this.#spare.push(block);
  }
}
