// Chooses the server to which a client is redirected. NATS-511.
import type { Peer } from "../../cluster/roster.ts";

/** A client is redirected only to a server that has more than this number of clients less. */
const MARGIN = 3;

type Load = NonNullable<Peer["load"]>;

/** Counts clients sent to each server since its last report of load, which is up to a second old. */
export class LoadBalance {
  readonly #sent = new WeakMap<Load, number>();

  /**
   * Chooses the server with the fewest clients, and counts one more there.
   *
   * @param own clients of this server
   * @returns the servers to redirect to: empty to serve the client here, all if one has not reported its load
   */
  choose(peers: readonly Peer[], own: number): readonly Peer[] {
    let best: { peer: Peer; load: Load; clients: number } | undefined;
    for (const peer of peers) {
      const { load } = peer;
      if (!load) return peers;
      const clients = load.clients + (this.#sent.get(load) ?? 0);
      if (!best || clients < best.clients) best = { peer, load, clients };
    }
    if (!best || best.clients + MARGIN >= own) return [];
    this.#sent.set(best.load, best.clients - best.load.clients + 1);
    return [best.peer];
  }
}
