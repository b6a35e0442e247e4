// The servers on the bus. NATS-201 to NATS-203.
import { TokenBucket } from "../common/token_bucket.ts";
import { bye, type Heartbeat, heartbeat } from "./messages.ts";
import type { Post } from "./post.ts";

const HEARTBEAT_INTERVAL = 1_000;
/** Time (ms) without a heartbeat after which a server counts as stopped. */
const SILENCE_TIMEOUT = 3_000;
/** Minimum time (ms) between two heartbeats that answer new servers. */
const GREETING_INTERVAL = 100;
/** Maximum sequence number of the first heartbeat of a new server; one that is higher was met after a split. */
const FRESH_HEARTBEATS = 2;
/** Time (ms) for which late messages of a server may arrive after its goodbye. */
const BYE_MEMORY = 10_000;

/** Maximum number of servers, and of goodbyes; further ones are ignored, since any client of the bus can forge them. */
const MAX_SERVERS = 1_024;
const MAX_GONE = 10_000;
/** Maximum number of new servers at once, and per second: each causes events of scripts and a line of the log. */
const MAX_MEETINGS = MAX_SERVERS, MAX_MEETINGS_PER_SECOND = 20;

/** Another server on the bus, from its first heartbeat on; a new start has a new id. */
export interface Neighbor extends Omit<Heartbeat, "sequence"> {
  /** Base32. */
  readonly id: string;
  /** Time of its last message, by this server's clock. */
  readonly heardAt: number;
}

type Known = { -readonly [K in keyof Neighbor]: Neighbor[K] } & { sequence: number };

export interface PresenceEvents {
  /** The current description of this server. */
  self(): Omit<Heartbeat, "sequence">;
  /** @param ranBefore it was running before, and so may have been known */
  onServer(server: Neighbor, now: number, ranBefore: boolean): void;
  onGone(server: Neighbor, why: string, now: number): void;
  /** Further applications run there. */
  onPaths(server: Neighbor, paths: string[]): void;
}

export class Presence {
  readonly #servers = new Map<string, Known>();
  readonly #gone = new Map<string, number>();
  readonly #post: Post;
  readonly #events: PresenceEvents;
  #sequence = 0;
  #nextAt = Infinity;
  #lastAt = -Infinity;
  /** A new server may not know this one yet. */
  #owesGreeting = false;
  #hasMany = false;
  readonly #meetings = new TokenBucket(MAX_MEETINGS, MAX_MEETINGS_PER_SECOND);
  /** Ids of servers already logged for sharing an address with another one. */
  readonly #doubles = new Set<string>();

  constructor(post: Post, events: PresenceEvents) {
    this.#post = post;
    this.#events = events;
  }

  /** By id, in the order of their first heartbeats. */
  get servers(): ReadonlyMap<string, Neighbor> {
    return this.#servers;
  }

  /** The bus is connected: sends a heartbeat at once. */
  connected(now: number): void {
    this.#nextAt = now;
  }

  /** The bus is disconnected: stops sending; silent servers are dropped after the time-out. */
  disconnected(): void {
    this.#nextAt = Infinity;
  }

  onHeartbeat(id: string, message: Heartbeat, now: number): void {
    if (this.#gone.has(id)) return;
    const { sequence, ...told } = message;
    const known = this.#servers.get(id);
    if (!known) return this.#meet({ ...told, id, heardAt: now, sequence }, now);
    if (sequence <= known.sequence) return; // late, or a duplicate
    const before = new Set(known.paths);
    const added = told.paths.filter((path) => !before.has(path));
    Object.assign(known, told, { heardAt: now, sequence });
    if (added.length > 0) this.#events.onPaths(known, added);
  }

  /** Call before a message that servers accept only from known servers. */
  greet(now: number): void {
    if (this.#owesGreeting) this.#beat(now);
  }

  onBye(id: string, now: number): void {
    this.#forget(id, now + BYE_MEMORY);
    this.#drop(id, "it has stopped", now);
  }

  /** Says goodbye. */
  close(now: number): void {
    this.#nextAt = Infinity;
    this.#post.send(this.#post.subjects.heartbeat, bye, undefined);
    for (const id of [...this.#servers.keys()]) this.#drop(id, "this server stops", now);
  }

  get deadline(): number {
    let deadline = this.#nextAt;
    for (const { heardAt } of this.#servers.values()) {
      deadline = Math.min(deadline, heardAt + SILENCE_TIMEOUT);
    }
    return deadline;
  }

  flush(now: number): void {
    for (const { id, heardAt } of [...this.#servers.values()]) {
      if (now - heardAt >= SILENCE_TIMEOUT) {
        this.#drop(id, `it was silent for ${SILENCE_TIMEOUT / 1000} s`, now);
      }
    }
    for (const [id, until] of this.#gone) if (now >= until) this.#gone.delete(id);
    if (now >= this.#nextAt) this.#beat(now);
  }

  #beat(now: number): void {
    this.#owesGreeting = false;
    this.#nextAt = now + HEARTBEAT_INTERVAL;
    this.#lastAt = now;
    const message = { ...this.#events.self(), sequence: ++this.#sequence };
    this.#post.send(this.#post.subjects.heartbeat, heartbeat, message);
  }

  /** Ignores late messages of a server. */
  #forget(id: string, until: number): void {
    if (this.#gone.size < MAX_GONE) this.#gone.set(id, until);
  }

  #meet(server: Known, now: number): void {
    const double = [...this.#servers.values()].find(({ publicAddress }) =>
      publicAddress === server.publicAddress
    );
    if (double && double.startedAt > server.startedAt) return this.#warnOfDouble(server);
    if (!double && this.#servers.size >= MAX_SERVERS) return this.#warnOfMany();
    if (!this.#meetings.take(now)) return; // its next heartbeat follows in a second
    if (double) {
      this.#drop(double.id, "it was restarted", now);
      this.#forget(double.id, now + SILENCE_TIMEOUT);
    }
    if (server.publicAddress === this.#events.self().publicAddress) this.#warnOfDouble(server);
    this.#servers.set(server.id, server);
    this.#owesGreeting = true;
    this.#nextAt = Math.min(this.#nextAt, Math.max(now, this.#lastAt + GREETING_INTERVAL));
    this.#events.onServer(server, now, server.sequence > FRESH_HEARTBEATS);
  }

  #warnOfMany(): void {
    if (!this.#hasMany) this.#post.log("warn", `More than ${MAX_SERVERS} servers are on the bus`);
    this.#hasMany = true;
  }

  /** Logs that two running servers share an address: scripts see the younger one. */
  #warnOfDouble({ id, publicAddress }: Known): void {
    if (this.#doubles.has(id) || this.#doubles.size >= MAX_SERVERS) return;
    this.#doubles.add(id);
    this.#post.log("warn", `Two servers on the bus have publicAddress = ${publicAddress}`);
  }

  #drop(id: string, why: string, now: number): void {
    const server = this.#servers.get(id);
    if (!server) return;
    this.#servers.delete(id);
    this.#events.onGone(server, why, now);
  }
}
