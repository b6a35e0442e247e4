/**
 * How many bytes of a connection have reached the client, as far as can be told: what the system has
 * taken, as long as the client says nothing. A client that acknowledges tells how far it is, and it
 * may be ahead of its last word by as much as lies between two of them. RTMP-763.
 */
export class Delivery {
  #taken = 0;
  #acknowledged = 0;
  #interval: number;

  /** @param window what the client was told to acknowledge at the latest */
  constructor(window: number) {
    this.#interval = window;
  }

  /** The system has taken so many bytes in all. */
  taken(bytes: number): void {
    this.#taken = bytes;
  }

  /** The client has received so many bytes in all. */
  acknowledged(bytes: number): void {
    this.#interval = Math.max(this.#interval, bytes - this.#acknowledged);
    this.#acknowledged = bytes;
  }

  get bytes(): number {
    if (this.#acknowledged === 0) return this.#taken;
    return Math.min(this.#taken, this.#acknowledged + this.#interval);
  }
}
