// Interfaces of sockets for their users: methods and events.
import type { Address } from "./address.ts";

/** Events of a connection of bytes. */
export interface ByteEvents {
  onData(bytes: Uint8Array): void;
  /** All written bytes are on their way. */
  onDrain?(): void;
  /** The connection ended: by the other end, or with an error. Not called after `close`. */
  onClose(error: string | undefined): void;
}

export interface TcpEvents extends ByteEvents {
  /** The connection stands. */
  onOpen(local: Address, peer: Address): void;
}

export interface Tcp {
  /** Bytes that were taken and are not on their way yet. */
  readonly unsent: number;
  /**
   * Takes bytes, whose array is not the caller's any more.
   *
   * @returns why they were not taken, or undefined
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
