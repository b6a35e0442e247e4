/**
 * Where datagrams go: whoever owns the socket implements it, and everything in this room that
 * has something to send writes into it. A datagram is built in place in a buffer of the outbox
 * (no garbage in the packet path).
 */
import type { Address } from "../common/address.ts";

export interface Outbox {
  /**
   * A buffer for the next datagram, at least `size` bytes, with anything in it. Asking again
   * without {@link post} in between gives the same one.
   *
   * @returns undefined when the socket takes no more now: try at the next flush
   */
  buffer(size: number): Uint8Array | undefined;
  /** How many datagrams it takes now at least, one after the other; {@link buffer} may have room for more. */
  readonly room: number;
  /** Sends the first `length` bytes of the buffer to an address. */
  post(length: number, to: Address): void;
}
