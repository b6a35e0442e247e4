import type { Address } from "../common/address.ts";

/** Events of a {@link DatagramSocket}. */
export interface DatagramHandler {
  /** A datagram: the bytes are the handler's to change, and gone after the call. */
  receive(datagram: Uint8Array, from: Address): void;
  /** All that had arrived was received: the moment to answer. */
  settle(): void;
  /** There is room again, after `buffer` had none. */
  writable(): void;
}

export interface SocketCounters {
  received: number;
  sent: number;
  /** Datagrams that the system refused to send, because of their address mostly. */
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
  /** Which system calls carry it, for the log. */
  readonly name: string;
  /** Where it listens; the port is the real one. */
  readonly address: Address;
  readonly counters: Readonly<SocketCounters>;
  /** Datagrams posted that the system has not taken yet. */
  readonly pending: number;
  /** Room for a datagram of up to `size` bytes; undefined until `writable` is called. */
  buffer(size: number): Uint8Array | undefined;
  /** How many datagrams there is room for, sure; perhaps for more. */
  readonly room: number;
  post(length: number, to: Address): void;
  flush(): void;
  /** Receives until the socket is closed; an exception of a handler ends it. */
  serve(handler: DatagramHandler): Promise<void>;
  /** Sends the posted datagrams and closes; drops datagrams that would have to wait. */
  close(): void;
}

/** The longest datagram that is received or sent. */
export const SLOT_SIZE = 2_048;

export function newCounters(): SocketCounters {
  return { received: 0, sent: 0, unsent: 0, oversize: 0, receiveErrors: 0 };
}
