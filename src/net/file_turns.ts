// Schedules the file operations that clients cause. Each takes a thread, and the same 32 threads
// compute Diffie-Hellman of handshakes.
import { type Turns, turns } from "./turns.ts";

/** Maximum number of operations in progress. */
const MAX_PARALLEL = 8;
/** Time (ms) of the event loop for one operation besides reading and writing. */
const COST = 0.15;

/** Limits the operations in progress, and the share of the event loop that all of them get. */
export class FileTurns {
  readonly #turns: Pick<Turns, "take">;
  readonly #waiting = new Set<() => void>();
  #running = 0;

  constructor(turns: Pick<Turns, "take">) {
    this.#turns = turns;
  }

  /** Operations that wait for others to end. */
  get waiting(): number {
    return this.#waiting.size;
  }

  /** Runs an operation when its turn comes. It must not wait for another one. */
  async run<T>(operation: () => Promise<T>): Promise<T> {
    if (this.#running < MAX_PARALLEL) this.#running++;
    else await new Promise<void>((start) => this.#waiting.add(start));
    try {
      await this.#turns.take(() => {}, COST);
      return await operation();
    } finally {
      const [next] = this.#waiting;
      if (next) {
        this.#waiting.delete(next);
        next(); // takes the place of this one
      } else this.#running--;
    }
  }
}

/** The file operations of this process. */
export const fileTurns = new FileTurns(turns);
