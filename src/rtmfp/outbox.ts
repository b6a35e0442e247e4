/**
 * Destination of datagrams, implemented by the owner of the socket. A datagram is built in place in
 * a buffer of the outbox, so that the packet path makes no garbage.
 */
import type { Address } from "../common/address.ts";

export interface Outbox {
  /**
   * A buffer for the next datagram, at least `size` bytes, with arbitrary content. Without {@link post} in between, the next call returns the same one.
   *
   * @returns undefined when the socket is full: try again at the next flush
   */
  buffer(size: number): Uint8Array | undefined;
  /** Minimum number of datagrams that it takes now; {@link buffer} may have room for more. */
  readonly room: number;
  /** Sends the first `length` bytes of the buffer to an address. */
  post(length: number, to: Address): void;
}
