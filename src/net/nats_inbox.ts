// Queues messages of NATS, which take turns with all other input.
import type { Turns } from "./turns.ts";

/** Memory of a message besides its payload, in bytes. */
const OVERHEAD = 500;
/** Bytes of waiting messages above which reading pauses, and below which it resumes. */
const PAUSE_AT = 1 << 20;
const RESUME_AT = 256 << 10;
/** Maximum number of bytes of waiting messages; further ones are dropped. Input read before a pause may be long. */
const MAX_WAITING = 32 << 20;

/** The source of messages: pauses and resumes reading. */
export interface Pausable {
  pause(): unknown;
  resume(): unknown;
}

export class NatsInbox {
  /** Number of messages dropped because too many bytes waited. */
  dropped = 0;
  readonly #turns: Pick<Turns, "take">;
  readonly #socket: () => Pausable | undefined;
  #waiting = 0;
  #paused: Pausable | undefined;

  constructor(turns: Pick<Turns, "take">, socket: () => Pausable | undefined) {
    this.#turns = turns;
    this.#socket = socket;
  }

  /** Bytes of messages that wait for their turn. */
  get waiting(): number {
    return this.#waiting;
  }

  /**
   * Handles a message, at once or when its turn comes.
   * @param message may change after the call
   */
  add(message: Uint8Array, handle: (message: Uint8Array) => void): void {
    const cost = message.length + OVERHEAD;
    if (this.#waiting + cost > MAX_WAITING) {
      this.dropped++;
      return;
    }
    let bytes = message;
    const wait = this.#turns.take(() => handle(bytes));
    if (!wait) return;
    bytes = message.slice();
    this.#waiting += cost;
    if (this.#waiting > PAUSE_AT && !this.#paused) {
      this.#paused = this.#socket();
      this.#paused?.pause();
    }
    wait.finally(() => this.#took(cost));
  }

  #took(bytes: number): void {
    this.#waiting -= bytes;
    if (this.#waiting > RESUME_AT) return;
    this.#paused?.resume();
    this.#paused = undefined;
  }
}
