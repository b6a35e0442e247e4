/** Maximum ms of a pass after which the next one may begin at once. */
const SHORT_PASS = 4;
/** Ms of rest per ms of a pass, so that passes take a fifth of the time. */
const REST_PER_COST = 4;
/** Weight of a pass in the usual cost, and the maximum multiple of the usual cost that it counts for. */
const WEIGHT = 1 / 4, MAX_MULTIPLE = 2;
/** Minimum number of connections at which frames wait for a pass. */
const MIN_CONNECTIONS = 100;
/** Number of connections per ms of the longest rest. */
const CONNECTIONS_PER_MILLISECOND = 5;
/** Maximum ms that frames wait for a pass. */
const MAX_REST = 200;

/**
 * Decides when to write media to players again. Writing one frame to a player costs nearly as much as writing
 * several, so with many players the server collects the frames of some time. That time grows with the usual cost of
 * a pass, so that passes take a fifth of the core: frames wait only if the core is busy. The time is at most 100 ms
 * at 500 connections, and 200 ms from 1,000 on. After a long pass the next one waits at least as long, which leaves
 * half of the time for other work.
 */
export class WritePacing {
  #next = 0;
  /** Usual time (ms) of a pass. */
  #usual = 0;

  /** Time (ms) at which the next pass may begin. */
  get next(): number {
    return this.#next;
  }

  /** Notes a pass with its start and end (ms), and the number of connections whose frames may be collected. */
  passed(from: number, to: number, connections = 0): void {
    const cost = to - from;
    this.#usual += WEIGHT * (Math.min(cost, MAX_MULTIPLE * this.#usual + 1) - this.#usual);
    const gathering = connections < MIN_CONNECTIONS
      ? 0
      : Math.min(REST_PER_COST * this.#usual, connections / CONNECTIONS_PER_MILLISECOND);
    const rest = Math.min(Math.max(cost < SHORT_PASS ? 0 : cost, gathering), MAX_REST);
    this.#next = rest === 0 ? 0 : to + rest;
  }
}
