/**
 * Destination of datagrams, implemented by the owner of the socket. A datagram is built in place in
 * a buffer of the outbox, so that the packet path makes no garbage.
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
