// A server on the bus: dispatches its messages to the state machines of this room.
import { Reader } from "../bytes/reader.ts";
import { WireError } from "../bytes/wire_error.ts";
import { Envelope, type Hmac, ID_LENGTH, type MessageCodec } from "./envelope.ts";
import { Groups, type RemoteGroupEvents } from "./groups.ts";
import { type LookupEvents, Lookups } from "./lookups.ts";
import * as messages from "./messages.ts";
import type { Post } from "./post.ts";
import { type Neighbor, Presence, type PresenceEvents } from "./presence.ts";
import { Publications, type PublicationsUser } from "./publications.ts";
import { Subjects } from "./subjects.ts";

/** Bytes reserved for envelope, name and numbers of a message. */
const HEAD = 1024;

/** Carrier of messages: NATS, or a fake in tests. A message arrives once, or is lost. */
export interface Wire {
  /** Maximum length of a message in bytes. */
  readonly maxPayload: number;
  /** @returns false if the message was dropped */
  publish(subject: string, bytes: Uint8Array, isMedia: boolean): boolean;
  subscribe(subject: string): void;
  unsubscribe(subject: string): void;
}

interface BusOptions {
  /** `[a-z0-9-]{1,32}` */
  readonly cluster: string;
  readonly secret: Uint8Array;
  readonly hmac: Hmac;
  readonly sha256: (bytes: Uint8Array) => Uint8Array;
  readonly random: (length: number) => Uint8Array;
  /** Milliseconds since 1970 of a time of this server's clock. */
  readonly epoch: (now: number) => number;
  /** Log of the bus. */
  readonly log: Post["log"];
}

/** `T`: the user's data for answering a lookup. */
export interface BusUser<T>
  extends PresenceEvents, LookupEvents<T>, RemoteGroupEvents, PublicationsUser {
  /** A server calls a handler. */
  onCall(server: Neighbor, handler: string, payload: Uint8Array): void;
}

/**
 * Pure: {@link receive} takes a message, {@link flush} sends all that is due by `now`, and
 * {@link deadline} says when to call it next. Local service never needs the bus: servers repeat their
 * state to each other, and forget state that is not repeated.
 */
export class Bus<T> implements Post {
  readonly subjects: Subjects;
  readonly presence: Presence;
  readonly lookups: Lookups<T>;
  readonly groups: Groups;
  readonly publications: Publications;
  /** Received messages, their bytes, and unreadable messages. */
  readonly counters = { messages: 0, bytes: 0, unreadable: 0 };
  readonly log: Post["log"];
  readonly #wire: Wire;
  readonly #envelope: Envelope;
  readonly #options: BusOptions;
  readonly #user: BusUser<T>;
  #connected = false;
  #subscribed = false;
  #warned = false;

  constructor(wire: Wire, options: BusOptions, user: BusUser<T>) {
    this.#wire = wire;
    this.#options = options;
    this.#user = user;
    this.log = options.log;
    this.#envelope = new Envelope(options.random(ID_LENGTH), options.secret, options.hmac);
    this.subjects = new Subjects(options.cluster, options.sha256);
    this.presence = new Presence(this, {
      self: () => user.self(),
      onServer: (server, now, ranBefore) => this.#met(server, now, ranBefore),
      onGone: (server, why, now) => this.#gone(server, why, now),
      onPaths: (server, paths) => user.onPaths(server, paths),
    });
    this.lookups = new Lookups(this, user);
    this.groups = new Groups(this, user);
    this.publications = new Publications(this, user, options.epoch);
  }

  get isConnected(): boolean {
    return this.#connected;
  }

  /** The bus is connected, for the first time or again; the wire keeps the subscriptions. */
  connected(now: number): void {
    this.#connected = true;
    if (!this.#subscribed) {
      this.#subscribed = true;
      const { heartbeat, lookup, calls } = this.subjects;
      for (const subject of [heartbeat, lookup, calls, this.subjects.server(this.self)]) {
        this.subscribe(subject);
      }
    }
    this.presence.connected(now);
    this.groups.tellAgain(now);
    this.publications.connected(now);
  }

  disconnected(): void {
    this.#connected = false;
    this.presence.disconnected();
  }

  /** Processes a message, whose bytes the caller may reuse. Counts malformed ones. */
  receive(subject: string, bytes: Uint8Array, now: number): void {
    this.counters.messages++;
    this.counters.bytes += bytes.length;
    try {
      this.#receive(subject, bytes, now);
    } catch (error) {
      if (!(error instanceof WireError)) throw error;
      this.counters.unreadable++;
      this.log(this.#warned ? "debug" : "warn", error.message);
      this.#warned = true;
    }
  }

  /** Calls a handler of another server. @returns false if the message was dropped */
  call(server: string, handler: string, payload: Uint8Array, now: number): boolean {
    this.presence.greet(now);
    return this.send(this.subjects.server(server), messages.call, { handler, payload });
  }

  /** Calls a handler of several servers by one message. @param servers base32 of their ids */
  callAll(servers: readonly string[], handler: string, payload: Uint8Array, now: number): boolean {
    this.presence.greet(now);
    const marks = servers.map(messages.markOf);
    return this.send(this.subjects.calls, messages.callOfMany, { marks, handler, payload });
  }

  get deadline(): number {
    const { presence, lookups, groups, publications } = this;
    return Math.min(
      presence.deadline,
      lookups.deadline,
      ...this.#connected ? [groups.deadline, publications.deadline] : [],
    );
  }

  flush(now: number): void {
    this.presence.flush(now);
    this.lookups.flush(now);
    if (!this.#connected) return;
    this.groups.flush(now);
    this.publications.flush(now);
  }

  /** Leaves the bus in order. */
  close(now: number): void {
    this.presence.close(now);
    this.#connected = false;
  }

  // Post

  get self(): string {
    return this.#envelope.self;
  }

  get maxBody(): number {
    return Math.max(HEAD, this.#wire.maxPayload - HEAD); // at least 1 KiB, for media frames
  }

  random(below: number): number {
    const value = new Reader(this.#options.random(4)).u32();
    return Math.floor(value / 2 ** 32 * below);
  }

  send<M>(subject: string, codec: MessageCodec<M>, message: M, isMedia = false): boolean {
    return this.#wire.publish(subject, this.#envelope.seal(subject, codec, message), isMedia);
  }

  subscribe(subject: string): void {
    this.#wire.subscribe(subject);
  }

  unsubscribe(subject: string): void {
    this.#wire.unsubscribe(subject);
  }

  #receive(subject: string, bytes: Uint8Array, now: number): void {
    const opened = this.#envelope.open(subject, bytes);
    if (!opened) return;
    const { sender, kind, body } = opened;
    const { presence, lookups, groups, publications } = this;
    switch (kind) {
      case messages.heartbeat.kind:
        return presence.onHeartbeat(sender, messages.heartbeat.read(body), now);
      case messages.bye.kind:
        return presence.onBye(sender, now);
      case messages.call.kind: {
        const { handler, payload } = messages.call.read(body);
        const server = presence.servers.get(sender);
        return server && this.#user.onCall(server, handler, payload);
      }
      case messages.callOfMany.kind: {
        const { marks, handler, payload } = messages.callOfMany.read(body);
        const server = presence.servers.get(sender);
        if (!server || !marks.includes(messages.markOf(this.self))) return;
        return this.#user.onCall(server, handler, payload);
      }
      case messages.lookup.kind:
        return lookups.onLookup(sender, messages.lookup.read(body));
      case messages.found.kind:
        return lookups.onFound(messages.found.read(body), now);
    }
    // Ignored from unknown servers: their state would remain if their end was missed.
    if (!presence.servers.has(sender)) return;
    switch (kind) {
      case messages.members.kind:
        return groups.onMembers(sender, messages.members.read(body), now);
      case messages.memberLeft.kind: {
        const { group, peer } = messages.memberLeft.read(body);
        return groups.onMemberLeft(sender, group, peer);
      }
      case messages.claim.kind:
        return publications.onClaim(sender, messages.claim.read(body), now);
      case messages.end.kind:
        return publications.onEnd(sender, messages.end.read(body), now);
      case messages.join.kind:
        return publications.onJoin(sender, messages.join.read(body), now);
      case messages.leave.kind:
        return publications.onLeave(sender, messages.leave.read(body));
      case messages.state.kind:
        return publications.onState(sender, messages.state.read(body), now);
      case messages.media.kind:
        return publications.onMedia(sender, messages.media.read(body));
      default:
        throw new WireError(`Cannot read a message of the bus of kind ${kind}`);
    }
  }

  /** Meets a server. A split of the bus may have healed: repeats the state that the other side missed. NATS-433. */
  #met(server: Neighbor, now: number, ranBefore: boolean): void {
    if (ranBefore) {
      this.groups.tellAgain(now);
      this.publications.claimAgain(now);
    }
    this.#user.onServer(server, now, ranBefore);
  }

  #gone(server: Neighbor, why: string, now: number): void {
    this.#user.onGone(server, why, now);
    this.groups.onServerGone(server.id);
    this.publications.onServerGone(server.id, now);
  }
}
