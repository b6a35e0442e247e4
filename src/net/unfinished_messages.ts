/** Maximum bytes of unfinished messages of all WebSockets together. */
const MAX_UNFINISHED = 256 << 20;
/** Maximum bytes of an unfinished message of a client that is not trusted. */
const MAX_UNTRUSTED = 192 << 10;
/** Bytes of the shortest header of a client's frame. RFC 6455 §5.2. */
const MIN_HEADER = 6;

/** Clients with unfinished messages. */
const holders = new Set<UnfinishedMessage>();
/** Bytes of all unfinished messages. */
let total = 0;

/**
 * Counts the bytes of the message that a WebSocket is receiving. The library `ws` buffers the message
 * until it is complete. Closes clients that make the server buffer too many bytes.
 */
export class UnfinishedMessage {
  /** Whether the client may send messages of any size. */
  trusted = false;
  #bytes = 0;
  readonly #end: () => void;

  /** @param end closes the WebSocket at once */
  constructor(end: () => void) {
    this.#end = end;
  }

  /** Counts `bytes` that the WebSocket has received. */
  add(bytes: number): void {
    this.#set(this.#bytes + bytes);
    if (!this.trusted && this.#bytes > MAX_UNTRUSTED) this.#close();
    while (total > MAX_UNFINISHED) {
      let [largest] = holders;
      for (const one of holders) if (one.#bytes > largest!.#bytes) largest = one;
      largest!.#close();
    }
  }

  /** Takes back a ping or pong with `bytes` of data: a control frame may come between the frames of a message. */
  control(bytes: number): void {
    this.#set(Math.max(0, this.#bytes - bytes - MIN_HEADER));
  }

  /** Forgets the message: it is complete, or the WebSocket is closed. */
  finish(): void {
    this.#set(0);
  }

  #close(): void {
    this.#set(0);
    this.#end();
  }

  #set(bytes: number): void {
    total += bytes - this.#bytes;
    this.#bytes = bytes;
    if (bytes > 0) holders.add(this);
    else holders.delete(this);
  }
}
