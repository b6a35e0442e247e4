// The servers on the bus, as scripts see them. NATS-501 to NATS-508.
import type { Bus } from "../bus/bus.ts";
import { type Load, MARK_BYTES } from "../bus/messages.ts";
import type { Neighbor } from "../bus/presence.ts";
import { addressKey } from "../cluster/targets.ts";
import type { Channel, Peer } from "../cluster/roster.ts";
import type { Cluster } from "./cluster.ts";
import type { Log } from "../log/log.ts";
import type { Scripts } from "./scripts.ts";

/** Maximum bytes of a handler's name. CLU-024. */
const MAX_HANDLER = 255;

interface Host {
  readonly cluster: Cluster;
  readonly scripts: Scripts;
  readonly log: Log;
  readonly now: () => number;
}

/** A server on the bus. */
class BusPeer implements Peer {
  constructor(
    readonly neighbor: Neighbor,
    readonly isTarget: boolean,
    readonly channel: BusServers,
  ) {}

  send(handler: string, payload: Uint8Array): void {
    this.channel.sendAll([this], handler, payload);
  }

  get address(): string {
    return this.neighbor.publicAddress;
  }

  get publicAddress(): string {
    return this.neighbor.publicAddress;
  }

  get properties(): ReadonlyMap<string, string> {
    return this.neighbor.properties;
  }

  get load(): Load {
    return this.neighbor.load;
  }
}

/** Makes servers of the bus visible to scripts, except linked ones, which scripts see by their links. */
export class BusServers implements Channel {
  readonly #host: Host;
  // deno-lint-ignore no-explicit-any
  readonly #bus: Bus<any>;
  readonly #startedAt: number;
  readonly #peers = new Map<string, BusPeer>();

  // deno-lint-ignore no-explicit-any
  constructor(host: Host, bus: Bus<any>, startedAt: number) {
    this.#host = host;
    this.#bus = bus;
    this.#startedAt = startedAt;
  }

  /** Address of a server for messages, by its id. */
  nameOf(id: string): string {
    return this.#bus.presence.servers.get(id)?.publicAddress ?? "another server";
  }

  /** The server of the bus with an address, linked or not. */
  at(publicAddress: string): Neighbor | undefined {
    const key = addressKey(publicAddress);
    for (const server of this.#bus.presence.servers.values()) {
      if (addressKey(server.publicAddress) === key) return server;
    }
    return undefined;
  }

  /** Whether scripts see a server through its messages on the bus. */
  isOfBus(peer: Peer): boolean {
    return peer instanceof BusPeer;
  }

  added(server: Neighbor): void {
    this.#host.log.note(`Server ${server.publicAddress} is on the bus`);
    if (!this.#isLinked(server.publicAddress)) this.#show(server);
    this.#host.scripts.onServerRunning([...server.paths]);
  }

  removed(server: Neighbor, why: string): void {
    this.#host.log.note(`Server ${server.publicAddress} has left the bus: ${why}`);
    this.#hide(server.id);
  }

  called(id: string, handler: string, payload: Uint8Array): void {
    const peer = this.#peers.get(id) ?? this.#linkTo(id);
    if (peer) this.#host.scripts.onServerMessage(peer, handler, payload);
  }

  /** Calls a handler of servers that scripts see through the bus, by one message. */
  sendAll(peers: readonly Peer[], handler: string, payload: Uint8Array): void {
    const servers = peers.filter((peer) => peer instanceof BusPeer).map(({ neighbor }) => neighbor)
      .filter(({ id }) => this.#peers.has(id));
    const [first] = servers;
    if (!first) return;
    const { log } = this.#host;
    const to = servers.length === 1 ? `server ${first.publicAddress}` : `${servers.length} servers`;
    const head = `Cannot send "${handler.slice(0, 40)}" to ${to}: `;
    const nameLength = new TextEncoder().encode(handler).length;
    if (nameLength > MAX_HANDLER) {
      return log.error(`${head}the name of the handler has ${nameLength} of ${MAX_HANDLER} bytes`);
    }
    const most = this.#bus.maxBody - servers.length * MARK_BYTES;
    if (payload.length > most) {
      return log.error(`${head}${payload.length} bytes exceed the limit of the bus (${most})`);
    }
    const now = this.#host.now();
    const sent = servers.length === 1
      ? this.#bus.call(first.id, handler, payload, now)
      : this.#bus.callAll(servers.map(({ id }) => id), handler, payload, now);
    if (!sent) log.warn(`${head}the bus accepts no message now`);
  }

  /** A server was linked: scripts see it by its link from then on. */
  linked(publicAddress: string): void {
    const server = this.at(publicAddress);
    if (server) this.#hide(server.id);
  }

  /** A link has closed: if the server is on the bus, scripts see it there. */
  unlinked(publicAddress: string): void {
    const server = this.at(publicAddress);
    if (server && !this.#isLinked(publicAddress)) this.#show(server);
  }

  #show(server: Neighbor): void {
    if (this.#peers.has(server.id)) return;
    const isOlder = server.startedAt !== this.#startedAt
      ? server.startedAt < this.#startedAt
      : server.id < this.#bus.self;
    const peer = new BusPeer(server, isOlder, this);
    this.#peers.set(server.id, peer);
    this.#host.cluster.roster.add(peer);
    this.#host.scripts.onServerConnection(peer);
  }

  #hide(id: string): void {
    const peer = this.#peers.get(id);
    if (!peer) return;
    this.#peers.delete(id);
    this.#host.cluster.roster.remove(peer);
    this.#host.scripts.onServerDisconnection(peer);
  }

  /** The link to a server of the bus, whose messages on the bus are handled too. */
  #linkTo(id: string): Peer | undefined {
    const server = this.#bus.presence.servers.get(id);
    return server && this.#link(server.publicAddress);
  }

  #isLinked(publicAddress: string): boolean {
    return this.#link(publicAddress) !== undefined;
  }

  #link(publicAddress: string): Peer | undefined {
    const key = addressKey(publicAddress);
    return this.#host.cluster.roster.all.find((peer) =>
      !this.isOfBus(peer) && addressKey(peer.publicAddress) === key
    );
  }
}
