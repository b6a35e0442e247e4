// Connects the pure state machines of src/bus to NATS and to this server. A failure of the bus never
// affects the service to clients of this server.
import { Bus, type BusUser, type Wire } from "../bus/bus.ts";
import type { BusFrame } from "../bus/frames.ts";
import { Gate } from "../bus/gate.ts";
import type { Found, Load, Lookup } from "../bus/messages.ts";
import type { Neighbor } from "../bus/presence.ts";
import { LogLevel } from "../common/log_level.ts";
import type { Hub } from "../media/hub.ts";
import type { BusStatus } from "../monitor/snapshot.ts";
import { NatsConnection } from "../net/nats_connection.ts";
import { authenticatorOf } from "../net/nats_credentials.ts";
import type { Endpoint, PeerHello } from "../rtmfp/endpoint.ts";
import { BusGroups } from "./bus_groups.ts";
import { BusPublications } from "./bus_publications.ts";
import { BusSeekers, type Release } from "./bus_seekers.ts";
import { BusServers } from "./bus_servers.ts";
import { answerOf, helloOf, lookupOf, originAddresses } from "./bus_lookups.ts";
import type { Cluster } from "./cluster.ts";
import { hmacSha256, sha256 } from "./digests.ts";
import type { Log } from "../log/log.ts";
import type { Scripts } from "./scripts.ts";
import { busFault, type Config } from "../config/settings.ts";
import { StartError } from "./start_error.ts";

/** Minimum ms between two checks for due work. */
const CHECK_INTERVAL = 5;
/** The part of a subject that encodes a name, an id or a group. */
const DIGEST = /\b[a-z2-7]{26}\b/g;
/** Maximum number of different failures logged per connection. */
const MAX_LOGGED = 64;

export interface BusHost {
  readonly config: Config;
  readonly log: Log;
  readonly hub: Hub;
  readonly endpoint: Endpoint;
  readonly cluster: Cluster;
  readonly scripts: Scripts;
  readonly now: () => number;
  readonly random: (length: number) => Uint8Array;
  /** Processes an input from outside; its output is sent afterwards. */
  readonly input: (what: string, action: () => void) => void;
  /** Milliseconds by which the event loop is late. */
  readonly lag: () => number;
  /** Asks the applications about a peer that no server has. */
  readonly rendezvousUnknown: (hello: PeerHello) => void;
}

export class ServerBus implements Wire, BusUser<PeerHello> {
  readonly servers: BusServers;
  readonly #host: BusHost;
  readonly #bus: Bus<PeerHello>;
  readonly #nats: NatsConnection;
  readonly #gate = new Gate();
  readonly #publications: BusPublications;
  readonly #groups: BusGroups;
  readonly #seekers: BusSeekers | undefined;
  readonly #startedAt = Date.now();
  #timer: ReturnType<typeof setTimeout> | undefined;
  #timerAt = Infinity;
  #closed = false;
  /** Failures logged since the bus was last connected, without the names in subjects. */
  readonly #logged = new Set<string>();

  /** @throws {StartError} if the configuration is incomplete or a file cannot be read */
  constructor(host: BusHost) {
    const { config, log, hub, random } = host;
    const fault = busFault(config);
    if (fault !== undefined) throw new StartError(fault);
    this.#host = host;
    const offset = Date.now() - host.now();
    this.#bus = new Bus(this, {
      cluster: config["bus.cluster"],
      secret: new TextEncoder().encode(config["bus.secret"]),
      hmac: hmacSha256,
      sha256,
      random,
      epoch: (now) => now + offset,
      log: (level, text) => log.write(LogLevel[level], text, "Bus", 0),
    }, this);
    this.servers = new BusServers(host, this.#bus, this.#startedAt);
    this.#groups = new BusGroups(hub);
    const wanted = config["bus.publications"];
    const relays = wanted === "on" || (wanted === "auto" && config["servers.targets"].length === 0);
    this.#publications = new BusPublications({
      hub,
      log,
      machine: this.#bus.publications,
      on: relays,
      servers: this.servers,
      wake: () => this.#wake(),
    });
    if (relays) this.#seekers = new BusSeekers(host);
    hub.watcher = {
      onPublished: (publication) => this.#changed(() => this.#publications.published(publication)),
      onUnpublished: (publication) =>
        this.#changed(() => this.#publications.unpublished(publication)),
      onListeners: (publication) => this.#changed(() => this.#publications.listeners(publication)),
      onJoined: (group, client) =>
        this.#changed(() => this.#bus.groups.joined(group.id, client.rawId, hub.now)),
      onLeft: (group, client) => this.#changed(() => this.#bus.groups.left(group.id, client.rawId)),
    };
    this.#nats = new NatsConnection({
      servers: config["bus.servers"],
      name: `CumulusServer ${config.publicAddress}`,
      user: config["bus.user"] || undefined,
      password: config["bus.password"],
      authenticator: authenticator(config["bus.credentials"]),
      ca: certificates(config["bus.ca"]),
    }, {
      onConnected: (server) => this.#onConnected(server),
      onDisconnected: () => this.#onDisconnected(),
      onMessage: (subject, bytes) =>
        this.#input(
          "Cannot receive a message of the bus",
          (now) => this.#bus.receive(subject, bytes, now),
        ),
      onError: (error) => this.#onError(error),
    });
  }

  /** Asks the other servers for a peer. @returns false if it asks none */
  find(hello: PeerHello): boolean {
    if (!this.#gate.open || this.#bus.presence.servers.size === 0) return false;
    const asked = this.#bus.lookups.find(lookupOf(hello), hello, this.#host.now());
    this.#wake();
    return asked;
  }

  /** Waits for a publication of another server; see {@link BusSeekers.seek}. */
  async seek(name: string): Promise<Release | undefined> {
    if (!this.#gate.open || this.#bus.presence.servers.size === 0) return undefined;
    return await this.#seekers?.seek(name);
  }

  get numbers(): BusStatus {
    const { counters, lookups, publications } = this.#bus;
    const { messages, bytes, droppedMedia, droppedControl } = this.#gate.counters;
    return {
      connected: this.#gate.open,
      messagesIn: counters.messages,
      messagesOut: messages,
      bytesIn: counters.bytes,
      bytesOut: bytes,
      dropped: {
        media: droppedMedia,
        control: droppedControl,
        unreadable: counters.unreadable + this.#nats.overflowed, // a flood: dropped unread
      },
      lookups: { ...lookups.counters },
      relays: publications.relays,
      claimsLost: publications.counters.claimsLost,
    };
  }

  /** Says goodbye to the other servers. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#host.hub.watcher = undefined;
    this.#bus.close(this.#host.now());
    this.#closed = true;
    clearTimeout(this.#timer);
    await this.#nats.close();
  }

  // Wire

  get maxPayload(): number {
    return this.#nats.maxPayload;
  }

  publish(subject: string, bytes: Uint8Array, isMedia: boolean): boolean {
    if (!this.#gate.admit(bytes.length, isMedia)) return false;
    const sent = this.#nats.publish(subject, bytes);
    const mark = this.#gate.confirmationDue();
    if (mark !== undefined) this.#nats.flush().then(() => this.#gate.confirmed(mark), () => {});
    return sent;
  }

  subscribe(subject: string): void {
    this.#nats.subscribe(subject);
  }

  unsubscribe(subject: string): void {
    this.#nats.unsubscribe(subject);
  }

  // BusUser

  self() {
    const { config, hub, scripts, lag } = this.#host;
    let publications = 0;
    for (const _ of hub.published()) publications++;
    const load: Load = { clients: hub.clients.size, publications, lag: Math.round(lag()) };
    return {
      startedAt: this.#startedAt,
      publicAddress: config.publicAddress,
      load,
      properties: config["bus.properties"],
      paths: [...scripts.paths()],
    };
  }

  onServer(server: Neighbor): void {
    this.servers.added(server);
  }

  onGone(server: Neighbor, why: string): void {
    this.servers.removed(server, why);
  }

  onPaths(_server: Neighbor, paths: string[]): void {
    this.#host.scripts.onServerRunning(paths);
  }

  onCall({ id }: Neighbor, handler: string, payload: Uint8Array): void {
    this.servers.called(id, handler, payload);
  }

  onLookup(lookup: Lookup): Pick<Found, "addresses" | "silence"> | undefined {
    const hello = helloOf(lookup);
    const found = hello && this.#host.endpoint.introduceFor(hello, this.#host.now());
    return found && answerOf(found);
  }

  onFound(hello: PeerHello, addresses: readonly string[]): void {
    this.#host.endpoint.redirectPeer(hello, originAddresses(addresses), this.#host.now());
  }

  onNobody(_peerId: Uint8Array, hello: PeerHello): void {
    this.#host.rendezvousUnknown(hello);
  }

  localMembers(group: string): readonly Uint8Array[] {
    return this.#groups.localMembers(group);
  }

  localCount(group: string): number {
    return this.#host.hub.groups.get(group)?.size ?? 0;
  }

  onMember(group: string, peerId: Uint8Array): void {
    this.#groups.add(group, peerId);
  }

  onMemberGone(group: string, peerId: Uint8Array): void {
    this.#groups.remove(group, peerId);
  }

  onInterest(name: string, wanted: boolean): void {
    this.#publications.interest(name, wanted);
  }

  snapshot(name: string): Iterable<BusFrame> {
    return this.#publications.snapshot(name);
  }

  onTaken(name: string, server: string): void {
    this.#publications.taken(name, server);
  }

  onBegin(name: string, server: string): void {
    this.#publications.begin(name, server);
  }

  onFrame(name: string, frame: BusFrame, lost: boolean): void {
    this.#publications.frame(name, frame, lost);
  }

  onEnd(name: string): void {
    this.#publications.end(name);
  }

  #onConnected(server: string): void {
    this.#gate.open = true;
    this.#logged.clear();
    this.#host.log.note(`Connected to the bus at ${server}`);
    this.#input("Cannot join the bus", (now) => this.#bus.connected(now));
  }

  #onDisconnected(): void {
    this.#gate.open = false;
    if (this.#closed) return;
    this.#host.log.warn("Not connected to the bus: other servers are unreachable until it returns");
    this.#bus.disconnected();
  }

  /** Logs each failure, and each refused kind of subject, once per connection. */
  #onError(error: string): void {
    if (this.#closed) return;
    const kind = error.replace(DIGEST, "*");
    const level = this.#logged.has(kind) || this.#logged.size >= MAX_LOGGED
      ? LogLevel.debug
      : LogLevel.warn;
    if (level === LogLevel.warn) this.#logged.add(kind);
    this.#host.log.write(level, `Bus: ${error}`, "Bus", 0);
  }

  #input(what: string, action: (now: number) => void): void {
    if (this.#closed) return;
    this.#host.input(what, () => action(this.#host.now()));
    this.#wake();
  }

  /** Notes a change of this server that other servers may need. */
  #changed(action: () => void): void {
    action();
    this.#wake();
  }

  /** Frames are frequent: checks for due work a few milliseconds later. */
  #wake(): void {
    const at = this.#host.now() + CHECK_INTERVAL;
    if (this.#timerAt <= at || this.#closed) return;
    this.#sleep(at);
  }

  #sleep(until: number): void {
    clearTimeout(this.#timer);
    this.#timerAt = until;
    if (until === Infinity) return;
    this.#timer = setTimeout(() => this.#flush(), Math.max(0, until - this.#host.now()));
  }

  #flush(): void {
    this.#timerAt = Infinity;
    this.#host.input("Cannot send to the bus", () => this.#bus.flush(this.#host.now()));
    if (!this.#closed) this.#sleep(Math.max(this.#bus.deadline, this.#host.now() + CHECK_INTERVAL));
  }
}

/** Reads the file for every connection; keeps its last content while it is unreadable. */
function authenticator(path: string) {
  if (path === "") return undefined;
  let known: Uint8Array | undefined;
  const read = () => {
    try {
      return known = Deno.readFileSync(path);
    } catch (error) {
      if (known) return known;
      throw error;
    }
  };
  return named("credentials", path, () => authenticatorOf(read));
}

/** Checks the file at the start: otherwise every attempt to connect would fail. */
function certificates(path: string): string | undefined {
  if (path === "") return undefined;
  return named("ca", path, () => {
    if (!Deno.readTextFileSync(path).includes("-----BEGIN CERTIFICATE-----")) {
      throw new Error("no certificate in it");
    }
    return path;
  });
}

function named<T>(key: string, path: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw new StartError(`[bus] ${key} = ${path}: ${(error as Error).message}`);
  }
}
