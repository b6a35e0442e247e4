// The servers linked with this one: CLU-001 to CLU-015, API-501 to API-526.
import { addressKey } from "./targets.ts";

/** A channel on which one message reaches several servers. */
export interface Channel {
  /** @param peers servers whose {@link Peer.channel} this is */
  sendAll(peers: readonly Peer[], handler: string, payload: Uint8Array): void;
}

/** Another server while its link is up. */
export interface Peer {
  /** `host:port` as configured for a target, `ip:port` of the connection for an initiator. */
  readonly address: string;
  /** Its address for clients (CLU-015). */
  readonly publicAddress: string;
  /** Whether this server opened the link (CLU-002). */
  readonly isTarget: boolean;
  /** Properties of the link; the script room filters reserved names. */
  readonly properties: ReadonlyMap<string, string>;
  /** Load that it reported within the last second; undefined if it reports none. */
  readonly load?: { readonly clients: number; readonly publications: number; readonly lag: number };
  /** Sends AMF values to a handler at the other end; does nothing when the link is down. */
  send(handler: string, payload: Uint8Array): void;
  /** Undefined: each message is sent only to this server. */
  readonly channel?: Channel;
}

/** Sends AMF values to a handler at several servers: once per channel, and once per server without channel. */
export function sendToAll(peers: readonly Peer[], handler: string, payload: Uint8Array): void {
  const shared = new Map<Channel, Peer[]>();
  for (const peer of [...peers]) {
    const { channel } = peer;
    if (!channel) peer.send(handler, payload);
    else if (shared.has(channel)) shared.get(channel)!.push(peer);
    else shared.set(channel, [peer]);
  }
  for (const [channel, some] of shared) channel.sendAll(some, handler, payload);
}

/** All linked servers in the order in which they connected. */
export class Roster {
  readonly #peers: Peer[] = [];

  add(peer: Peer): void {
    this.#peers.push(peer);
  }

  /** @returns whether the peer was there */
  remove(peer: Peer): boolean {
    const at = this.#peers.indexOf(peer);
    if (at >= 0) this.#peers.splice(at, 1);
    return at >= 0;
  }

  get all(): readonly Peer[] {
    return this.#peers;
  }

  /** Servers that connected to this server (API-502). */
  get initiators(): readonly Peer[] {
    return this.#peers.filter((peer) => !peer.isTarget);
  }

  /** Servers that this server connected to (API-503). */
  get targets(): readonly Peer[] {
    return this.#peers.filter((peer) => peer.isTarget);
  }
}

/**
 * Finds a server by its position from 1, or by either of its addresses (API-506).
 *
 * @returns undefined if there is none
 */
export function findPeer(peers: readonly Peer[], key: string | number): Peer | undefined {
  if (typeof key === "number") return peers[key - 1];
  const wanted = addressKey(key);
  return peers.find((peer) =>
    addressKey(peer.address) === wanted || addressKey(peer.publicAddress) === wanted
  );
}
