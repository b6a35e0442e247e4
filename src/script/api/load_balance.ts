// Which of several servers a client is sent to. NATS-511.
import type { Peer } from "../../cluster/roster.ts";

/** A server with so many clients fewer is not worth a detour. */
const MARGIN = 3;

type Load = NonNullable<Peer["load"]>;

/** Counts what was sent to each server since it last told its load: that is up to a second old. */
export class LoadBalance {
  readonly #sent = new WeakMap<Load, number>();

  /**
   * Chooses the server with the fewest clients, and counts one more there.
   *
   * @param own clients of this server
   * @returns those to send a client to: none if it is served here, all if one does not tell its load
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
