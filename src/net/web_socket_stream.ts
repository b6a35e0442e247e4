import type { StreamEvents } from "./stream_socket.ts";
import type { WebPeer, WebSocketConnection } from "./web_server.ts";

/** Maximum number of bytes waiting in the WebSocket at which a write counts as done. */
const MAX_WAITING = 64 * 1024;
/** Interval (ms) of checking whether a write is done. */
const ASK_INTERVAL = 5;
const UNSUPPORTED_DATA = 1003;

/**
 * A stream of bytes in the binary messages of a WebSocket, split at any byte. WEB-408.
 */
export class WebSocketStream {
  #writing = false;
  #events: StreamEvents | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** @param onOver called when it has ended */
  constructor(
    readonly socket: WebSocketConnection,
    readonly peer: WebPeer,
    readonly onOver: () => void,
  ) {}

  /** Whether the last {@link write} is in progress. */
  get writing(): boolean {
    return this.#writing;
  }

  start(events: StreamEvents): void {
    this.#events = events;
    this.socket.start({
      onOpen: () => {
        if (!this.#writing) events.onWritten();
      },
      onMessage: (message) => {
        if (typeof message !== "string") return events.onData(message);
        this.end(UNSUPPORTED_DATA);
        events.onEnd("received a text message");
      },
      onClose: (code) => {
        this.#stop();
        events.onEnd(code === 1000 || code === 1001 ? undefined : "the WebSocket is gone");
      },
    });
  }

  /** The client may send messages of any size. */
  trust(): void {
    this.socket.trust();
  }

  /** @returns false: wait for `onWritten` before the next write */
  write(bytes: Uint8Array, length = bytes.length): boolean {
    this.#writing = true;
    this.socket.send(bytes.slice(0, length));
    this.#await();
    return false;
  }

  /** Closes the WebSocket after the written data. */
  end(code = 1000): void {
    this.#stop();
    this.socket.close(code);
  }

  /** Polls until the write is done, as a WebSocket has no event for it. */
  #await(): void {
    this.#timer = setTimeout(() => {
      if (this.socket.open && this.socket.bufferedAmount > MAX_WAITING) return this.#await();
      this.#writing = false;
      this.#events?.onWritten();
    }, this.socket.bufferedAmount > MAX_WAITING ? ASK_INTERVAL : 0);
  }

  #stop(): void {
    clearTimeout(this.#timer);
    this.#writing = false;
    this.onOver();
  }
}
