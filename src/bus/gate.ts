// What may be on its way to the bus at once. NATS-013.

/** Bytes on their way above which frames, and above which everything, is dropped. */
const MAX_MEDIA_IN_FLIGHT = 4 * 1024 * 1024;
const MAX_IN_FLIGHT = 16 * 1024 * 1024;
/** Bytes after which the bus is asked to confirm what it took. */
const CONFIRM_EVERY = 256 * 1024;

/**
 * Keeps what waits for the bus bounded: its client takes everything without a word, also while the
 * bus is frozen or gone. Whoever sends asks {@link admit} first, has the bus confirm what it was
 * sent when {@link confirmationDue}, and tells {@link confirmed}.
 */
export class Gate {
  /** Messages and their bytes that were let through, and that were not. */
  readonly counters = { messages: 0, bytes: 0, droppedMedia: 0, droppedControl: 0 };
  #open = false;
  #sent = 0;
  #confirmed = 0;
  #asked = 0;

  /** The bus is there, or not. */
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

  /** Whether a message may be sent; it is counted either way. */
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

  /** @returns a mark for {@link confirmed} if the bus is to be asked now */
  confirmationDue(): number | undefined {
    if (this.#sent - this.#asked < CONFIRM_EVERY) return undefined;
    return this.#asked = this.#sent;
  }

  /** The bus has taken everything up to a mark. */
  confirmed(mark: number): void {
    this.#confirmed = Math.max(this.#confirmed, mark);
  }
}
