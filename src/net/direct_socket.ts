import type { Socket } from "node:net";
import type { DirectWriter, DirectWriterSource } from "./native_stream.ts";

/** The direct writer of each socket. */
const directWriters = new WeakMap<Socket, DirectSocket>();

/** Number of bytes written directly to the connection of a socket. */
export const directBytes = (socket: Socket): number => directWriters.get(socket)?.sent ?? 0;

/**
 * Writes directly to the connection of a socket of node:net while the socket's queue is empty. Otherwise,
 * and for the bytes that the system does not take at once, it appends to that queue.
 */
export class DirectSocket {
  readonly #socket: Socket;
  readonly #direct: DirectWriter;
  #sent = 0;

  private constructor(socket: Socket, direct: DirectWriter) {
    this.#socket = socket;
    this.#direct = direct;
    directWriters.set(socket, this);
    socket.once("close", () => direct.close());
  }

  /** @returns undefined for TLS, or where direct writes are unavailable */
  static of(
    socket: Socket | null,
    writers: DirectWriterSource | undefined,
  ): DirectSocket | undefined {
    if (!socket || socket.destroyed || "encrypted" in socket) return undefined;
    const open = directWriters.get(socket); // of an earlier request
    if (open) return open;
    const { localAddress, localPort, remoteAddress, remotePort } = socket;
    if (!localAddress || !localPort || !remoteAddress || !remotePort) return undefined;
    const direct = writers?.open({
      local: { hostname: localAddress, port: localPort },
      remote: { hostname: remoteAddress, port: remotePort },
    });
    return direct && new DirectSocket(socket, direct);
  }

  /** Number of bytes written directly. */
  get sent(): number {
    return this.#sent;
  }

  /** Number of bytes that wait in the socket's queue. */
  get waiting(): number {
    return this.#socket.writableLength;
  }

  /**
   * @param bytes may change as soon as the call returns
   * @param onTaken called once the system has taken the queued rest; not called if it took all at once
   */
  write(bytes: Uint8Array, onTaken?: () => void): void {
    const socket = this.#socket;
    if (socket.destroyed || !socket.writable) return;
    const { length } = bytes;
    const sent = socket.writableLength === 0 ? this.#direct.send(bytes, length) : 0;
    this.#sent += sent;
    if (sent < length) socket.write(bytes.slice(sent), () => onTaken?.());
  }
}
