/** How much of a live stream a client asked for, in milliseconds from the first frame on. VOD-004. */
export class PlayLimit {
  #first: number | undefined;
  #reached = false;

  /**
   * @param length milliseconds; 0 for the first frame alone
   * @param since when the client began to wait for the first frame
   */
  constructor(readonly length: number, readonly since: number) {}

  get begun(): boolean {
    return this.#first !== undefined;
  }

  /** All of it was sent. */
  get reached(): boolean {
    return this.#reached;
  }

  /** Whether a frame of a time in milliseconds is beyond it. */
  excludes(time: number): boolean {
    this.#first ??= time;
    this.#reached ||= ((time - this.#first) | 0) >= Math.max(1, this.length);
    return this.#reached;
  }
}
