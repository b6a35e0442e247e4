// Messages between the sockets of scripts and their worker. A post holds all messages since the last one,
// in order: a post costs more than its contents.
import type { Address } from "../../common/address.ts";

/** To the worker. `id` names a socket; the sender of the first message for one chooses it. */
export type ToWorker =
  | { op: "connect"; id: number; hostname: string; port: number; timeout: number }
  | { op: "write"; id: number; bytes: Uint8Array }
  /** With `reply`, a script waits until the port of its server is free. */
  | { op: "close"; id: number; reply?: SharedArrayBuffer }
  /** Allows reading `bytes` more from a connection, or receiving them by a UDP socket. */
  | { op: "credit"; id: number; bytes: number }
  /**
   * `hostnames` are one or both of {@link ANY_ADDRESS}; connections beyond `rate` a second are
   * closed.
   */
  | {
    op: "listen";
    id: number;
    hostnames: readonly string[];
    port: number;
    rate: number;
    reply: SharedArrayBuffer;
  }
  /** With `ipv6Only`, datagrams that came by IPv4 are dropped. */
  | {
    op: "bind";
    id: number;
    hostname: string;
    port: number;
    ipv6Only: boolean;
    reply: SharedArrayBuffer;
  }
  | { op: "send"; id: number; bytes: Uint8Array; hostname: string; port: number };

/** From the worker. Ids of accepted connections are negative. */
export type FromWorker =
  | { ev: "ready" }
  | { ev: "open"; id: number; local: Address; peer: Address }
  | { ev: "data"; id: number; bytes: Uint8Array }
  | { ev: "written"; id: number; bytes: number }
  | { ev: "closed"; id: number; error: string | undefined }
  | { ev: "accepted"; id: number; child: number; local: Address; peer: Address }
  | { ev: "datagram"; id: number; bytes: Uint8Array; from: Address }
  | { ev: "failed"; id: number; error: string };

/** All addresses of this machine; the one of IPv6 means both families on some systems. */
export const ANY_ADDRESS = ["::", "0.0.0.0"] as const;

/** Maximum number of bytes of one connection or UDP socket on their way to the script. */
export const READ_WINDOW = 128 * 1024;

/**
 * Bytes counted for a datagram, a write or a read besides its data: short and empty ones take memory too.
 */
export const MESSAGE_COST = 256;

/**
 * The answer to `listen` and `bind`, for which a script waits: an Int32 state (0 pending, 1 done, 2 refused), the port, the length of a text and the text.
 */
export const REPLY_SIZE = 12 + 1024;
const encoder = new TextEncoder();
const decoder = new TextDecoder();

export function writeReply(reply: SharedArrayBuffer, port: number, error?: string): void {
  const words = new Int32Array(reply, 0, 3);
  words[1] = port;
  if (error !== undefined) {
    const text = encoder.encode(error).subarray(0, 1024);
    new Uint8Array(reply, 12).set(text);
    words[2] = text.length;
  }
  Atomics.store(words, 0, error === undefined ? 1 : 2);
  Atomics.notify(words, 0);
}

/**
 * Waits for an answer, blocking.
 *
 * @returns the port, or the reason of a failure
 */
export function waitReply(reply: SharedArrayBuffer, timeout: number): number | string {
  const words = new Int32Array(reply, 0, 3);
  Atomics.wait(words, 0, 0, timeout);
  const state = Atomics.load(words, 0);
  if (state === 1) return words[1]!;
  if (state === 0) return `no answer within ${timeout} ms`;
  return decoder.decode(new Uint8Array(reply, 12, words[2]).slice());
}
