/**
 * Estimates the bytes of a connection that have reached the client: all that the system has accepted
 * until the client acknowledges; from then on its last acknowledgement plus at most the distance
 * between two of them. RTMP-763.
 */
export class Delivery {
  #taken = 0;
  #acknowledged = 0;
  #interval: number;

  /** @param window acknowledgement window (bytes) sent to the client */
  constructor(window: number) {
    this.#interval = window;
  }

  /** The system has accepted this total of bytes. */
  taken(bytes: number): void {
    this.#taken = bytes;
  }

  /** The client has received this total of bytes. */
  acknowledged(bytes: number): void {
    this.#interval = Math.max(this.#interval, bytes - this.#acknowledged);
    this.#acknowledged = bytes;
  }

  get bytes(): number {
    if (this.#acknowledged === 0) return this.#taken;
    return Math.min(this.#taken, this.#acknowledged + this.#interval);
  }
}
