import type { Address } from "../common/address.ts";

/** What a {@link DatagramSocket} tells its owner. */
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
 * A UDP socket and the outbox of those who send through it: a datagram is built in place in
 * `buffer()`, taken by `post()`, and on its way after `flush()`.
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
  /** Receives until the socket is closed. What a handler throws ends it. */
  serve(handler: DatagramHandler): Promise<void>;
  /** Sends what was posted and closes; datagrams that would have to wait are dropped. */
  close(): void;
}

/** The longest datagram that is received or sent. */
export const SLOT_SIZE = 2_048;

export function newCounters(): SocketCounters {
  return { received: 0, sent: 0, unsent: 0, oversize: 0, receiveErrors: 0 };
}
