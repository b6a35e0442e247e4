/** Reason why a datagram, packet, chunk or answer was dropped. */
type DropReason =
  /** No block of ciphertext, or not whole blocks. */
  | "size"
  | "checksum"
  | "hmac"
  /** The session sequence number is missing or damaged. */
  | "sequence"
  /** The session sequence number has been seen, or is too old to tell. */
  | "replay"
  /** Unknown session id. */
  | "session"
  /** The session has ended. */
  | "closed"
  /** Mode 0, or the mode of the wrong end. */
  | "mode"
  /** A packet or chunk that breaks its format. */
  | "format"
  /** A chunk that is not valid in this kind of packet or in this state. */
  | "unexpected"
  /** A hello for another endpoint. */
  | "discriminator"
  /** A hello for a peer that has no session here. */
  | "peer"
  /** A forged or expired cookie. */
  | "cookie"
  /** A failed key agreement: no common group, a bad public value, or unmet requirements. */
  | "keying"
  /** The maximum number of sessions is reached. */
  | "sessions"
  /** Exceeds a limit. */
  | "limit"
  /** The application blocks the source. */
  | "blocked"
  /** A fragment with too many gaps before it, or for an unknown flow. */
  | "fragment";

/** Event counts of an endpoint. */
export class Counters {
  datagramsIn = 0;
  datagramsOut = 0;
  bytesIn = 0;
  bytesOut = 0;
  /** Hellos answered, redirections included. */
  hellos = 0;
  /** Key agreements begun. */
  agreements = 0;
  /** Sessions that received a packet of the far end. */
  sessions = 0;
  /** Addresses that sessions moved to. */
  moves = 0;
  /** Retransmission timeouts. */
  timeouts = 0;
  lostFragments = 0;
  readonly drops: Partial<Record<DropReason, number>> = {};

  drop(reason: DropReason): void {
    this.drops[reason] = (this.drops[reason] ?? 0) + 1;
  }
}
