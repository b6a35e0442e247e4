// Which servers are there. NATS-201 to NATS-203.
import { TokenBucket } from "../common/token_bucket.ts";
import { bye, type Heartbeat, heartbeat } from "./messages.ts";
import type { Post } from "./post.ts";

const HEARTBEAT_INTERVAL = 1_000;
/** Silence after which a server is gone. */
const SILENCE_TIMEOUT = 3_000;
/** A server met for the first time is answered with a heartbeat, at most as often. */
const GREETING_INTERVAL = 100;
/** Heartbeats of a server after which it was running before it was met: a split has healed. */
const FRESH_HEARTBEATS = 2;
/** Time (ms) for which late messages of a server may arrive after its goodbye. */
const BYE_MEMORY = 10_000;

/** Maximum number of servers, and of goodbyes; more are ignored, since any client of the bus can forge them. */
const MAX_SERVERS = 1_024;
const MAX_GONE = 10_000;
/** Servers met at once, and a second in the long run: scripts and the log are told of each. */
const MEETINGS = MAX_SERVERS, MEETINGS_PER_SECOND = 20;

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
  /** @param ranBefore it has been running, so that it may have been here before */
  onServer(server: Neighbor, now: number, ranBefore: boolean): void;
  onGone(server: Neighbor, why: string, now: number): void;
  /** Applications run there that did not before. */
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
  /** A server was met that may not know this one yet. */
  #owesGreeting = false;
  #hasMany = false;
  readonly #meetings = new TokenBucket(MEETINGS, MEETINGS_PER_SECOND);
  /** Ids of servers that were told of because they share an address with another one. */
  readonly #doubles = new Set<string>();

  constructor(post: Post, events: PresenceEvents) {
    this.#post = post;
    this.#events = events;
  }

  /** By id, in the order of their first heartbeats. */
  get servers(): ReadonlyMap<string, Neighbor> {
    return this.#servers;
  }

  /** The bus is there: this server shows itself at once. */
  connected(now: number): void {
    this.#nextAt = now;
  }

  /** The bus is gone: stops sending; silent servers are dropped after the time-out. */
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

  /** Before a server is sent something that it takes of servers it knows alone. */
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
    if (!this.#meetings.take(now)) return; // its next heartbeat comes in a second
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

  /** Two servers that run share an address: scripts see the younger one. */
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
