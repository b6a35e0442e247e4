import { TcpConnection } from "../net/tcp.ts";
import type { WebSocketConnection } from "../net/web_server.ts";
import type { DoorHost } from "./doors.ts";

/** Milliseconds that a script's server has to accept. */
const CONNECT_TIMEOUT = 5_000;
/** Bytes of a client that wait for the connection, and of the script that wait for the client. */
const MOST_EARLY = 65_536;
/** Messages of a client that wait for the connection. */
const MOST_EARLY_MESSAGES = 1_024;
/** Bytes that wait for a script which does not read, before no more are read from the client. */
const MOST_UNSENT = 1 << 20;
const MOST_BUFFERED = 4 << 20;
const TRY_AGAIN_LATER = 1013;
const POLICY = 1008;

/**
 * WebSockets joined to the TCP servers of scripts, as Ruffle's socketProxy wants them for Flash's
 * Socket and XMLSocket. WEB-404 to WEB-407.
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

  /** The port of a path `/tcp/PORT` that may be reached; a text says why it may not. */
  portOf(path: string): number | string {
    const port = Number(/^\/tcp\/(\d{1,5})$/.exec(path)?.[1] ?? NaN);
    if (!this.#host.config()["web.sockets"].includes(port)) {
      return "This port is not in [web] sockets";
    }
    return this.#host.listens(port) ? port : `No script listens on port ${port}`;
  }

  /** @param leave called once when it is over */
  async open(socket: WebSocketConnection, port: number, leave: () => void): Promise<void> {
    let connection: TcpConnection | undefined;
    let early: Uint8Array[] = [];
    let earlyBytes = 0;
    let over = false;
    /** A client that begins with text is answered with text. */
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
          if (connection.unsent > MOST_UNSENT) socket.pause();
          return;
        }
        earlyBytes += bytes.length;
        if (earlyBytes > MOST_EARLY || early.length >= MOST_EARLY_MESSAGES) {
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
        if (socket.bufferedAmount > MOST_BUFFERED) end(POLICY, "the client reads too slowly");
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
