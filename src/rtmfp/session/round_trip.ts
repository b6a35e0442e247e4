import { timestampOf } from "../wire/packet.ts";

/** Maximum age (ms) of a received timestamp that is echoed. */
const MAX_ECHO_AGE = 128_000;
// Retransmission timeouts in ms, and the factor by which one without progress grows.
const FIRST_TIMEOUT = 3000;
const MIN_TIMEOUT = 250;
const MAX_TIMEOUT = 10_000;
const BACK_OFF = 1.4142;

/** Timestamps, their echoes, and the round-trip time from them. RFC 7016 §3.5.2.2. */
export class RoundTrip {
  /** Smoothed, in milliseconds; 0 before the first sample. */
  smoothed = 0;
  variance = 0;
  /** The last sample, in milliseconds. */
  latest = 0;
  /** Measured retransmission timeout, MRTO. */
  measuredTimeout = MIN_TIMEOUT;
  /** Effective retransmission timeout, ERTO. */
  timeout = FIRST_TIMEOUT;
  #sampled = false;
  #received = -1;
  #receivedAt = 0;
  #lastEcho = -1;

  /**
   * Takes timestamp and echo of a packet header, in ticks of 4 ms.
   *
   * @returns whether there is a new sample in {@link latest}
   */
  receive(timestamp: number | undefined, echo: number | undefined, now: number): boolean {
    if (timestamp !== undefined && timestamp !== this.#received) {
      this.#received = timestamp;
      this.#receivedAt = now;
    }
    if (echo === undefined || echo === this.#lastEcho) return false;
    this.#lastEcho = echo;
    const ticks = (timestampOf(now) - echo) & 0xffff;
    if (ticks > 32_767) return false;
    this.#sample(4 * ticks);
    return true;
  }

  /** The timestamp to echo, in ticks of 4 ms; undefined: none. */
  echo(now: number): number | undefined {
    if (this.#received < 0) return undefined;
    const elapsed = now - this.#receivedAt;
    if (elapsed > MAX_ECHO_AGE) {
      this.#received = -1;
      return undefined;
    }
    return (this.#received + Math.floor(elapsed / 4)) & 0xffff;
  }

  /** Whether a packet with this timestamp was sent after the latest one received; true if unknown. */
  isNewer(timestamp: number | undefined): boolean {
    if (timestamp === undefined || this.#received < 0) return true;
    return ((timestamp - this.#received) & 0xffff) < 32_768;
  }

  /** The retransmission timeout expired: lengthens it. */
  backOff(): void {
    this.timeout = Math.max(
      Math.min(this.timeout * BACK_OFF, MAX_TIMEOUT),
      this.measuredTimeout,
    );
  }

  /** The path has changed. */
  reset(): void {
    this.#sampled = false;
    this.smoothed = this.variance = 0;
    this.measuredTimeout = MIN_TIMEOUT;
    this.timeout = FIRST_TIMEOUT;
  }

  #sample(rtt: number): void {
    this.latest = rtt;
    if (this.#sampled) {
      this.variance = (3 * this.variance + Math.abs(this.smoothed - rtt)) / 4;
      this.smoothed = (7 * this.smoothed + rtt) / 8;
    } else {
      this.#sampled = true;
      this.variance = rtt / 2;
      this.smoothed = rtt;
    }
    this.measuredTimeout = this.smoothed + 4 * this.variance + 200;
    this.timeout = Math.max(this.measuredTimeout, MIN_TIMEOUT);
  }
}
