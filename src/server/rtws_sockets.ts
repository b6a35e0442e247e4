import { WireError } from "../bytes/wire_error.ts";
import { addressText } from "../common/address.ts";
import type { WebPeer, WebSocketConnection } from "../net/web_server.ts";
import { RtwsConnection } from "../rtws/rtws_connection.ts";
import { RtwsSession } from "../rtws/session.ts";
import type { DoorHost } from "./doors.ts";

/** Maximum bytes that wait in a WebSocket; above it, its session sends no more. WEB-103. */
const MAX_BUFFERED = 256 * 1024;
/** Interval (ms) of checks of full WebSockets for room. */
const BLOCKED_INTERVAL = 20;
/** Interval (ms) of checks of all sessions for due work. */
const TICK_INTERVAL = 100;
/** WebSocket close codes. */
const GOING_AWAY = 1001;
const PROTOCOL_ERROR = 1002;
const UNSUPPORTED_DATA = 1003;

/** The open RTWebSockets and their sessions. */
export class RtwsSockets {
  readonly #host: DoorHost;
  readonly #sessions = new Map<RtwsSession, WebSocketConnection>();
  /** Sessions that may have messages to send. */
  readonly #awake = new Set<RtwsSession>();
  #tickAt = Infinity;
  #blocked = false;

  constructor(host: DoorHost) {
    this.#host = host;
  }

  get size(): number {
    return this.#sessions.size;
  }

  get deadline(): number {
    return this.#tickAt;
  }

  /**
   * Serves a WebSocket that a client has opened.
   *
   * @param leave called once when the WebSocket has closed
   */
  open(socket: WebSocketConnection, peer: WebPeer, leave: () => void): void {
    const { hub, log, now, random } = this.#host;
    const session = new RtwsSession({
      send: (message) => socket.send(message),
      get writable() {
        return socket.bufferedAmount < MAX_BUFFERED;
      },
      wake: () => this.#awake.add(session),
    }, now());
    const client = { rawId: random(32), address: addressText(peer), hostname: peer.hostname };
    const input = (action: () => void) => this.#host.input("Cannot serve an RTWebSocket", action);
    new RtwsConnection(session, hub, client, () => {
      this.#sessions.delete(session);
      this.#awake.delete(session);
      socket.close();
      leave();
    });
    const end = (code: number, failure: string | undefined) => {
      socket.close(code, failure);
      session.close(failure);
    };
    this.#sessions.set(session, socket);
    this.#tickAt = Math.min(this.#tickAt, now() + TICK_INTERVAL);
    socket.start({
      onOpen: () => input(() => session.start(now())),
      onMessage: (message) =>
        input(() => {
          if (typeof message === "string") {
            return end(UNSUPPORTED_DATA, "received a text message");
          }
          try {
            session.receive(message, now());
            if (session.isTrusted()) socket.trust();
            this.#awake.add(session);
          } catch (error) {
            if (!(error instanceof WireError)) throw error;
            log.info(() => `Closing RTWebSocket of ${client.address}: ${error.message}`);
            end(PROTOCOL_ERROR, "the client exceeded a limit");
          }
        }),
      onClose: (code) =>
        input(() =>
          session.close(
            code === 1000 || code === GOING_AWAY || code === 1005
              ? undefined
              : "the WebSocket is gone",
          )
        ),
    });
  }

  flush(now: number): void {
    if (now >= this.#tickAt) this.#tick(now);
    for (const session of this.#awake) {
      session.flush(now);
      if (session.queuedMessages === 0) this.#awake.delete(session);
      else if (!session.writable) this.#blocked = true;
      else this.#awake.delete(session); // the session waits for acknowledgements
    }
    if (this.#blocked) this.#tickAt = Math.min(this.#tickAt, now + BLOCKED_INTERVAL);
  }

  /** Ends all sessions. */
  close(): void {
    for (const [session, socket] of [...this.#sessions]) {
      session.close();
      socket.close(GOING_AWAY, "the server stops");
    }
  }

  #tick(now: number): void {
    this.#blocked = false;
    for (const session of this.#sessions.keys()) {
      if (now >= session.deadline) this.#awake.add(session);
    }
    this.#tickAt = this.#sessions.size > 0 ? now + TICK_INTERVAL : Infinity;
  }
}
