import { toHex } from "../bytes/hex.ts";
import type { Application } from "./application.ts";
import type { Connection, FlowWriter } from "./connection.ts";
import { type Few, NONE } from "./few.ts";
import type { Member } from "./group.ts";
import type { Listener } from "./listener.ts";
import type { Publisher } from "./publisher.ts";
import type { SharedObjectUser } from "./shared_object_queue.ts";

/** What a client reports about itself in `connect`. */
export interface ClientInfo {
  /** 32 bytes: for RTMFP its peer id, the SHA-256 of its certificate; random for other protocols. */
  readonly rawId: Uint8Array;
  /** The requested path, API-022; the application may be one above it (DECISIONS 10). */
  readonly path: string;
  /** The parameters of the URL. API-220. */
  readonly properties: ReadonlyMap<string, string>;
  readonly flashVersion: string;
  readonly pageUrl: string;
  readonly swfUrl: string;
}

/**
 * - `connecting`: its application is being asked
 * - `connected`: accepted, and in `hub.clients`
 * - `leaving`: the application's events of its end are running
 * - `gone`: removed from everything; no event follows
 */
type ClientState = "connecting" | "connected" | "leaving" | "gone";

/** A client of an application. API-210 to API-223. */
export class Client implements ClientInfo {
  /** 64 lower-case hexadecimal digits. */
  readonly id: string;
  readonly rawId: Uint8Array;
  readonly path: string;
  readonly properties: ReadonlyMap<string, string>;
  readonly flashVersion: string;
  readonly pageUrl: string;
  readonly swfUrl: string;
  /** Set by the hub. */
  state: ClientState = "connecting";
  /** Its publications, subscriptions and groups; the hub keeps them. */
  publishers: Few<Publisher> = NONE;
  listeners: Few<Listener> = NONE;
  memberships: Few<Member> = NONE;
  /** Its user of shared objects; its door creates it with the first object. */
  sharedObjectUser: SharedObjectUser | undefined;

  constructor(
    info: ClientInfo,
    readonly connection: Connection,
    readonly application: Application,
  ) {
    this.id = toHex(info.rawId);
    this.rawId = info.rawId;
    this.path = info.path;
    this.properties = info.properties;
    this.flashVersion = info.flashVersion;
    this.pageUrl = info.pageUrl;
    this.swfUrl = info.swfUrl;
  }

  get address(): string {
    return this.connection.address;
  }

  get ping(): number {
    return this.connection.ping;
  }

  get elapsedFromReception(): number {
    return this.connection.elapsedFromReception;
  }

  get writer(): FlowWriter {
    return this.connection.writer;
  }
}
