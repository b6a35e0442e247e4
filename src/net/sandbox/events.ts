// What the sockets of scripts offer, and what they tell.
import type { Address } from "../../common/address.ts";

export interface TcpEvents {
  /** The connection stands. */
  onOpen(local: Address, peer: Address): void;
  onData(bytes: Uint8Array): void;
  /** It ended: by the other end, or with an error. Not called after `close`. */
  onClose(error: string | undefined): void;
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
  /** @returns who hears of the connection, or undefined to close it */
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

/** What an application's sockets are counted in. */
export interface Ledger {
  opened(socket: { close(): void }): void;
  closed(socket: { close(): void }): void;
  hold(bytes: number): boolean;
  release(bytes: number): void;
  full(): boolean;
}
