// An application: a main.lua, its global names, and its events. API-021 to API-064, API-601 to API-649.
import { LogLevel, type LogLevelName } from "../../common/log_level.ts";
import type { AmfReader } from "../../amf/mod.ts";
import type { Application, Handshake } from "../../media/application.ts";
import type { Client } from "../../media/client.ts";
import type { Group } from "../../media/group.ts";
import type { Listener } from "../../media/listener.ts";
import type { Publication } from "../../media/publication.ts";
import { Refused } from "../../media/refused.ts";
import type { Lua } from "../vm/lua.ts";
import type { ScriptError } from "../vm/script_error.ts";
import { Admission } from "./admission.ts";
import type { Api } from "./api.ts";
import { client as clientBinding } from "./client.ts";
import { callClientFunction } from "./client_functions.ts";
import { readAnswer } from "./connect_answer.ts";
import { Environment } from "./environment.ts";
import { Events } from "./events.ts";
import { group as groupBinding } from "./group.ts";
import { FairShare } from "./fair_share.ts";
import type { LibraryTables } from "./library_tables.ts";
import { newPackage } from "./loading.ts";
import { runMain, warnOfNames } from "./main_file.ts";
import { readRedirection } from "./redirection.ts";
import { LuaSharedObjects } from "./shared_object_events.ts";
import { noRefusals } from "./refusals.ts";
import { ScriptStreamEvents } from "./stream_events.ts";
import { TextTable } from "./text_table.ts";
import { retainedBytes } from "./retained.ts";

/**
 * - `absent`: no main.lua, so no events (API-025)
 * - `failed`: main.lua does not compile or run; its clients are refused (API-026)
 */
type ApplicationState = "absent" | "failed" | "running";

/** Matches a script that may let a client replace a publisher: it contains "replace" as a string. */
const REPLACE = /(["']|\[\[)replace(["']|\]\])/;

/** Something to close when its application stops: a publication, socket, member or file. API-013 */
export interface Owned {
  close(): void;
}

export class LuaApplication implements Application {
  readonly environment: Environment;
  readonly children = new Map<string, LuaApplication>();
  readonly owned = new Set<Owned>();
  /** Bytes of the server's memory besides Lua's that it uses; see {@link OutsideMemory}. */
  outside = 0;
  /** Its share of the time of all applications. */
  readonly share = new FairShare();
  readonly sharedObjects: LuaSharedObjects;
  readonly admission: Admission;
  state: ApplicationState = "absent";
  /** The error of `main.lua` in state `failed`. */
  failure: ScriptError | undefined;
  /** Errors of its scripts so far, and the last one; `at` in milliseconds since 1970. */
  errors = 0;
  lastError: { at: number; text: string } | null = null;
  readonly refusals = noRefusals();
  /** Modification time of the loaded main.lua, in ms since 1970; undefined if it has not been loaded. */
  modified: number | undefined;
  #mentionsReplace = false;
  readonly #api: Api;
  readonly #lua: Lua;
  readonly #libraries: LibraryTables;
  readonly #events: Events;
  readonly #streams: ScriptStreamEvents;

  /** @param name of its folder; of the root, "www" */
  constructor(
    api: Api,
    libraries: LibraryTables,
    readonly path: string,
    readonly name: string,
    readonly parent: LuaApplication | undefined,
  ) {
    this.#api = api;
    this.#lua = api.lua;
    this.#libraries = libraries;
    this.environment = new Environment(api.lua, parent?.environment);
    this.admission = new Admission(api, this);
    this.#events = new Events(api, this);
    this.#streams = new ScriptStreamEvents(api, this.#events);
    this.sharedObjects = new LuaSharedObjects(api, this, {
      tell: (name, push) => this.#events.run(name, 0, push),
      permit: (name, request, push) => void this.#events.permission(name, request, push),
    });
    this.#nameOthers();
  }

  /** The names of API-029; a child's is added by the child as it starts. */
  #nameOthers(): void {
    const { environment, parent } = this;
    if (parent) {
      environment.name(parent.name, parent.environment);
      environment.name("super", parent.environment);
    } else {
      this.#lua.pushRef(this.#api.globals);
      environment.nameValue("super");
    }
    environment.name("www", this.root.environment);
    environment.name(this.name, environment);
  }

  /** Estimated bytes that its variables hold. */
  get retained(): number {
    const lua = this.#lua;
    lua.pushRef(this.environment.ref);
    const bytes = retainedBytes(lua);
    lua.pop();
    return bytes;
  }

  get root(): LuaApplication {
    return this.parent?.root ?? this;
  }

  get running(): boolean {
    return this.state === "running";
  }

  /** Absolute path of its folder, with `/` at the end. */
  get folder(): string {
    const { www } = this.#api.host;
    return this.path === "" ? www : `${www}${this.path.slice(1)}/`;
  }

  /** Name of its main.lua in messages. */
  get chunkName(): string {
    return `www${this.path}/main.lua`;
  }

  // Starting and stopping

  /**
   * Loads main.lua and runs `onStart`. API-041, API-026
   *
   * @param source undefined without a main.lua
   */
  start(source: Uint8Array | undefined, modified: number | undefined): void {
    this.modified = modified;
    this.failure = undefined;
    this.#api.mistakes.forget();
    this.state = "absent";
    this.#mentionsReplace = source !== undefined && REPLACE.test(new TextDecoder().decode(source));
    if (!source) return;
    newPackage(this.#lua, this.#api.seeAll, this.environment.ref);
    this.#libraries.give(this.environment);
    this.environment.nameValue("package");
    const error = runMain(this.#api, this, source);
    if (error) {
      this.state = "failed";
      this.failure = error;
      this.#release();
      return;
    }
    this.state = "running";
    warnOfNames(this.#api, this);
    this.parent?.environment.name(this.name, this.environment);
    this.#events.run("onStart", 0, () => this.#lua.pushText(this.path));
  }

  /** Runs `onStop`, closes its open sockets and files, erases its variables. API-042 */
  stop(): void {
    if (this.running) this.#events.run("onStop", 0, () => this.#lua.pushText(this.path));
    this.state = "absent";
    this.parent?.environment.name(this.name, undefined);
    this.#release();
  }

  #release(): void {
    for (const thing of [...this.owned]) thing.close();
    this.owned.clear();
    this.environment.clear();
    this.forgetInherited();
    this.#lua.collect();
  }

  /** Called when the functions of a parent have changed. */
  forgetInherited(): void {
    this.#events.forget();
    for (const child of this.children.values()) child.forgetInherited();
  }

  // Events

  /** Runs an event if this application itself, not a parent, defines it. API-617 to API-620 */
  ownEvent(name: string, push: () => void, read?: (first: number, count: number) => void): void {
    this.#events.runOwn(name, push, read);
  }

  #push(client: Client): void {
    this.#api.objects.of(clientBinding, client).push(this.#lua);
  }

  // Clients

  /** Runs `onConnection`, own or inherited, and reads its results. API-604, API-635 to API-638. */
  connect(client: Client, values: AmfReader): Uint8Array | undefined {
    const api = this.#api;
    api.noteConnect(this);
    const eventless = this.state === "absent" && !this.admission.barred; // API-025
    const closed = eventless ? undefined : this.admission.refusal;
    if (closed !== undefined) {
      this.#forget(client);
      throw new Refused(closed);
    }
    let members: Uint8Array | undefined;
    const error = this.#events.run("onConnection", 1, () => {
      this.#push(client);
      api.fromAmf.push(values);
    }, (first, count) => {
      members = readAnswer(api, client, first, count);
    }, { request: { client, step: "connect", name: "" } });
    if (error) {
      this.#forget(client);
      throw new Refused(this.#api.clientText(error));
    }
    return members;
  }

  failed(client: Client, error: string): void {
    this.#events.run("onFailed", 0, () => {
      this.#push(client);
      this.#lua.pushText(error);
    });
  }

  disconnect(client: Client): void {
    this.#events.run("onDisconnection", 0, () => this.#push(client));
    this.#forget(client);
  }

  /** The client is gone, and its writers with it. API-012 */
  #forget(client: Client): void {
    const { objects } = this.#api;
    for (const writer of client.connection.writers) objects.release(writer);
    objects.release(client);
  }

  call(client: Client, name: string, values: AmfReader): boolean {
    return callClientFunction(this.#api, this, client, name, values);
  }

  manage(client: Client): void {
    const api = this.#api;
    if (this.mustWait) return;
    for (const writer of [...client.connection.writers]) {
      api.callObject(this, api.objects.find(writer), "onManage");
    }
    api.callObject(this, api.objects.find(client), "onManage");
  }

  /** Whether its calls that can wait must wait, because it is in debt and other applications have clients. */
  get mustWait(): boolean {
    const { share } = this;
    return share.owes && share.inDebt(this.#api.host.now()) && !this.#api.isAlone(this);
  }

  waits(what: "call" | "audio" | "video"): boolean {
    if (!this.mustWait) return false;
    return what === "call" ||
      this.#events.handles(what === "audio" ? "onAudioPacket" : "onVideoPacket");
  }

  // Publications

  /**
   * Whether `onPublish` runs for a name that is taken. Scripts that cannot replace a publisher expect an
   * `onUnpublish` before it.
   */
  get mayReplace(): boolean {
    return this.#mentionsReplace || (this.parent?.mayReplace ?? false);
  }

  publish(client: Client, publication: Publication): "replace" | void {
    return this.#streams.publish(client, publication);
  }

  record(client: Client, publication: Publication, name: string): void {
    this.#streams.record(client, publication, name);
  }

  unpublish(client: Client, publication: Publication): void {
    this.#streams.unpublish(client, publication);
  }

  subscribe(client: Client, listener: Listener): void {
    this.#streams.subscribe(client, listener);
  }

  unsubscribe(client: Client, listener: Listener): void {
    this.#streams.unsubscribe(client, listener);
  }

  audio(client: Client, publication: Publication, time: number, packet: Uint8Array): void {
    this.#streams.packet("onAudioPacket", client, publication, time, packet);
  }

  video(client: Client, publication: Publication, time: number, packet: Uint8Array): void {
    this.#streams.packet("onVideoPacket", client, publication, time, packet);
  }

  data(client: Client, publication: Publication, name: string, packet: Uint8Array): void {
    this.#streams.packet("onDataPacket", client, publication, name, packet);
  }

  // Groups

  joinGroup(client: Client, group: Group): void {
    this.#events.run("onJoinGroup", 0, () => {
      this.#push(client);
      this.#api.objects.of(groupBinding, group).push(this.#lua);
    });
  }

  unjoinGroup(client: Client, group: Group): void {
    const api = this.#api;
    api.leaving = group; // it may be forgotten already, but is still shown
    this.#events.run("onUnjoinGroup", 0, () => {
      this.#push(client);
      api.objects.of(groupBinding, group).push(this.#lua);
    });
    api.leaving = undefined;
  }

  // Redirection and types

  /** Runs `onHandshake`. API-603, API-632, API-662. */
  handshake(request: Handshake): string[] {
    const lua = this.#lua;
    const again = [request.url, this.#api.host.publicAddress];
    const attempt = { again, attempts: request.attempts };
    const addresses: string[] = [];
    this.#events.run("onHandshake", Infinity, () => {
      lua.pushText(request.address);
      lua.pushText(request.path);
      new TextTable(request.properties).push(lua);
      lua.pushNumber(request.attempts);
    }, (first, count) => {
      addresses.push(...readRedirection(this.#api, first, count, attempt));
    });
    return addresses;
  }

  /** Runs `onTypedObject(type, object)`; the object is on top of the stack and stays there. API-616 */
  typedObject(type: Uint8Array): void {
    const lua = this.#lua;
    const object = lua.top;
    this.#events.run("onTypedObject", Infinity, () => {
      lua.pushBytes(type);
      lua.pushValue(object);
    });
  }

  /** Logs a line about this application as a whole: with its main.lua, without a line number. */
  note(level: LogLevelName, text: string): void {
    this.#api.host.log(LogLevel[level], text, this.chunkName, 0);
  }
}
