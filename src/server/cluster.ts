// The links to other servers: dials targets, admits initiators, dispatches their messages.
// CLU-001 to CLU-032; the bytes are src/cluster's.
import type { Hmac } from "../cluster/authentication.ts";
import { type Identity, MAX_PROPERTIES } from "../cluster/identity.ts";
import { Link } from "../cluster/link.ts";
import { type Peer, Roster } from "../cluster/roster.ts";
import type { Target } from "../cluster/targets.ts";
import { addressText } from "../common/address.ts";
import { sourceKey } from "../common/ip.ts";
import type { LogLevelName } from "../common/log_level.ts";
import { TcpConnection, tcpError, TcpListener } from "../net/tcp.ts";
import { FailureMemory } from "./failure_memory.ts";
import { LinkArrivals } from "./link_arrivals.ts";

/** Ms between two attempts to link to a target (CLU-003), and maximum ms of one attempt. */
const DIAL_INTERVAL = 10_000;
const DIAL_TIMEOUT = 8_000;

/**
 * Maximum number of connections that have not identified themselves, of one source and of all; one more closes
 * the oldest of them, so that other servers can still link.
 */
const MAX_STRANGERS_OF_SOURCE = 16;
const MAX_STRANGERS = 128;
/** Maximum number of servers that have linked to this one. */
const MAX_INITIATORS = 256;
/** Maximum bytes of incomplete frames of all links together. */
const MAX_BUFFERED = 64 * 1024 * 1024;

export interface ClusterOptions {
  /** TCP port for other servers; 0: none. */
  readonly port: number;
  readonly targets: readonly Target[];
  /** `host:port` for clients, or "". */
  readonly publicAddress: string;
  /** UDP port of this server's RTMFP. */
  readonly rtmfpPort: number;
  /** Key of the proofs of both ends; empty: links without proof. */
  readonly secret: Uint8Array;
  readonly hmac: Hmac;
  readonly random: (length: number) => Uint8Array;
  /** Whether a server may link from an address. */
  readonly allows: (ip: string) => boolean;
  readonly now: () => number;
  /** Load that a server has reported elsewhere, by its public address. */
  readonly loadOf?: (publicAddress: string) => Peer["load"];
}

/** Events for the rest of the server, in the order in which they happened. */
export interface ClusterEvents {
  /** Paths of the applications that run here (CLU-065). */
  paths(): Iterable<string>;
  /** A server identified itself; it is in the roster already (API-652). */
  onConnection(peer: Peer): void;
  /** A server has gone, and left the roster already (API-653). */
  onDisconnection(peer: Peer): void;
  /** @returns false if the message cannot be read */
  onMessage(peer: Peer, handler: string, payload: Uint8Array): boolean | void;
  /** Applications run at another server (CLU-031). */
  onRunning(paths: string[]): void;
  log(level: LogLevelName, text: string): void;
  /** Dumps the bytes of a link. CFG-071 */
  dump?(header: string, bytes: Uint8Array): void;
}

/** Handlers before {@link Cluster.start}. */
const SILENT: ClusterEvents = {
  paths: () => [],
  onConnection() {},
  onDisconnection() {},
  onMessage() {},
  onRunning() {},
  log() {},
};

export class Cluster {
  readonly roster = new Roster();
  readonly #options: ClusterOptions;
  #events: ClusterEvents = SILENT;
  readonly #lines = new Set<Line>();
  /** Distinguishes this server from every other one, for the proofs of the secret. */
  readonly #id: Uint8Array;
  readonly #dialled = new Map<Target, Dialled>();
  readonly #failures = new FailureMemory();
  readonly #arrivals = new LinkArrivals();
  #listener: TcpListener | undefined;
  #closed = false;

  constructor(options: ClusterOptions) {
    this.#options = options;
    this.#id = options.random(32);
    for (const target of options.targets) {
      this.#dialled.set(target, { nextAt: -Infinity, line: undefined, failure: "" });
    }
  }

  /**
   * Listens and dials.
   *
   * @throws {Error} if the port cannot be opened
   */
  start(events: ClusterEvents): void {
    this.#events = events;
    const { port, now } = this.#options;
    if (port !== 0) {
      this.#listener = new TcpListener(port, (connection) => this.#accept(connection));
      this.#events.log("note", `Servers may link to TCP port ${this.port}`);
    }
    this.tick(now());
  }

  /** The TCP port that the cluster listens on; 0: none. */
  get port(): number {
    return this.#listener?.port ?? 0;
  }

  /** Targets without a link, with the reason; omits targets that were not tried yet. */
  get failures(): { address: string; failure: string }[] {
    return [...this.#dialled].filter(([, { failure }]) => failure !== "").map((
      [{ address }, { failure }],
    ) => ({ address, failure }));
  }

  /** Call every two seconds: dials targets, and closes dead links. Does nothing before {@link start}. */
  tick(now: number): void {
    if (this.#closed || this.#events === SILENT) return;
    for (const line of [...this.#lines]) {
      const dead = line.link.tick(now);
      if (dead !== undefined) this.#drop(line, dead);
      else line.flush();
    }
    for (const [target, state] of this.#dialled) {
      if (state.line !== undefined || now < state.nextAt) continue;
      state.nextAt = now + DIAL_INTERVAL;
      this.#dial(target);
    }
  }

  /** Tells all linked servers of an application that started here. */
  announce(path: string): void {
    for (const line of this.#lines) {
      line.link.announce([path], this.#options.now());
      line.flush();
    }
  }

  close(): void {
    this.#closed = true;
    this.#listener?.close();
    for (const line of [...this.#lines]) this.#drop(line, "this server stops");
  }

  #accept(connection: TcpConnection): void {
    const { peer } = connection;
    const source = sourceKey(peer.hostname);
    if (!this.#arrivals.allows(source, this.#options.now())) return connection.close();
    const accepted = [...this.#lines].filter(({ target }) => !target);
    const strangers = accepted.filter((line) => !line.peer);
    const why = !this.#options.allows(peer.hostname)
      ? "[servers] allow does not list it"
      : accepted.length - strangers.length >= MAX_INITIATORS
      ? `${MAX_INITIATORS} servers are linked`
      : undefined;
    if (why !== undefined) {
      connection.close();
      return this.#failed(
        peer.hostname,
        `Server link from ${addressText(peer)} refused: ${why}`,
        why,
      );
    }
    const neighbors = strangers.filter((line) =>
      sourceKey(line.connection.peer.hostname) === source
    );
    const [oldest] = strangers;
    const [neighbor] = neighbors;
    if (neighbor && neighbors.length >= MAX_STRANGERS_OF_SOURCE) {
      this.#drop(neighbor, `more than ${MAX_STRANGERS_OF_SOURCE} did not identify themselves`);
    } else if (oldest && strangers.length >= MAX_STRANGERS) {
      this.#drop(oldest, `more than ${MAX_STRANGERS} did not identify themselves`);
    }
    this.#open(connection, undefined);
  }

  async #dial(target: Target): Promise<void> {
    const state = this.#dialled.get(target)!;
    state.line = "dialling";
    this.#events.log("info", `Linking to server ${target.address}`);
    try {
      const connection = await TcpConnection.connect(target.host, target.port, DIAL_TIMEOUT);
      if (this.#closed) return connection.close();
      state.line = this.#open(connection, target);
    } catch (error) {
      state.line = undefined;
      this.#notLinked(target, tcpError(error));
    }
  }

  /** Logs a target that could not be linked, once until the reason changes. */
  #notLinked(target: Target, why: string): void {
    const state = this.#dialled.get(target)!;
    const level = state.failure === why ? "debug" : "warn";
    state.failure = why;
    this.#events.log(level, `No link to server ${target.address}: ${why}`);
  }

  /** Logs a failed connection from a source, once until the reason changes. */
  #failed(source: string, text: string, why: string): void {
    const level = this.#failures.add(source, why) ? "warn" : "debug";
    this.#events.log(level, text);
  }

  #open(connection: TcpConnection, target: Target | undefined): Line {
    const { publicAddress, rtmfpPort, secret, hmac, random, now } = this.#options;
    const speak = (line: Line) =>
      new Link({
        initiator: target !== undefined,
        identity: {
          reach: publicAddress === "" ? { port: rtmfpPort } : { publicAddress },
          properties: target?.properties ?? new Map(),
        },
        handler: {
          onIdentified: (identity) => this.#identified(line, identity),
          onUpdated: ({ properties }) => line.addProperties(properties),
          onRunning: (paths) => this.#events.onRunning(paths),
          onMessage: (handler, payload) => this.#events.onMessage(line.peer!, handler, payload),
        },
        paths: this.#events.paths(),
        secret: secret.length > 0
          ? { key: secret, hmac, end: { id: this.#id, nonce: random(32) } }
          : undefined,
      }, now());
    const line = new Line(connection, target, this.#events, speak);
    this.#lines.add(line);
    connection.start({
      onData: (bytes) => this.#receive(line, bytes),
      onClose: (error) => this.#drop(line, error ?? line.link.closing),
    });
    line.flush();
    return line;
  }

  #receive(line: Line, bytes: Uint8Array): void {
    this.#events.dump?.(`${bytes.length} bytes from server ${line.name}`, bytes);
    try {
      const { unknownHandlers } = line.link;
      line.link.receive(bytes, this.#options.now());
      if (line.link.unknownHandlers > unknownHandlers) {
        this.#events.log(
          "error",
          `Server ${line.name} sent a message for an undefined handler: ignored`,
        );
      }
      line.flush();
    } catch (error) {
      const { message } = error as Error;
      if (line.peer) {
        this.#events.log("error", `Server link with ${line.name} broken: ${message}`);
        if (!line.target) {
          this.#arrivals.broke(sourceKey(line.connection.peer.hostname), this.#options.now());
        }
      }
      return this.#drop(line, message);
    }
    let buffered = 0;
    for (const { link } of this.#lines) buffered += link.buffered;
    if (buffered > MAX_BUFFERED && line.link.buffered > 0) {
      this.#drop(line, `links hold ${buffered} bytes of incomplete messages`);
    }
  }

  #identified(line: Line, { reach, properties }: Identity): void {
    const { connection, target } = line;
    const { loadOf } = this.#options;
    const publicAddress = "publicAddress" in reach
      ? reach.publicAddress
      : addressText({ hostname: connection.peer.hostname, port: reach.port });
    if (target) line.addProperties(target.properties);
    line.addProperties(properties);
    const peer: Peer = {
      address: target?.address ?? addressText(connection.peer),
      publicAddress,
      isTarget: target !== undefined,
      properties: line.properties,
      get load() {
        return loadOf?.(publicAddress);
      },
      send: (handler, payload) => this.#send(line, handler, payload),
    };
    if ([...this.#lines].some(({ peer }) => peer?.publicAddress === publicAddress)) {
      this.#events.log(
        "warn",
        `Server ${publicAddress} has two links: scripts see it twice (CLU-005)`,
      );
    }
    line.peer = peer;
    if (target) this.#dialled.get(target)!.failure = "";
    else this.#failures.forget(connection.peer.hostname);
    this.roster.add(peer);
    this.#events.log("note", `Server ${publicAddress} linked`);
    this.#events.onConnection(peer);
  }

  #send(line: Line, handler: string, payload: Uint8Array): void {
    if (!this.#lines.has(line)) return;
    try {
      const cut = line.link.send(handler, payload, this.#options.now());
      if (cut) this.#events.log("warn", `Handler "${handler.slice(0, 40)}…" cut to 255 bytes`);
      line.flush();
    } catch (error) {
      this.#events.log("error", (error as Error).message);
    }
  }

  #drop(line: Line, why: string): void {
    if (!this.#lines.delete(line)) return;
    line.connection.close();
    const dialled = line.target && this.#dialled.get(line.target);
    if (dialled) {
      dialled.line = undefined;
      dialled.nextAt = this.#options.now() + DIAL_INTERVAL;
    }
    const peer = line.peer;
    if (!peer) {
      if (this.#closed) return;
      if (line.target) return this.#notLinked(line.target, why);
      const { hostname } = line.connection.peer;
      return this.#failed(hostname, `Server link from ${line.name} closed: ${why}`, why);
    }
    if (line.target) this.#dialled.get(line.target)!.failure = why;
    this.roster.remove(peer);
    this.#events.log("note", `Server ${peer.publicAddress} gone: ${why}`);
    this.#events.onDisconnection(peer);
  }
}

/** State of a target. */
interface Dialled {
  nextAt: number;
  line: Line | "dialling" | undefined;
  /** Reason why the target is not linked; "" if it is, or was not tried yet. */
  failure: string;
}

/** A connection with its protocol state machine. */
class Line {
  readonly link: Link;
  peer: Peer | undefined;
  readonly properties = new Map<string, string>();

  constructor(
    readonly connection: TcpConnection,
    readonly target: Target | undefined,
    readonly events: Pick<ClusterEvents, "dump">,
    speak: (line: Line) => Link,
  ) {
    this.link = speak(this);
  }

  get name(): string {
    return this.target?.address ?? addressText(this.connection.peer);
  }

  flush(): void {
    const bytes = this.link.take();
    if (bytes.length > 0) this.events.dump?.(`${bytes.length} bytes to server ${this.name}`, bytes);
    this.connection.write(bytes);
  }

  /** Adds properties; known ones keep their values (CLU-013). */
  addProperties(properties: ReadonlyMap<string, string>): void {
    for (const [name, value] of properties) {
      if (this.properties.size >= MAX_PROPERTIES) return;
      if (!this.properties.has(name)) this.properties.set(name, value);
    }
  }
}
