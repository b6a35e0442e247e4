/** Passes that took less are followed by the next at once. Milliseconds. */
const SHORT = 4;
/** Most that frames wait for a pass. Milliseconds. */
const MAX_REST = 100;

/**
 * When to write to the players again. A pass over thousands of them takes long, and costs nearly the same
 * whatever it writes to each: after a long one the next waits for as long, so that frames which come
 * meanwhile go out together, and half of the time is left for everything else.
 */
export class Pacing {
  #next = 0;

  /** When the next pass may begin; in the past where it may at once. Milliseconds. */
  get next(): number {
    return this.#next;
  }

  /** A pass lasted from one moment to another. */
  passed(from: number, to: number): void {
    const cost = to - from;
    this.#next = cost < SHORT ? 0 : to + Math.min(cost, MAX_REST);
  }
}
