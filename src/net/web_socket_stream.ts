import type { StreamEvents } from "./stream_socket.ts";
import type { WebPeer, WebSocketConnection } from "./web_server.ts";

/** Bytes that may wait in the WebSocket when a write counts as taken. */
const TAKEN = 64 * 1024;
/** How often it is asked whether a write was taken, in milliseconds. */
const ASK_INTERVAL = 5;
const UNSUPPORTED_DATA = 1003;

/**
 * A WebSocket whose binary messages are pieces of a stream of bytes, cut anywhere. WEB-408.
 */
export class WebSocketStream {
  #writing = false;
  #events: StreamEvents | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** @param onOver called once when it is over */
  constructor(
    readonly socket: WebSocketConnection,
    readonly peer: WebPeer,
    readonly onOver: () => void,
  ) {}

  /** Whether the last {@link write} is under way. */
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

  /** @returns false: `onWritten` tells when there is room for more */
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

  /** A WebSocket does not tell when it has room again. */
  #await(): void {
    this.#timer = setTimeout(() => {
      if (this.socket.open && this.socket.bufferedAmount > TAKEN) return this.#await();
      this.#writing = false;
      this.#events?.onWritten();
    }, this.socket.bufferedAmount > TAKEN ? ASK_INTERVAL : 0);
  }

  #stop(): void {
    clearTimeout(this.#timer);
    this.#writing = false;
    this.onOver();
  }
}
