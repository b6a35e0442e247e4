import type { AmfReader } from "../amf/amf_reader.ts";
import { toHex } from "../bytes/hex.ts";
import type { LogLevelName } from "../common/log_level.ts";
import type { Applications } from "./application.ts";
import { Client, type ClientInfo } from "./client.ts";
import type { Connection, GroupOutput, PublisherOutput } from "./connection.ts";
import { minus, plus } from "./few.ts";
import { Frame } from "./frame.ts";
import { Group, type GroupEvents, type Member } from "./group.ts";
import { Listener, type ListenerOptions, type ListenerOutput } from "./listener.ts";
import { Publication, type PublicationEvents, type PublishType } from "./publication.ts";
import { Publisher } from "./publisher.ts";
import { type NameOptions, NameRules } from "./name_rules.ts";
import { RecentBytes } from "./recent_frames.ts";
import type { Recordings } from "./recordings.ts";
import { MustWait, NameTaken, Refused, UnknownApplication } from "./refused.ts";
import { Sessions } from "./sessions.ts";
import { WaitingInput } from "./waiting_input.ts";
import type { HubWatcher } from "./watcher.ts";
import {
  SHARED_OBJECT_BOUNDS,
  type SharedObjectBounds,
  SharedObjects,
  type SharedObjectStore,
} from "./shared_objects.ts";

export interface HubOptions {
  /** A number from 0 up to and without `below`. */
  random(below: number): number;
  log(level: LogLevelName, text: string): void;
  /** The canonical text of an IP address; undefined if it is none. */
  ip(text: string): string | undefined;
  /** Bytes that may wait for a listener; 8 MiB unless told. */
  sendQueue?: number;
  /** Bytes that a publication keeps since its last key frame; none unless told. */
  recent?: number;
  /** How publishers keep their names; see {@link NAMES} unless told. */
  names?: () => NameOptions;
  /** Bounds of shared objects; see {@link SHARED_OBJECT_BOUNDS} unless told. */
  sharedObjects?: SharedObjectBounds;
  /** Where persistent shared objects are kept; none: there are none. */
  sharedObjectStore?: SharedObjectStore;
}

const NAMES: NameOptions = { publisherTimeout: 20_000, takeOver: "address" };
/** Bytes that all publications together keep since their last key frames. */
const MOST_RECENT = 256 << 20;

/**
 * The clients of this server with their publications, subscriptions and groups. Doors add clients
 * and pass on their requests, scripts reach all of it, and the client's application is asked before
 * each step.
 */
export class Hub implements PublicationEvents, GroupEvents {
  /** Monotonic time in ms; the event loop sets it before every call. */
  now = 0;
  /** What doors serve, whether connected or not. */
  readonly sessions = new Sessions();
  /** Accepted clients by id; of several with the same id the newest. */
  readonly clients = new Map<string, Client>();
  /** By name, those without a publisher too: see {@link published}. */
  readonly publications = new Map<string, Publication>();
  /** By id. */
  readonly groups = new Map<string, Group>();
  /** Banned IP addresses in their canonical text. API-123. */
  readonly blacklist = new Set<string>();
  readonly recentBytes: RecentBytes;
  readonly sharedObjects: SharedObjects;
  /** What clients ask of applications that let others go first. */
  readonly waiting = new WaitingInput();
  /** Recordings; undefined: the server neither records nor plays files. */
  recordings: Recordings | undefined;
  /** Tells other servers; undefined: there are none. */
  watcher: HubWatcher | undefined;
  readonly #names: NameRules;
  #options: HubOptions;
  #accepted = new Set<Client>();
  #lastStream = 0;
  /** The publication of a listener whose application is being asked. */
  #wanted: Publication | undefined;

  #applications: Applications | undefined;

  constructor(options: HubOptions) {
    this.#options = options;
    this.recentBytes = new RecentBytes(options.recent ?? 0, MOST_RECENT);
    this.sharedObjects = new SharedObjects(
      options.sharedObjects ?? SHARED_OBJECT_BOUNDS,
      () => this.now,
      options.sharedObjectStore,
    );
    this.#names = new NameRules(options.names ?? (() => NAMES), this);
  }

  /** Lets clients in: applications, which are made of a hub, answer for them from now on. */
  serve(applications: Applications): void {
    this.#applications = applications;
  }

  /** @throws {Error} before {@link serve} */
  get applications(): Applications {
    if (!this.#applications) throw new Error("the hub serves no applications yet");
    return this.#applications;
  }

  log(level: LogLevelName, text: string): void {
    this.#options.log(level, text);
  }

  /** A new server-wide id of a stream. */
  newStreamId(): number {
    return ++this.#lastStream;
  }

  // Clients

  /**
   * Asks the application of a path whether a client may come in.
   *
   * @param values the parameters of `connect`
   * @returns the accepted client, and what its application adds to the answer (see
   *   `Application.connect`)
   * @throws {UnknownApplication} API-703
   * @throws {MustWait} the application lets others go first and was not asked
   * @throws {Refused} API-702
   */
  connect(
    info: ClientInfo,
    connection: Connection,
    values: AmfReader,
  ): { client: Client; members: Uint8Array | undefined } {
    const application = this.applications.open(info.path);
    if (!application) throw new UnknownApplication(info.path);
    if (application.waits?.("call")) throw new MustWait(application);
    const client = new Client(info, connection, application);
    let members: Uint8Array | undefined;
    try {
      members = application.connect(client, values);
    } catch (error) {
      client.state = "gone";
      throw error;
    }
    client.state = "connected";
    this.clients.set(client.id, client);
    this.#accepted.add(client);
    return { client, members };
  }

  /**
   * Removes a client that has left. Called once for every accepted client: ends its streams and
   * memberships first, in the order of API-640.
   *
   * @param failure why, if that was not in good order. API-639.
   */
  disconnect(client: Client, failure?: string): void {
    if (client.state !== "connected") return;
    client.state = "leaving";
    const { application } = client;
    const bugs: unknown[] = [];
    const step = (action: () => void) => {
      try {
        action();
      } catch (bug) {
        bugs.push(bug); // what comes after has to happen all the same
      }
    };
    for (const member of client.memberships) step(() => this.leave(member));
    const user = client.sharedObjectUser;
    if (user) step(() => this.sharedObjects.leave(user));
    if (failure !== undefined) {
      this.log("warn", `Client ${client.id} at ${client.address} failed: ${failure}`);
      step(() => application.failed(client, failure));
    }
    for (const publisher of client.publishers) step(() => this.unpublish(publisher));
    for (const listener of client.listeners) step(() => this.unsubscribe(listener));
    this.#accepted.delete(client);
    if (this.clients.get(client.id) === client) this.clients.delete(client.id);
    step(() => application.disconnect(client));
    client.state = "gone";
    if (bugs.length > 0) throw bugs[0];
  }

  // Publications

  /** The publications that have a publisher. API-401, API-402. */
  *published(): Generator<Publication> {
    for (const publication of this.publications.values()) {
      if (publication.publishing) yield publication;
    }
  }

  /**
   * A client's stream wants to publish. The door tells the client, then calls
   * {@link Publisher.start}.
   *
   * @param id of the stream, see {@link newStreamId}
   * @param properties parameters that the client added to the name
   * @param type what it asks to be done besides
   * @throws {NameTaken} API-710
   * @throws {Refused} API-711
   */
  publish(
    client: Client,
    name: string,
    id: number,
    output: PublisherOutput,
    properties?: ReadonlyMap<string, string>,
    type: PublishType = "live",
  ): Publisher {
    const taken = this.#publication(name);
    const given = taken.publishing && this.#names.give(taken, client);
    if (taken.publishing) throw new NameTaken(name);
    const publication = this.#publication(name); // that was forgotten if nobody listened
    publication.begin({ id, client, output, properties, type });
    const publisher = new Publisher(client, publication);
    try {
      if (given !== "asked") client.application.publish(client, publication);
      if (client.state !== "connected") throw new Refused(); // it was sent away meanwhile
    } catch (error) {
      publisher.active = false;
      publication.end();
      this.#release(publication);
      throw error;
    }
    client.publishers = plus(client.publishers, publisher);
    this.watcher?.onPublished(publication);
    const { recordings } = this;
    const isAsked = type !== "live" && recordings?.clientsMayRecord;
    if (!isAsked) recordings?.published(publication, client.path, client.application.path);
    return publisher;
  }

  /** A publisher publishes no more. API-644. */
  unpublish(publisher: Publisher): void {
    if (!publisher.active) return;
    publisher.active = false;
    const { client, publication } = publisher;
    for (const listener of publication.listeners.values()) listener.unpublished();
    try {
      client?.application.unpublish(client, publication);
    } finally {
      if (client) client.publishers = minus(client.publishers, publisher);
      publication.end();
      this.watcher?.onUnpublished(publication);
      this.#release(publication);
    }
  }

  /**
   * Ends the publisher of a name, and tells it the reason.
   * @param code without `NetStream.`
   */
  revoke(publication: Publication, code: string, description: string): void {
    const { publisher: client, output } = publication;
    const publisher = typeof client === "object" &&
      client.publishers.find((one) => one.publication === publication);
    if (!publisher) return publication.close(code, description);
    this.unpublish(publisher);
    output?.status(code, description);
    output?.close();
  }

  /**
   * Publishes for the server itself: a file, or a stream of another server. Applications are neither
   * asked nor told. The caller then calls {@link Publisher.start}.
   *
   * @param origin its kind, as the statistics show it
   * @throws {NameTaken}
   */
  relay(name: string, origin: string, output?: PublisherOutput): Publisher {
    const publication = this.#publication(name);
    if (publication.publishing) throw new NameTaken(name);
    publication.begin({ id: this.newStreamId(), client: origin, output });
    this.watcher?.onPublished(publication);
    return new Publisher(undefined, publication);
  }

  /**
   * Something of this server listens: a recording, or another server. No application is asked or
   * told, and scripts find it in `publication.listeners` like others. The caller then calls
   * {@link Listener.start}, and {@link unsubscribe} in the end.
   */
  attach(name: string, output: ListenerOutput, options?: ListenerOptions): Listener {
    const publication = this.#publication(name);
    const listener = this.#listener(this.newStreamId(), undefined, publication, output, options);
    publication.listeners.set(listener.id, listener);
    this.watcher?.onListeners(publication);
    return listener;
  }

  /**
   * A script publishes. API-127.
   * @param ended called when it does not any more
   * @throws {NameTaken}
   */
  publishFromScript(name: string, ended?: () => void): Publication {
    const publication = this.#publication(name);
    if (publication.publishing) throw new NameTaken(name);
    publication.begin({ id: this.newStreamId(), client: "script", output: undefined, ended });
    this.watcher?.onPublished(publication);
    for (const listener of publication.listeners.values()) listener.published();
    return publication;
  }

  /** A script's publication is closed. API-418. */
  onClose(publication: Publication): void {
    if (publication.publisher !== "script") return;
    for (const listener of publication.listeners.values()) listener.unpublished();
    const ended = publication.onEnded;
    publication.end();
    this.watcher?.onUnpublished(publication);
    this.#release(publication);
    ended?.();
  }

  /**
   * A client's stream wants to play a name, which may have no publisher yet. The door tells the
   * client, then calls {@link Listener.start}.
   *
   * @throws {Refused} API-715
   */
  subscribe(
    client: Client,
    name: string,
    id: number,
    output: ListenerOutput,
    options?: ListenerOptions,
  ): Listener {
    return this.#subscribe(client, this.#publication(name), id, output, options);
  }

  /**
   * A client's stream wants to play a recording, which has no publisher and is in no list. The caller
   * then calls {@link Listener.start}, and sends the frames itself. VOD-081.
   *
   * @param metadata the AMF0 of the values of its `onMetaData`
   * @throws {Refused} API-715
   */
  subscribeRecorded(
    client: Client,
    name: string,
    id: number,
    output: ListenerOutput,
    metadata: Uint8Array | undefined,
    options?: ListenerOptions,
  ): Listener {
    const publication = new Publication(name, this, true);
    if (metadata) publication.remember(new Frame("data", 0, metadata, "onMetaData"));
    return this.#subscribe(client, publication, id, output, options);
  }

  /** A client's stream plays no more. API-647. */
  unsubscribe(listener: Listener): void {
    if (!listener.active) return;
    listener.active = false;
    const { client, publication } = listener;
    try {
      client?.application.unsubscribe(client, listener);
    } finally {
      publication.listeners.delete(listener.id);
      if (client) client.listeners = minus(client.listeners, listener);
      this.watcher?.onListeners(publication);
      this.#release(publication);
    }
  }

  #subscribe(
    client: Client,
    publication: Publication,
    id: number,
    output: ListenerOutput,
    options: ListenerOptions | undefined,
  ): Listener {
    const listener = this.#listener(id, client, publication, output, options);
    this.#wanted = publication; // its publisher may end while the script is asked
    try {
      client.application.subscribe(client, listener);
      if (client.state !== "connected") throw new Refused();
    } catch (error) {
      listener.active = false;
      this.#wanted = undefined;
      this.#release(publication);
      throw error;
    }
    this.#wanted = undefined;
    publication.listeners.set(id, listener);
    client.listeners = plus(client.listeners, listener);
    this.watcher?.onListeners(publication);
    return listener;
  }

  #listener(
    id: number,
    client: Client | undefined,
    publication: Publication,
    output: ListenerOutput,
    options: ListenerOptions | undefined,
  ): Listener {
    const limit = options?.queueLimit ?? this.#options.sendQueue ?? 8 << 20;
    return new Listener(id, client, publication, output, limit, this, options);
  }

  // Groups

  /**
   * A client joins a group, or asks again for members of one it belongs to. API-641.
   * @param rawId 32 bytes
   */
  join(client: Client, rawId: Uint8Array, output: GroupOutput): Member {
    const group = this.#group(rawId);
    const before = group.memberOf(client);
    const member = group.join(client, output);
    if (before) return member;
    client.memberships = plus(client.memberships, member);
    this.watcher?.onJoined(group, client);
    client.application.joinGroup(client, group);
    return member;
  }

  /** A script adds a peer to a group; the caller has checked the ids. API-304. */
  joinVirtual(peerId: Uint8Array, groupId: Uint8Array): Member {
    return this.#group(groupId).joinVirtual(peerId);
  }

  /** A client leaves a group. API-641. */
  leave(member: Member): void {
    if (!member.active) return;
    const { client, group } = member;
    group.leave(member);
    if (client) client.memberships = minus(client.memberships, member);
    if (client) this.watcher?.onLeft(group, client);
    client?.application.unjoinGroup(client, group);
  }

  onEmpty(group: Group): void {
    this.groups.delete(group.id);
  }

  // The server

  /**
   * Bans an address, and ends the clients that have it. API-121, API-123.
   * @returns false if the text is not an IP address
   */
  ban(text: string): boolean {
    const ip = this.#options.ip(text);
    if (ip === undefined) return false;
    this.blacklist.add(ip);
    for (const client of [...this.#accepted]) {
      if (client.connection.hostname !== ip) continue;
      this.disconnect(client, "its address is blacklisted");
      client.connection.close();
    }
    return true;
  }

  /** Lifts a ban. API-122. */
  unban(text: string): boolean {
    const ip = this.#options.ip(text);
    return ip !== undefined && (this.blacklist.delete(ip), true);
  }

  /** Every 2 s: looks after all sessions, then has the applications do the same. API-650. */
  manage(): void {
    try {
      this.sessions.manage();
    } finally {
      this.#manageApplications();
    }
  }

  #manageApplications(): void {
    this.#names.manage(this.publications.values());
    for (const client of [...this.#accepted]) {
      if (client.state === "connected") client.application.manage(client);
    }
    this.applications.manage();
  }

  #publication(name: string): Publication {
    let publication = this.publications.get(name);
    if (!publication) {
      publication = new Publication(name, this);
      this.publications.set(name, publication);
    }
    return publication;
  }

  /** Forgets a publication without publisher and listeners. */
  #release(publication: Publication): void {
    if (publication.publishing || publication.listeners.size > 0) return;
    if (publication === this.#wanted) return;
    publication.active = false;
    if (this.publications.get(publication.name) === publication) {
      this.publications.delete(publication.name);
    }
  }

  #group(rawId: Uint8Array): Group {
    const id = toHex(rawId);
    let group = this.groups.get(id);
    if (!group) {
      group = new Group(Uint8Array.from(rawId), (below) => this.#options.random(below), this);
      this.groups.set(id, group);
    }
    return group;
  }
}
