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
   * Whether what its clients ask for has to wait, as others wait for the time that it takes. Doors then keep it in
   * `hub.waiting`; `connect` is refused by {@link MustWait}.
   *
   * @param what the client's message
   */
  waits?(what: "call" | "audio" | "video"): boolean;

  /**
   * A client asks to be let in. It is not in `hub.clients` yet (API-204), its writer takes
   * messages, which leave after the answer (API-260).
   *
   * @param values the parameters after the command object
   * @returns members for the info object of the answer, as AMF0 `{u16 length, key, value}*`
   * @throws {Refused} API-637, API-026
   */
  connect(client: Client, values: AmfReader): Uint8Array | undefined;
  /** An accepted client is lost for the reason in `error`. API-639. */
  failed(client: Client, error: string): void;
  /** An accepted client has left, and is in no list any more; called once. API-640. */
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

  /** Whether {@link publish} may return "replace": only then is it asked of a name that is taken. */
  readonly mayReplace?: boolean;
  /**
   * @returns "replace": the client publishes though another one does, whose publication ends
   * @throws {Refused} API-642
   */
  publish(client: Client, publication: Publication): "replace" | void;
  /**
   * A client's publication is to be recorded, as it asks. VOD-302.
   * @throws {Refused} the application refuses to
   */
  record?(client: Client, publication: Publication, name: string): void;
  /** API-644: `publisherId` and the listeners are still there. */
  unpublish(client: Client, publication: Publication): void;
  /** @throws {Refused} API-646 */
  subscribe(client: Client, listener: Listener): void;
  /** API-647: the listener is still in the list of its publication. */
  unsubscribe(client: Client, listener: Listener): void;

  /**
   * After a packet went to the listeners. API-645.
   * @param time milliseconds
   * @param packet an FLV tag's body; valid as long as wanted, never to be changed
   */
  audio(client: Client, publication: Publication, time: number, packet: Uint8Array): void;
  video(client: Client, publication: Publication, time: number, packet: Uint8Array): void;
  /** @param packet the AMF of the arguments after the name */
  data(client: Client, publication: Publication, name: string, packet: Uint8Array): void;

  /** API-641: after the client was added to, or removed from, the group. */
  joinGroup(client: Client, group: Group): void;
  unjoinGroup(client: Client, group: Group): void;

  /** Its rules for shared objects; absent: clients may do everything. */
  readonly sharedObjects?: SharedObjectEvents;

  /** Every 2 s: `onManage` of the writers made by scripts, then of the client. API-222, API-259. */
  manage(client: Client): void;
}

/** A client's first packet, before there is a client. API-632. */
export interface Handshake {
  /** `ip:port` it came from. */
  readonly address: string;
  readonly path: string;
  /** The parameters of the URL. */
  readonly properties: ReadonlyMap<string, string>;
  /** How often this attempt was repeated, from 1. */
  readonly attempts: number;
  /**
   * `host:port` of the URL, port 1935 if it has none, as the client has told it; `""` if it names no
   * host. What `"again"` stands for. API-662.
   */
  readonly url: string;
}

/** All applications of a server, and the events that no single client belongs to. */
export interface Applications {
  /** The application that serves a path, started if need be; undefined: API-703. */
  open(path: string): Application | undefined;
  /** `onHandshake`: `host:port` of each server to send the client to; none serves it here. API-633. */
  handshake(request: Handshake): string[];
  /** `onRendezVousUnknown`: `host:port` where the peer may be, of all applications. API-651. */
  rendezvousUnknown(peerId: Uint8Array): string[];
  /** Every 2 s, after all clients: file check of the root, then `onManage`. API-650. */
  manage(): void;
}
