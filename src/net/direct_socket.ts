import type { Socket } from "node:net";
import type { DirectWriter, DirectWriterSource } from "./native_stream.ts";

/** What writes past each socket. */
const writersPast = new WeakMap<Socket, DirectSocket>();

/** Bytes that were written to the connection of a socket past it. */
export const bytesPast = (socket: Socket): number => writersPast.get(socket)?.sent ?? 0;

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
    writersPast.set(socket, this);
    socket.once("close", () => direct.close());
  }

  /** @returns undefined for TLS, or without own system calls on this machine */
  static of(
    socket: Socket | null,
    writers: DirectWriterSource | undefined,
  ): DirectSocket | undefined {
    if (!socket || socket.destroyed || "encrypted" in socket) return undefined;
    const open = writersPast.get(socket); // by a request before
    if (open) return open;
    const { localAddress, localPort, remoteAddress, remotePort } = socket;
    if (!localAddress || !localPort || !remoteAddress || !remotePort) return undefined;
    const direct = writers?.open({
      local: { hostname: localAddress, port: localPort },
      remote: { hostname: remoteAddress, port: remotePort },
    });
    return direct && new DirectSocket(socket, direct);
  }

  /** Bytes that went past the socket. */
  get sent(): number {
    return this.#sent;
  }

  /** Bytes that wait in the socket. */
  get waiting(): number {
    return this.#socket.writableLength;
  }

  /**
   * @param bytes may change as soon as the call returns
   * @param onTaken called once the system has taken all that it did not take at once
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
