/** Limit of the duration of a live stream for a client, in milliseconds from the first frame on. VOD-004. */
export class PlayLimit {
  #first: number | undefined;
  #reached = false;

  /**
   * @param length milliseconds; 0 for only the first frame
   * @param since time (ms) at which the client began to wait for the first frame
   */
  constructor(readonly length: number, readonly since: number) {}

  get begun(): boolean {
    return this.#first !== undefined;
  }

  /** Whether all frames within the limit were sent. */
  get reached(): boolean {
    return this.#reached;
  }

  /** Whether a frame with this time (ms) is beyond the limit. */
  excludes(time: number): boolean {
    this.#first ??= time;
    this.#reached ||= ((time - this.#first) | 0) >= Math.max(1, this.length);
    return this.#reached;
  }
}
