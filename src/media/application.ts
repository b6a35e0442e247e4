import type { AmfReader } from "../amf/amf_reader.ts";
import type { Client } from "./client.ts";
import type { Group } from "./group.ts";
import type { Listener } from "./listener.ts";
import type { Publication } from "./publication.ts";
import type { SharedObjectEvents } from "./shared_objects.ts";

/**
 * An application, asked before each step and told after it. API-6xx. The `script` room implements
 * it by a Lua file.
 *
 * Only the methods that say so may throw, and only {@link Refused}. The application logs errors of
 * scripts; errors in events that refuse nothing do not reach the client (API-064).
 */
export interface Application {
  /** `""` for the root, else `/a`, `/a/b`. API-022. */
  readonly path: string;

  /**
   * Whether requests of its clients must wait because it has used too much time. Doors then keep them in
   * `hub.waiting`; `connect` throws {@link MustWait}.
   *
   * @param what the client's message
   */
  waits?(what: "call" | "audio" | "video"): boolean;

  /**
   * A client connects. It is not in `hub.clients` yet (API-204); its writer takes messages, which are sent
   * after the answer (API-260).
   *
   * @param values the parameters after the command object
   * @returns members for the info object of the answer, as AMF0 `{u16 length, key, value}*`
   * @throws {Refused} API-637, API-026
   */
  connect(client: Client, values: AmfReader): Uint8Array | undefined;
  /** The connection of an accepted client has failed for the reason in `error`. API-639. */
  failed(client: Client, error: string): void;
  /** An accepted client has left and was removed from all lists; called once. API-640. */
  disconnect(client: Client): void;

  /**
   * A client calls a function of the client object. The function's result is written by the
   * application, with `client.writer.result` (API-232).
   *
   * @param name as text; names that are not UTF-8 hold U+FFFD
   * @returns false if there is no such function: API-705
   * @throws {Refused} the function failed: API-706
   */
  call(client: Client, name: string, values: AmfReader): boolean;

  /** Whether {@link publish} may return "replace"; if not, it is not called for a taken name. */
  readonly mayReplace?: boolean;
  /**
   * A client publishes. @returns "replace": it replaces the present publisher of the name
   * @throws {Refused} API-642
   */
  publish(client: Client, publication: Publication): "replace" | void;
  /**
   * A client requests that its publication is recorded. VOD-302.
   * @throws {Refused} the application refuses
   */
  record?(client: Client, publication: Publication, name: string): void;
  /** A client stops publishing; `publisherId` and the listeners are still set. API-644. */
  unpublish(client: Client, publication: Publication): void;
  /** A client plays a stream. @throws {Refused} API-646 */
  subscribe(client: Client, listener: Listener): void;
  /** A client stops playing; the listener is still in the list of its publication. API-647. */
  unsubscribe(client: Client, listener: Listener): void;

  /**
   * A packet was sent to the listeners. API-645.
   * @param time milliseconds
   * @param packet an FLV tag's body; it never changes, so the application may keep it
   */
  audio(client: Client, publication: Publication, time: number, packet: Uint8Array): void;
  video(client: Client, publication: Publication, time: number, packet: Uint8Array): void;
  /** @param packet the AMF of the arguments after the name */
  data(client: Client, publication: Publication, name: string, packet: Uint8Array): void;

  /** The client was added to the group, or removed from it. API-641. */
  joinGroup(client: Client, group: Group): void;
  unjoinGroup(client: Client, group: Group): void;

  /** Its rules for shared objects; absent: clients may do everything. */
  readonly sharedObjects?: SharedObjectEvents;

  /** Every 2 s: `onManage` of the writers made by scripts, then of the client. API-222, API-259. */
  manage(client: Client): void;
}

/** The first packet of a client that is not connected yet. API-632. */
export interface Handshake {
  /** `ip:port` of its sender. */
  readonly address: string;
  readonly path: string;
  /** The parameters of the URL. */
  readonly properties: ReadonlyMap<string, string>;
  /** Number of this attempt, from 1. */
  readonly attempts: number;
  /**
   * `host:port` of the URL that the client has sent, port 1935 by default; `""` if it has no
   * host. The meaning of `"again"`. API-662.
   */
  readonly url: string;
}

/** All applications of a server, and the events without a client. */
export interface Applications {
  /** The application that serves a path, started if necessary; undefined if there is none (API-703). */
  open(path: string): Application | undefined;
  /** `onHandshake`: `host:port` of each server to redirect the client to; empty: it is served here. API-633. */
  handshake(request: Handshake): string[];
  /** `onRendezVousUnknown`: possible addresses `host:port` of the peer, from all applications. API-651. */
  rendezvousUnknown(peerId: Uint8Array): string[];
  /** Every 2 s, after all clients: file check of the root, then `onManage`. API-650. */
  manage(): void;
}
