import type { Address } from "../common/address.ts";

/** Events of a {@link DatagramSocket}. */
export interface DatagramHandler {
  /** A datagram; the handler may change the bytes, which are valid until the call returns. */
  receive(datagram: Uint8Array, from: Address): void;
  /** All datagrams that had arrived were received: answer now. */
  settle(): void;
  /** The outbox has room again after `buffer` returned undefined. */
  writable(): void;
}

export interface SocketCounters {
  received: number;
  sent: number;
  /** Datagrams that the system refused to send, mostly because of their address. */
  unsent: number;
  /** Datagrams longer than the receive buffer, dropped. */
  oversize: number;
  receiveErrors: number;
}

/**
 * A UDP socket and its outbox: senders build a datagram in place in `buffer()`, queue it by `post()`, and
 * send it by `flush()`.
 */
export interface DatagramSocket {
  /** The system calls that it uses, for the log. */
  readonly name: string;
  /** Address that it listens on, with the actual port. */
  readonly address: Address;
  readonly counters: Readonly<SocketCounters>;
  /** Datagrams posted that the system has not taken yet. */
  readonly pending: number;
  /** Room for a datagram of up to `size` bytes; undefined until `writable` is called. */
  buffer(size: number): Uint8Array | undefined;
  /** Minimum number of datagrams that it takes now. */
  readonly room: number;
  post(length: number, to: Address): void;
  flush(): void;
  /** Receives until the socket is closed; an exception of a handler ends it. */
  serve(handler: DatagramHandler): Promise<void>;
  /** Sends the posted datagrams and closes; drops datagrams that would have to wait. */
  close(): void;
}

/** Maximum length of a received or sent datagram in bytes. */
export const SLOT_SIZE = 2_048;

export function newCounters(): SocketCounters {
  return { received: 0, sent: 0, unsent: 0, oversize: 0, receiveErrors: 0 };
}
