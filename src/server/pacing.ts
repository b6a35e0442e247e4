/** A pass shorter than this (ms) is followed by the next one at once. */
const SHORT = 4;
/** Maximum time (ms) that frames wait for a pass. */
const MAX_REST = 100;

/**
 * Decides when to write to the players again. A pass over thousands of them takes long, and its cost hardly
 * depends on the bytes written to each: after a long pass the next one waits for as long, so that frames
 * received meanwhile are written together, and half of the time is left for all other work.
 */
export class Pacing {
  #next = 0;

  /** Earliest time (ms) of the next pass; may be in the past. */
  get next(): number {
    return this.#next;
  }

  /** A pass lasted from one moment to another. */
  passed(from: number, to: number): void {
    const cost = to - from;
    this.#next = cost < SHORT ? 0 : to + Math.min(cost, MAX_REST);
  }
}
