import { TcpConnection } from "../net/tcp.ts";
import type { WebSocketConnection } from "../net/web_server.ts";
import type { DoorHost } from "./doors.ts";

/** Maximum ms for a script's server to accept a connection. */
const CONNECT_TIMEOUT = 5_000;
/** Maximum bytes, and messages, of a client that wait for the connection. */
const MAX_EARLY = 65_536;
const MAX_EARLY_MESSAGES = 1_024;
/** Maximum bytes that wait for the script; above it, the gate does not read from the client. */
const MAX_UNSENT = 1 << 20;
/** Maximum bytes that wait for the client; above it, the gate closes the connection. */
const MAX_BUFFERED = 4 << 20;
/** WebSocket close codes. */
const TRY_AGAIN_LATER = 1013;
const POLICY = 1008;

/**
 * Connects WebSockets with the TCP servers of scripts, as Ruffle's socketProxy needs for Flash's Socket and
 * XMLSocket. WEB-404 to WEB-407.
 */
export class TcpGate {
  readonly #host: DoorHost;
  readonly #sockets = new Set<WebSocketConnection>();

  constructor(host: DoorHost) {
    this.#host = host;
  }

  get size(): number {
    return this.#sockets.size;
  }

  /** The port of a path `/tcp/PORT`, or the reason why WebSockets may not reach it. */
  portOf(path: string): number | string {
    const port = Number(/^\/tcp\/(\d{1,5})$/.exec(path)?.[1] ?? NaN);
    if (!this.#host.config()["web.sockets"].includes(port)) {
      return "This port is not in [web] sockets";
    }
    return this.#host.listens(port) ? port : `No script listens on port ${port}`;
  }

  /** @param leave called once when the WebSocket has closed */
  async open(socket: WebSocketConnection, port: number, leave: () => void): Promise<void> {
    let connection: TcpConnection | undefined;
    let early: Uint8Array[] = [];
    let earlyBytes = 0;
    let over = false;
    /** Whether the client's first message is text: then the gate sends text to it. */
    let isText: boolean | undefined;
    const end = (code: number, reason = "") => {
      if (over) return;
      over = true;
      this.#sockets.delete(socket);
      connection?.close();
      socket.close(code, reason);
      leave();
    };
    this.#sockets.add(socket);
    socket.start({
      onMessage: (message) => {
        isText ??= typeof message === "string";
        const bytes = typeof message === "string"
          ? new TextEncoder().encode(message)
          : message.slice();
        if (connection) {
          connection.write(bytes);
          if (connection.unsent > MAX_UNSENT) socket.pause();
          return;
        }
        earlyBytes += bytes.length;
        if (earlyBytes > MAX_EARLY || early.length >= MAX_EARLY_MESSAGES) {
          return end(POLICY, "too much data before the connection is open");
        }
        early.push(bytes);
      },
      onClose: () => end(1000),
    });
    try {
      connection = await TcpConnection.connect("127.0.0.1", port, CONNECT_TIMEOUT);
    } catch {
      return end(TRY_AGAIN_LATER, `the server on port ${port} does not answer`);
    }
    if (over) return connection.close();
    socket.trust();
    const decoder = new TextDecoder();
    connection.start({
      onData: (bytes) => {
        if (isText) socket.sendText(decoder.decode(bytes, { stream: true }));
        else socket.send(bytes.slice());
        if (socket.bufferedAmount > MAX_BUFFERED) end(POLICY, "the client reads too slowly");
      },
      onDrain: () => socket.resume(),
      onClose: () => end(1000),
    });
    for (const bytes of early) connection.write(bytes);
    early = [];
  }

  close(): void {
    for (const socket of this.#sockets) socket.close(1001, "the server stops");
  }
}
