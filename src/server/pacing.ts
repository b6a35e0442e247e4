/** A pass that takes less time (ms) may be followed by the next one at once. */
const SHORT = 4;
/** The part of the time between two passes that a pass may take, as its multiple: a fifth of all time. */
const REST_PER_COST = 4;
/** Weight of a pass in the usual cost, and how many times that one pass may count: a pause of the core is no cost. */
const WEIGHT = 1 / 4, MOST = 2;
/** With fewer connections, frames are sent as they come. */
const MANY = 100;
/** Connections for each millisecond that the rest may last. */
const CONNECTIONS_A_MILLISECOND = 5;
/** Maximum time (ms) that frames wait for a pass. */
const MAX_REST = 200;

/**
 * Decides when to write media to players again. Writing to one costs nearly the same for one frame as for
 * several, so with many players the frames of some time go out together. That time grows with the usual cost of
 * a pass, so that passes take a fifth of the core: frames wait only where the core has much to do.
 * It is at most 100 ms at 500 connections, and 200 ms from 1,000 on. After a long pass the next one waits at
 * least as long, which leaves half of the time for everything else.
 */
export class Pacing {
  #next = 0;
  /** Usual time (ms) of a pass. */
  #usual = 0;

  /** When the next pass may begin; in the past where it may at once. Milliseconds. */
  get next(): number {
    return this.#next;
  }

  /** A pass lasted from one moment to another, both in ms, with this number of connections to put together. */
  passed(from: number, to: number, connections = 0): void {
    const cost = to - from;
    this.#usual += WEIGHT * (Math.min(cost, MOST * this.#usual + 1) - this.#usual);
    const gathering = connections < MANY
      ? 0
      : Math.min(REST_PER_COST * this.#usual, connections / CONNECTIONS_A_MILLISECOND);
    const rest = Math.min(Math.max(cost < SHORT ? 0 : cost, gathering), MAX_REST);
    this.#next = rest === 0 ? 0 : to + rest;
  }
}
