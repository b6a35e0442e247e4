// The HTTP server of the web door, and its WebSockets.
import { unmapped } from "./udp_address.ts";

export interface WebServerOptions {
  /** An IP address of this machine; `""` for all. */
  readonly hostname: string;
  readonly port: number;
  /** Certificate chain and private key in PEM form: the server speaks HTTPS. */
  readonly tls: { readonly cert: string; readonly key: string } | undefined;
}

/** The far end of a request. */
export interface WebPeer {
  readonly hostname: string;
  readonly port: number;
}

export interface WebServer {
  readonly port: number;
  /** The IP address that is listened on. */
  readonly hostname: string;
  /** Accepts no more requests, and waits for those there are. */
  close(): Promise<void>;
}

/**
 * Serves HTTP or HTTPS until it is closed.
 *
 * @param handle answers a request; must not throw
 * @throws {Error} if the port cannot be had, or certificate and key cannot be used
 */
export function serveWeb(
  { hostname, port, tls }: WebServerOptions,
  handle: (request: Request, peer: WebPeer) => Response | Promise<Response>,
): WebServer {
  const server = Deno.serve(
    { hostname: hostname || "::", port, onListen: () => {}, ...tls },
    (request, { remoteAddr }) => {
      const peer = remoteAddr as Deno.NetAddr;
      return handle(request, { hostname: unmapped(peer.hostname), port: peer.port });
    },
  );
  const address = server.addr as Deno.NetAddr;
  return { port: address.port, hostname: address.hostname, close: () => server.shutdown() };
}

export interface WebSocketEvents {
  onOpen?(): void;
  onMessage(message: Uint8Array | string): void;
  /** The far end closed, or is gone; not called after {@link WebSocketConnection.close}. */
  onClose(code: number): void;
}

/** One WebSocket that a client has opened. */
export class WebSocketConnection {
  readonly #socket: WebSocket;
  #events: WebSocketEvents | undefined;

  constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.binaryType = "arraybuffer";
    socket.onopen = () => this.#events?.onOpen?.();
    socket.onmessage = ({ data }) =>
      this.#events?.onMessage(typeof data === "string" ? data : new Uint8Array(data));
    socket.onerror = (event) => event.preventDefault(); // a close follows
    socket.onclose = ({ code }) => {
      const events = this.#events;
      this.#events = undefined;
      events?.onClose(code);
    };
  }

  /** Begins to tell of what happens. */
  start(events: WebSocketEvents): void {
    this.#events = events;
  }

  get open(): boolean {
    return this.#socket.readyState === WebSocket.OPEN;
  }

  /** Bytes that were sent and are not on their way yet. */
  get bufferedAmount(): number {
    return this.#socket.bufferedAmount;
  }

  /** Sends a binary message. Does nothing once the WebSocket is closing. */
  send(message: Uint8Array<ArrayBuffer>): void {
    if (this.open) this.#socket.send(message);
  }

  sendText(message: string): void {
    if (this.open) this.#socket.send(message);
  }

  /**
   * Closes it after what was sent.
   *
   * @param reason up to 123 bytes of UTF-8
   */
  close(code = 1000, reason = ""): void {
    this.#events = undefined;
    try {
      this.#socket.close(code, reason);
    } catch {
      // it is closed already
    }
  }
}

/**
 * Makes a WebSocket of a request.
 *
 * @returns undefined if the request asks for none
 */
export function upgradeToWebSocket(
  request: Request,
): { response: Response; socket: WebSocketConnection } | undefined {
  if (request.headers.get("upgrade")?.toLowerCase() !== "websocket") return undefined;
  try {
    const { response, socket } = Deno.upgradeWebSocket(request, { idleTimeout: 30 });
    return { response, socket: new WebSocketConnection(socket) };
  } catch (error) {
    if (error instanceof TypeError) return undefined; // headers are missing
    throw error;
  }
}
