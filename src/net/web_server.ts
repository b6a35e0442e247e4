// The HTTP server of the web door, and its WebSockets.
import type { IncomingMessage } from "node:http";
import type { Socket } from "node:net";
import { type WebSocket, WebSocketServer } from "ws";
import type { Address } from "../common/address.ts";
import { type HttpHandler, type HttpOptions, type HttpServer, serveHttp } from "./http.ts";
import { DirectSocket } from "./direct_socket.ts";
import type { DirectWriterSource } from "./native_stream.ts";
import { turns } from "./turns.ts";
import { UnfinishedMessage } from "./unfinished_messages.ts";

export type WebPeer = Address;
export type WebServer = HttpServer;

/** Maximum length of a message of a client in bytes. */
const MAX_MESSAGE = 16 << 20;
/** Milliseconds between pings; a client that has not answered one by the next is disconnected. */
const PING_INTERVAL = 20_000;

const FIN = 0x80;
const BINARY = 2;

/** Placeholder for the answer to a request that became a WebSocket. */
const UPGRADED = Response.json(null);
/** The parts from which {@link upgradeToWebSocket} makes a WebSocket. */
const upgrades = new WeakMap<
  Request,
  {
    message: IncomingMessage;
    socket: Socket;
    head: Uint8Array;
    writers: DirectWriterSource | undefined;
  }
>();
const sockets = new WebSocketServer({
  noServer: true,
  perMessageDeflate: false,
  maxPayload: MAX_MESSAGE,
});

/** Serves pages and WebSockets; see {@link serveHttp}. */
export function serveWeb(options: HttpOptions, handle: HttpHandler): Promise<WebServer> {
  return serveHttp(options, handle, async (request, peer, message, socket, head) => {
    upgrades.set(request, { message, socket, head, writers: options.writers });
    const response = await handle(request, peer);
    if (response === UPGRADED) return undefined;
    return response instanceof Response ? response : new Response(null, { status: 400 });
  });
}

interface WebSocketEvents {
  onOpen?(): void;
  /** @param message good until the call returns */
  onMessage(message: Uint8Array | string): void;
  /** The far end has closed, or the connection has failed; not called after {@link WebSocketConnection.close}. */
  onClose(code: number): void;
}

/** One WebSocket that a client has opened. */
export class WebSocketConnection {
  readonly #socket: WebSocket;
  #events: WebSocketEvents | undefined;
  #answered = true;
  readonly #message: UnfinishedMessage;
  /** Number of messages that wait for their turn; reading pauses meanwhile. */
  #behind = 0;
  #paused = false;
  #corked = false;
  readonly #stream: Socket;
  readonly #openDirect: () => DirectSocket | undefined;
  /** null: direct writes are unavailable; undefined: not opened yet. */
  #direct: DirectSocket | null | undefined;
  readonly #timer: ReturnType<typeof setInterval>;

  /**
   * @param stream the connection that carries it
   * @param direct opens a direct writer, for fast senders
   */
  constructor(socket: WebSocket, stream: Socket, direct: () => DirectSocket | undefined) {
    this.#socket = socket;
    this.#stream = stream;
    this.#message = new UnfinishedMessage(() => socket.terminate());
    this.#openDirect = direct;
    this.#timer = setInterval(() => this.#ping(), PING_INTERVAL);
    socket.on("ping", (data: Uint8Array) => this.#message.control(data.length));
    socket.on("pong", (data: Uint8Array) => {
      this.#answered = true;
      this.#message.control(data.length);
    });
    // Before the listener of the WebSocket, which reports whole messages.
    stream.prependListener("data", (bytes: Uint8Array) => this.#message.add(bytes.length));
    socket.on("message", (data: Uint8Array, isBinary: boolean) => {
      this.#answered = true;
      this.#message.finish();
      this.#inTurn(() => this.#events?.onMessage(isBinary ? data : new TextDecoder().decode(data)));
    });
    socket.on("error", () => {}); // a close follows
    socket.on("close", (code: number) => {
      clearInterval(this.#timer);
      this.#message.finish();
      this.#inTurn(() => {
        const events = this.#events;
        this.#events = undefined;
        events?.onClose(code);
      });
    });
  }

  /** Begins to send events. */
  start(events: WebSocketEvents): void {
    this.#events = events;
    queueMicrotask(() => this.#events?.onOpen?.());
  }

  get open(): boolean {
    return this.#socket.readyState === this.#socket.OPEN;
  }

  /** Number of sent bytes that the system has not taken yet. */
  get bufferedAmount(): number {
    return this.#socket.bufferedAmount;
  }

  /** Sends a binary message. Does nothing once the WebSocket is closing. */
  send(message: Uint8Array): void {
    if (!this.open) return;
    this.#cork();
    this.#socket.send(message);
  }

  /** The client may send messages of up to 16 MiB. */
  trust(): void {
    this.#message.trusted = true;
  }

  /**
   * Sends part of a block as a binary message, in the form of {@link ByteSink}, for fast senders.
   */
  sendPart(block: Uint8Array, from: number, to: number): void {
    if (!this.open) return;
    this.#direct = this.#direct === undefined ? this.#openDirect() ?? null : this.#direct;
    if (this.#direct) this.#direct.write(binaryFrame(block, from, to));
    else this.#socket.send(block.slice(from, to));
  }

  /**
   * Pauses reading until {@link resume}; messages already read still arrive. A WebSocket that stays paused
   * for two intervals of pings is closed, as no answer to them is read.
   */
  pause(): void {
    this.#paused = true;
    this.#socket.pause();
  }

  resume(): void {
    this.#paused = false;
    if (this.#behind === 0) this.#socket.resume();
  }

  sendText(message: string): void {
    if (this.open) this.#socket.send(message);
  }

  /**
   * Closes it after the sent data.
   *
   * @param reason up to 123 bytes of UTF-8
   */
  close(code = 1000, reason = ""): void {
    this.#events = undefined;
    this.#socket.close(code, reason);
  }

  /** Collects the messages of one turn in one system call. */
  #cork(): void {
    if (this.#corked) return;
    this.#corked = true;
    this.#stream.cork();
    queueMicrotask(() => {
      this.#corked = false;
      this.#stream.uncork();
    });
  }

  async #inTurn(action: () => void): Promise<void> {
    const wait = turns.take(action);
    if (!wait) return;
    if (this.#behind++ === 0) this.#socket.pause();
    try {
      await wait;
    } finally {
      if (--this.#behind === 0 && !this.#paused) this.#socket.resume();
    }
  }

  #ping(): void {
    if (!this.#answered) return this.#socket.terminate();
    this.#answered = false;
    this.#socket.ping();
  }
}

/**
 * Makes a WebSocket of a request.
 *
 * @returns undefined if the request is not a valid upgrade
 */
export function upgradeToWebSocket(
  request: Request,
): { response: Response; socket: WebSocketConnection } | undefined {
  const upgrade = upgrades.get(request);
  if (!upgrade || request.headers.get("upgrade")?.toLowerCase() !== "websocket") return undefined;
  upgrades.delete(request);
  const { message, socket, head, writers } = upgrade;
  let made: WebSocket | undefined;
  sockets.handleUpgrade(message, socket, head as never, (one: WebSocket) => made = one);
  // A request with wrong headers has been answered already.
  if (!made) return undefined;
  const direct = () => DirectSocket.of(socket, writers);
  return { response: UPGRADED, socket: new WebSocketConnection(made, socket, direct) };
}

/** Bytes of a block as a whole binary message of a server, its header written before them. RFC 6455 §5.2. */
function binaryFrame(block: Uint8Array, from: number, to: number): Uint8Array {
  const length = to - from;
  const bytes = length < 126 ? 0 : length < 65_536 ? 2 : 8;
  let at = from;
  for (let i = 0, rest = length; i < bytes; i++, rest = Math.floor(rest / 256)) block[--at] = rest;
  block[--at] = bytes === 0 ? length : bytes === 2 ? 126 : 127;
  block[--at] = FIN | BINARY;
  return block.subarray(at, to);
}
