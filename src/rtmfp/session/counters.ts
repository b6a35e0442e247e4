/** Why something that arrived, or should have gone out, was dropped. */
type DropReason =
  /** No block of ciphertext, or not whole blocks. */
  | "size"
  | "checksum"
  | "hmac"
  /** No session sequence number where one belongs, or a damaged one. */
  | "sequence"
  /** The session sequence number has been seen, or is too old to tell. */
  | "replay"
  /** No such session. */
  | "session"
  /** A session that is over. */
  | "closed"
  /** Mode 0, or that of the wrong end. */
  | "mode"
  /** A packet or chunk that breaks its format. */
  | "format"
  /** A chunk that does not belong into this kind of packet, or into this state. */
  | "unexpected"
  /** A hello for somebody else. */
  | "discriminator"
  /** A hello for a peer that is not here. */
  | "peer"
  /** A cookie that was not made here, or too long ago. */
  | "cookie"
  /** A key agreement that cannot be: no common group, a bad public value, demands not met. */
  | "keying"
  /** There are as many sessions as there may be. */
  | "sessions"
  /** More than the limits allow. */
  | "limit"
  /** The application blocks the source. */
  | "blocked"
  /** A fragment with too many gaps before it, or for a flow that is not there. */
  | "fragment";

/** What an endpoint has seen and done. */
export class Counters {
  datagramsIn = 0;
  datagramsOut = 0;
  bytesIn = 0;
  bytesOut = 0;
  /** Hellos answered, in any way. */
  hellos = 0;
  /** Key agreements begun. */
  agreements = 0;
  /** Sessions that got as far as a packet from the far end. */
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
