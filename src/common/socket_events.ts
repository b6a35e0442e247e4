// Interfaces of sockets for their users: methods and events.
import type { Address } from "./address.ts";

/** Events of a connection of bytes. */
export interface ByteEvents {
  onData(bytes: Uint8Array): void;
  /** The system has taken all written bytes. */
  onDrain?(): void;
  /** The connection ended: by the other end, or with an error. Not called after `close`. */
  onClose(error: string | undefined): void;
}

export interface TcpEvents extends ByteEvents {
  /** The connection is established. */
  onOpen(local: Address, peer: Address): void;
}

export interface Tcp {
  /** Number of written bytes that the system has not taken yet. */
  readonly unsent: number;
  /**
   * Takes bytes; the caller must not use the array afterwards.
   *
   * @returns the reason for a refusal, or undefined
   */
  write(bytes: Uint8Array): string | undefined;
  close(): void;
}

export interface ListenEvents {
  /** @returns the receiver of the connection's events, or undefined to close it */
  onAccept(connection: Tcp, local: Address, peer: Address): TcpEvents | undefined;
  onError(error: string): void;
}

export interface UdpEvents {
  onDatagram(bytes: Uint8Array, from: Address): void;
  onError(error: string): void;
}

export interface Udp {
  readonly local: Address;
  send(bytes: Uint8Array, hostname: string, port: number): void;
  close(): void;
}
