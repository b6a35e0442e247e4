/** Bytes of messages that have not arrived as a whole, of all WebSockets together. */
const MAX_UNFINISHED = 256 << 20;
/** The same of one client that is not trusted. */
const MAX_OF_STRANGER = 192 << 10;
/** Bytes of a client's frame before its data: RFC 6455 §5.2. */
const SHORTEST_FRAME = 6;

/** Clients with unfinished messages, and the bytes of all. */
const holders = new Set<UnfinishedMessage>();
let total = 0;

/**
 * Counts the bytes of the message that a WebSocket is receiving, which its library holds until it is
 * whole. Closes clients that hold too much.
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

  /** Bytes have arrived. */
  add(bytes: number): void {
    this.#set(this.#bytes + bytes);
    if (!this.trusted && this.#bytes > MAX_OF_STRANGER) this.#close();
    while (total > MAX_UNFINISHED) {
      let [largest] = holders;
      for (const one of holders) if (one.#bytes > largest!.#bytes) largest = one;
      largest!.#close();
    }
  }

  /** They were a ping or pong with so many bytes of data, which may stand between the pieces of a message. */
  control(bytes: number): void {
    this.#set(Math.max(0, this.#bytes - bytes - SHORTEST_FRAME));
  }

  /** The message is whole, or the WebSocket is closed. */
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
