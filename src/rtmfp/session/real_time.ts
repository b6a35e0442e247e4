import type { Session } from "./session.ts";

/** Time (ms) for which a time-critical packet counts. RFC 7016 §3.5.2.1. */
export const REAL_TIME_LINGER = 800;

/** The time-critical traffic of all sessions together. RFC 7016 §3.5.2.1. */
export class RealTime {
  /** Time (ms) at which a time-critical packet was last sent in any session. */
  sentAt = -Infinity;
  #receivedAt = -Infinity;
  #receivedIn: Session | undefined;
  /** The same for the sessions other than #receivedIn. */
  #otherReceivedAt = -Infinity;

  /** A session has received a time-critical packet. */
  received(session: Session, now: number): void {
    if (session !== this.#receivedIn) {
      this.#otherReceivedAt = this.#receivedAt;
      this.#receivedIn = session;
    }
    this.#receivedAt = now;
  }

  /** Whether sessions other than this one receive time-critical packets, which it must tell its far end. */
  receivedElsewhere(session: Session, now: number): boolean {
    const at = session === this.#receivedIn ? this.#otherReceivedAt : this.#receivedAt;
    return now - at < REAL_TIME_LINGER;
  }

  /** A session has ended. */
  forget(session: Session): void {
    if (this.#receivedIn === session) this.#receivedIn = undefined;
  }
}
