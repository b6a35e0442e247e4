import type { AmfReader } from "../amf/amf_reader.ts";
import type { LogLevelName } from "../common/log_level.ts";
import type { Applications } from "./application.ts";
import { Client, type ClientInfo } from "./client.ts";
import type { Connection, PublisherOutput } from "./connection.ts";
import { minus, plus } from "./few.ts";
import { Groups } from "./groups.ts";
import type { Publication, PublicationEvents, PublishType } from "./publication.ts";
import { Publications } from "./publications.ts";
import { Publisher } from "./publisher.ts";
import { type NameOptions, NameRules } from "./name_rules.ts";
import { RecentBytes } from "./recent_frames.ts";
import type { Recordings } from "./recordings.ts";
import { MustWait, NameTaken, Refused, UnknownApplication } from "./refused.ts";
import { Sessions } from "./sessions.ts";
import { WaitingInput } from "./waiting_input.ts";
import { Subscriptions } from "./subscriptions.ts";
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
  /** The canonical text of an IP address; undefined if the text is not one. */
  ip(text: string): string | undefined;
  /** Maximum number of bytes that wait for a listener; 8 MiB by default. */
  sendQueue?: number;
  /** Maximum number of bytes that a publication keeps since its last key frame; 0 by default. */
  recent?: number;
  /** Rules for names of publishers; {@link NAMES} by default. */
  names?: () => NameOptions;
  /** Limits of shared objects; {@link SHARED_OBJECT_BOUNDS} by default. */
  sharedObjects?: SharedObjectBounds;
  /** Storage of persistent shared objects; without it there are none. */
  sharedObjectStore?: SharedObjectStore;
}

const NAMES: NameOptions = { publisherTimeout: 20_000, takeOver: "address" };
/** Default of the maximum number of bytes that wait for a listener. */
const SEND_QUEUE = 8 << 20;
/** Maximum number of bytes that all publications together keep since their last key frames. */
const MAX_RECENT = 256 << 20;

/**
 * The clients of this server with their publications, subscriptions and groups. Doors add clients and pass on their requests, scripts access all of it, and the client's application
 * decides before each step.
 */
export class Hub implements PublicationEvents {
  /** Monotonic time in ms; the event loop sets it before every call. */
  now = 0;
  /** The sessions of all doors, whether their clients are connected or not. */
  readonly sessions = new Sessions();
  /** Accepted clients by id; the newest if several have the same id. */
  readonly clients = new Map<string, Client>();
  readonly publications: Publications;
  readonly subscriptions: Subscriptions;
  readonly groups: Groups;
  /** Banned IP addresses in their canonical text. API-123. */
  readonly blacklist = new Set<string>();
  readonly recentBytes: RecentBytes;
  readonly sharedObjects: SharedObjects;
  /** Requests of clients that wait for busy applications. */
  readonly waiting = new WaitingInput();
  /** Recordings; undefined: the server neither records nor plays files. */
  recordings: Recordings | undefined;
  /** The watcher of publications and groups; undefined: no other servers. */
  watcher: HubWatcher | undefined;
  readonly #names: NameRules;
  #options: HubOptions;
  #accepted = new Set<Client>();
  #lastStream = 0;
  #applications: Applications | undefined;

  constructor(options: HubOptions) {
    this.#options = options;
    this.recentBytes = new RecentBytes(options.recent ?? 0, MAX_RECENT);
    this.sharedObjects = new SharedObjects(
      options.sharedObjects ?? SHARED_OBJECT_BOUNDS,
      () => this.now,
      options.sharedObjectStore,
    );
    this.publications = new Publications(this);
    this.subscriptions = new Subscriptions(this, options.sendQueue ?? SEND_QUEUE);
    this.groups = new Groups((below) => options.random(below), this);
    this.#names = new NameRules(options.names ?? (() => NAMES), this);
  }

  /** Sets the applications, which need the hub to be created; clients can connect from now on. */
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
   * Asks the application of a path whether a client may connect.
   *
   * @param values the parameters of `connect`
   * @returns the accepted client, and the members that its application adds to the answer (see
   *   `Application.connect`)
   * @throws {UnknownApplication} API-703
   * @throws {MustWait} the application is busy and was not asked
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
   * @param failure the reason, if its connection has failed. API-639.
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
        bugs.push(bug); // the next steps must run nevertheless
      }
    };
    for (const member of client.memberships) step(() => this.groups.leave(member));
    const user = client.sharedObjectUser;
    if (user) step(() => this.sharedObjects.leave(user));
    if (failure !== undefined) {
      this.log("warn", `Client ${client.id} at ${client.address} failed: ${failure}`);
      step(() => application.failed(client, failure));
    }
    for (const publisher of client.publishers) step(() => this.unpublish(publisher));
    for (const listener of client.listeners) step(() => this.subscriptions.unsubscribe(listener));
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
   * A client's stream publishes. The door then answers the client and calls {@link Publisher.start}.
   *
   * @param id of the stream, see {@link newStreamId}
   * @param properties parameters that the client added to the name
   * @param type live only, or also recorded
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
    const taken = this.publications.open(name);
    const given = taken.publishing && this.#names.give(taken, client);
    if (taken.publishing) throw new NameTaken(name);
    const publication = this.publications.open(name); // the former one was removed if nobody listened
    publication.begin({ id, client, output, properties, type });
    const publisher = new Publisher(client, publication);
    try {
      if (given !== "asked") client.application.publish(client, publication);
      if (client.state !== "connected") throw new Refused(); // it was disconnected meanwhile
    } catch (error) {
      publisher.active = false;
      publication.end();
      this.publications.release(publication);
      throw error;
    }
    client.publishers = plus(client.publishers, publisher);
    this.watcher?.onPublished(publication);
    const { recordings } = this;
    const isAsked = type !== "live" && recordings?.clientsMayRecord;
    if (!isAsked) recordings?.published(publication, client.path, client.application.path);
    return publisher;
  }

  /** Ends a publisher. API-644. */
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
      this.publications.release(publication);
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
   * Publishes for the server itself: a file, or a stream of another server. Applications get no events. The
   * caller then calls {@link Publisher.start}.
   *
   * @param origin its kind, for the statistics
   * @throws {NameTaken}
   */
  relay(name: string, origin: string, output?: PublisherOutput): Publisher {
    const publication = this.publications.open(name);
    if (publication.publishing) throw new NameTaken(name);
    publication.begin({ id: this.newStreamId(), client: origin, output });
    this.watcher?.onPublished(publication);
    return new Publisher(undefined, publication);
  }

  /**
   * A script publishes. API-127.
   * @param ended called when the publication has ended
   * @throws {NameTaken}
   */
  publishFromScript(name: string, ended?: () => void): Publication {
    const publication = this.publications.open(name);
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
    this.publications.release(publication);
    ended?.();
  }

  // The server

  /**
   * Bans an address, and disconnects its clients. API-121, API-123.
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

  /** Called every 2 s: manages all sessions, then the applications. API-650. */
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
}
