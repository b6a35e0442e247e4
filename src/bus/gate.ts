// Limits the bytes in flight to the bus. NATS-013.

/** Bytes in flight above which media, and above which all messages, are dropped. */
const MAX_MEDIA_IN_FLIGHT = 4 * 1024 * 1024;
const MAX_IN_FLIGHT = 16 * 1024 * 1024;
/** Number of bytes after which a confirmation is requested. */
const CONFIRM_INTERVAL = 256 * 1024;

/**
 * Limits the messages that wait for the bus: the NATS client accepts all without an error, even while
 * the bus is frozen or disconnected. The sender calls {@link admit} before each message, requests a confirmation
 * when {@link confirmationDue} returns a mark, and reports it by {@link confirmed}.
 */
export class Gate {
  /** Admitted messages and their bytes, and dropped messages. */
  readonly counters = { messages: 0, bytes: 0, droppedMedia: 0, droppedControl: 0 };
  #open = false;
  #sent = 0;
  #confirmed = 0;
  #asked = 0;

  /** Whether the bus is connected. */
  set open(open: boolean) {
    this.#open = open;
    this.#confirmed = this.#asked = this.#sent;
  }

  get open(): boolean {
    return this.#open;
  }

  get inFlight(): number {
    return this.#sent - this.#confirmed;
  }

  /** Whether a message may be sent; counts it in either case. */
  admit(length: number, isMedia: boolean): boolean {
    const limit = isMedia ? MAX_MEDIA_IN_FLIGHT : MAX_IN_FLIGHT;
    if (!this.#open || this.inFlight + length > limit) {
      if (isMedia) this.counters.droppedMedia++;
      else this.counters.droppedControl++;
      return false;
    }
    this.#sent += length;
    this.counters.messages++;
    this.counters.bytes += length;
    return true;
  }

  /** @returns a mark for {@link confirmed} if the caller must request a confirmation now */
  confirmationDue(): number | undefined {
    if (this.#sent - this.#asked < CONFIRM_INTERVAL) return undefined;
    return this.#asked = this.#sent;
  }

  /** The bus has accepted all messages up to a mark. */
  confirmed(mark: number): void {
    this.#confirmed = Math.max(this.#confirmed, mark);
  }
}
