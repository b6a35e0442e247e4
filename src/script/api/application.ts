// An application: a main.lua, its global names, and its events. API-021 to API-064, API-601 to API-649.
import { LogLevel, type LogLevelName } from "../../common/log_level.ts";
import type { Place } from "./place.ts";
import type { AmfReader } from "../../amf/mod.ts";
import type { Application, Handshake } from "../../media/application.ts";
import type { Client } from "../../media/client.ts";
import type { Group } from "../../media/group.ts";
import type { Listener } from "../../media/listener.ts";
import type { Publication } from "../../media/publication.ts";
import { Refused } from "../../media/refused.ts";
import { BOOLEAN, type Lua, NIL, STRING } from "../vm/lua.ts";
import type { ScriptError } from "../vm/script_error.ts";
import { sourceOfFile } from "../vm/source_file.ts";
import { type Api, surplus } from "./api.ts";
import { client as clientBinding } from "./client.ts";
import { Environment } from "./environment.ts";
import { misspelledEvents, misspelledText } from "./event_names.ts";
import { EventFunctions } from "./event_functions.ts";
import { group as groupBinding } from "./group.ts";
import { FairShare } from "./fair_share.ts";
import { newPackage } from "./loading.ts";
import { listener as listenerBinding } from "./listener.ts";
import { publication as publicationBinding } from "./publication.ts";
import { readRedirection } from "./redirection.ts";
import { LuaSharedObjects } from "./shared_object_events.ts";
import { noRefusals, type Request } from "./refusals.ts";
import { TextTable } from "./text_table.ts";
import { retainedBytes } from "./retained.ts";

/**
 * - `absent`: no main.lua, so no events (API-025)
 * - `failed`: main.lua does not compile or run; its clients are refused (API-026)
 */
type ApplicationState = "absent" | "failed" | "running";

/** A script that may let a client replace a publisher. */
const REPLACE = /(["']|\[\[)replace(["']|\]\])/;

/** What an application leaves behind when it stops: publications, sockets, members. API-013 */
export interface Owned {
  close(): void;
}

export class LuaApplication implements Application {
  readonly environment: Environment;
  readonly children = new Map<string, LuaApplication>();
  readonly owned = new Set<Owned>();
  /** Bytes that it makes the server keep; see {@link OutsideMemory}. */
  outside = 0;
  /** Its share of the time of all applications. */
  readonly share = new FairShare();
  readonly sharedObjects: LuaSharedObjects;
  state: ApplicationState = "absent";
  /** Why it failed. */
  failure: ScriptError | undefined;
  /** Why its clients are refused although it may be running: its files cannot be checked. */
  #barrier: string | undefined;
  /** Errors of its scripts so far, and the last one; `at` in milliseconds since 1970. */
  errors = 0;
  lastError: { at: number; text: string } | null = null;
  readonly refusals = noRefusals();
  /** When main.lua was last changed, as it was loaded. */
  modified: number | undefined;
  #mentionsReplace = false;
  readonly #api: Api;
  readonly #lua: Lua;
  readonly #functions: EventFunctions;

  /** @param name of its folder; of the root, "www" */
  constructor(
    api: Api,
    readonly path: string,
    readonly name: string,
    readonly parent: LuaApplication | undefined,
  ) {
    this.#api = api;
    this.#lua = api.lua;
    this.environment = new Environment(api.lua, parent?.environment);
    this.#functions = new EventFunctions(api.lua, this);
    this.sharedObjects = new LuaSharedObjects(api, this, {
      tell: (name, push) => this.#event(name, 0, push),
      permit: (name, request, push) => void this.#permission(name, request, push),
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

  /** About how many bytes its variables hold. */
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

  /** Its folder, absolute, with `/` at the end. */
  get folder(): string {
    const { www } = this.#api.host;
    return this.path === "" ? www : `${www}${this.path.slice(1)}/`;
  }

  /** The file that starts it, as messages name it. */
  get chunkName(): string {
    return `www${this.path}/main.lua`;
  }

  // Starting and stopping

  /**
   * Refuses all clients until the next {@link unbar}: the file that decides about them is unreadable.
   *
   * @param reason logged if it differs from the last one; hidden from clients
   */
  bar(reason: string): void {
    if (this.#barrier === reason) return;
    this.#barrier = reason;
    this.errors++;
    this.lastError = { at: this.#api.host.epochTime(), text: reason };
    this.note("error", `${reason}: clients are refused`);
  }

  unbar(): void {
    if (this.#barrier === undefined) return;
    this.#barrier = undefined;
    this.note("note", "clients are let in again");
  }

  get barred(): boolean {
    return this.#barrier !== undefined;
  }

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
    this.#api.libraries.give(this.environment);
    this.environment.nameValue("package");
    const error = this.#runMain(source);
    if (error) {
      this.state = "failed";
      this.failure = error;
      this.#release();
      return;
    }
    this.state = "running";
    this.#warnOfNames();
    this.parent?.environment.name(this.name, this.environment);
    this.#event("onStart", 0, () => this.#lua.pushText(this.path));
  }

  #warnOfNames(): void {
    const api = this.#api;
    for (const { name, event } of misspelledEvents(this.environment.functions())) {
      const push = () => this.environment.pushOwn(this.#lua.key(name)) !== NIL;
      const { file, line } = api.placeOfFunction(push);
      api.host.log(LogLevel.warn, misspelledText(name, event), file || this.chunkName, line);
    }
  }

  /** Runs `onStop`, closes its open sockets and files, erases its variables. API-042 */
  stop(): void {
    if (this.running) this.#event("onStop", 0, () => this.#lua.pushText(this.path));
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
    this.#functions.forget();
    for (const child of this.children.values()) child.forgetInherited();
  }

  #runMain(source: Uint8Array): ScriptError | undefined {
    const lua = this.#lua;
    const base = lua.enter();
    return this.#api.perform(this, base, "main.lua", () => {
      const error = lua.load(sourceOfFile(source), `@${this.chunkName}`);
      if (error) {
        lua.leave(base);
        return error;
      }
      lua.pushRef(this.environment.ref);
      lua.c.lua_setupvalue(lua.state, -2, 1);
      const failed = lua.run(base, 0);
      if (!failed) lua.leave(base);
      return failed;
    });
  }

  // Events

  /**
   * Runs an event if the application has it. Logs errors, and returns them for events that answer with them.
   *
   * @param expected number of results that the event uses; more cause a warning (API-017)
   * @param read called with the stack index of the first result, and their number
   * @param options `own`: ignore parents; `request`: the request that the event may refuse
   */
  #event(
    name: string,
    expected: number,
    push: () => void,
    read?: (first: number, count: number) => void,
    { own, request }: { own?: boolean; request?: Request } = NO_OPTIONS,
  ): ScriptError | undefined {
    if (!this.running) return undefined;
    const lua = this.#lua;
    const key = lua.key(name);
    const base = lua.enter();
    if (!(own ? this.#functions.pushOwn(key) : this.#functions.push(key))) {
      lua.leave(base);
      return undefined;
    }
    const api = this.#api;
    return api.perform(this, base, name, () => {
      push();
      const error = lua.run(base, -1);
      const count = lua.top - base;
      if (error || count > 0) {
        api.definedAt = () =>
          api.placeOfFunction(() => own ? this.#functions.pushOwn(key) : this.#functions.push(key));
      }
      if (error) return error;
      if (count > expected) api.log("warn", surplus(name, count, expected));
      read?.(base + 1, count);
      lua.leave(base);
    }, request);
  }

  /** An event that this application itself defines; parents are not asked. API-617 to API-620 */
  ownEvent(name: string, push: () => void, read?: (first: number, count: number) => void): void {
    this.#event(name, read ? Infinity : 0, push, read, OWN);
  }

  #push(client: Client): void {
    this.#api.objects.of(clientBinding, client).push(this.#lua);
  }

  // Clients

  /** Runs `onConnection`, own or inherited, and reads its results. API-604, API-635 to API-638. */
  connect(client: Client, values: AmfReader): Uint8Array | undefined {
    const api = this.#api;
    api.noteConnect(this);
    const eventless = this.state === "absent" && !this.barred; // API-025
    const closed = eventless ? undefined : this.#closed();
    if (closed !== undefined) {
      this.#forget(client);
      throw new Refused(closed);
    }
    let members: Uint8Array | undefined;
    const error = this.#event("onConnection", 1, () => {
      this.#push(client);
      api.fromAmf.push(values);
    }, (first, count) => {
      if (count === 0) return;
      if (api.isPlainTable(first)) members = this.#infoMembers(client, first);
      else if (this.#lua.type(first) === BOOLEAN && !this.#lua.toBoolean(first)) {
        api.log("warn", "onConnection returned false, which does not refuse the client: use error");
      } else if (this.#lua.type(first) !== NIL) {
        api.log("warn", "onConnection returned something other than a table");
      }
    }, { request: { client, step: "connect", name: "" } });
    if (error) {
      this.#forget(client);
      throw new Refused(this.#api.toldOf(error));
    }
    return members;
  }

  /**
   * Why the door is closed, if it is: main.lua failed or cannot be read, be it that of an application above whose
   * `onConnection` would be inherited.
   */
  #closed(): string | undefined {
    if (this.state === "absent" && !this.barred) return undefined;
    if (this.barred) return UNAVAILABLE;
    if (this.failure) return this.#api.toldOf(this.failure);
    if (!this.parent || this.#defines("onConnection")) return undefined;
    return this.parent.#closed() === undefined ? undefined : UNAVAILABLE;
  }

  #defines(name: string): boolean {
    const isThere = this.environment.pushOwn(this.#lua.key(name)) !== NIL;
    if (isThere) this.#lua.pop();
    return isThere;
  }

  /** The fields of a table as members of an AMF0 object, for the answer. API-636 */
  #infoMembers(client: Client, index: number): Uint8Array {
    const { lua } = this.#api;
    // Only names make an object: elements would make an array of it.
    lua.newTable();
    const members = lua.top;
    let others = 0;
    lua.pushNil();
    while (lua.next(index)) {
      if (lua.type(-2) === STRING) {
        lua.pushValue(-2);
        lua.insert(-2);
        lua.rawSet(members);
      } else {
        others++;
        lua.pop();
      }
    }
    if (others > 0) this.#api.log("warn", leftOut(others));
    lua.pushNil();
    if (!lua.next(members)) {
      lua.pop();
      return new Uint8Array(0);
    }
    lua.pop(2);
    const form = client.connection.objectEncoding === 3 ? "mixed" : "amf0";
    const object = this.#api.toAmf.encode(members, 1, form);
    lua.pop();
    return object[0] === OBJECT ? object.subarray(1, -3) : new Uint8Array(0);
  }

  failed(client: Client, error: string): void {
    this.#event("onFailed", 0, () => {
      this.#push(client);
      this.#lua.pushText(error);
    });
  }

  disconnect(client: Client): void {
    this.#event("onDisconnection", 0, () => this.#push(client));
    this.#forget(client);
  }

  /** The client is gone, and its writers with it. API-012 */
  #forget(client: Client): void {
    const { objects } = this.#api;
    for (const writer of client.connection.writers) objects.release(writer);
    objects.release(client);
  }

  /** Calls a function that the script has set on the client object. API-230 to API-235. */
  call(client: Client, name: string, values: AmfReader): boolean {
    const api = this.#api;
    const lua = this.#lua;
    const base = lua.enter();
    if (!api.pushObjectFunction(api.objects.find(client), name)) {
      lua.leave(base);
      return false;
    }
    const error = api.perform(this, base, name, () => {
      api.fromAmf.push(values);
      const error = lua.run(base, -1);
      api.definedAt = this.#placeOfCall(client, name);
      if (error) return error;
      this.#answer(client, name, base + 1, lua.top - base);
      lua.leave(base);
    }, { client, step: "call", name });
    if (error) throw new Refused(api.toldOf(error) || "Unknown error");
    return true;
  }

  /** A closure of its own: one inside {@link call} would keep the message alive, which costs more. */
  #placeOfCall(client: Client, name: string): () => Place {
    const api = this.#api;
    return () => api.placeOfFunction(() => api.pushObjectFunction(api.objects.find(client), name));
  }

  /** Sends the first result of a call, if there is one. API-232, API-233 */
  #answer(client: Client, name: string, first: number, count: number): void {
    const api = this.#api;
    if (count > 1) api.log("warn", surplus(name, count, 1));
    if (count === 0) return;
    const form = client.connection.objectEncoding === 3 ? "amf3" : "amf0";
    client.writer.result(api.toAmf.encode(first, 1, form));
  }

  manage(client: Client): void {
    const api = this.#api;
    if (this.mustWait) return;
    for (const writer of [...client.connection.writers]) {
      api.callObject(this, api.objects.find(writer), "onManage");
    }
    api.callObject(this, api.objects.find(client), "onManage");
  }

  /** Whether what can wait of it has to, as others wait for it. */
  get mustWait(): boolean {
    const { share } = this;
    return share.owes && share.inDebt(this.#api.host.now()) && !this.#api.isAlone(this);
  }

  waits(what: "call" | "audio" | "video"): boolean {
    if (!this.mustWait) return false;
    return what === "call" || this.#hears(what === "audio" ? "onAudioPacket" : "onVideoPacket");
  }

  #hears(event: string): boolean {
    const lua = this.#lua;
    const base = lua.enter();
    const hears = this.running && this.#functions.push(lua.key(event));
    lua.leave(base);
    return hears;
  }

  // Publications

  /**
   * Scripts that know nothing of it are not asked about a name that is taken, for they count on
   * `onUnpublish` to follow.
   */
  get mayReplace(): boolean {
    return this.#mentionsReplace || (this.parent?.mayReplace ?? false);
  }

  publish(client: Client, publication: Publication): "replace" | void {
    const request: Request = { client, step: "publish", name: publication.name };
    return this.#permission("onPublish", request, () => {
      this.#push(client);
      this.#api.objects.of(publicationBinding, publication).push(this.#lua);
    });
  }

  record(client: Client, publication: Publication, name: string): void {
    this.#permission("onRecord", { client, step: "record", name }, () => {
      this.#push(client);
      this.#api.objects.of(publicationBinding, publication).push(this.#lua);
      this.#lua.pushText(name);
    });
  }

  unpublish(client: Client, publication: Publication): void {
    this.#event("onUnpublish", 0, () => {
      this.#push(client);
      this.#api.objects.of(publicationBinding, publication).push(this.#lua);
    });
  }

  subscribe(client: Client, listener: Listener): void {
    const request: Request = { client, step: "play", name: listener.publication.name };
    try {
      this.#permission("onSubscribe", request, () => {
        this.#push(client);
        this.#api.objects.of(listenerBinding, listener).push(this.#lua);
      });
    } catch (error) {
      this.#api.objects.release(listener);
      throw error;
    }
  }

  unsubscribe(client: Client, listener: Listener): void {
    this.#event("onUnsubscribe", 0, () => {
      this.#push(client);
      this.#api.objects.of(listenerBinding, listener).push(this.#lua);
    });
    this.#api.objects.release(listener);
  }

  /** An event that refuses by `return false` or an error. API-642, API-646 */
  #permission(name: string, request: Request, push: () => void): "replace" | void {
    let refused = false;
    let replaces = false;
    const error = this.#event(name, 1, push, (first, count) => {
      const lua = this.#lua;
      refused = count > 0 && lua.type(first) === BOOLEAN && !lua.toBoolean(first);
      if (refused) this.#api.refuse(request, undefined);
      replaces = count > 0 && lua.type(first) === STRING && lua.text(first) === "replace";
    }, { request });
    if (error) throw new Refused(this.#api.toldOf(error));
    if (refused) throw new Refused();
    if (replaces) return "replace";
  }

  audio(client: Client, publication: Publication, time: number, packet: Uint8Array): void {
    this.#packet("onAudioPacket", client, publication, time, packet);
  }

  video(client: Client, publication: Publication, time: number, packet: Uint8Array): void {
    this.#packet("onVideoPacket", client, publication, time, packet);
  }

  data(client: Client, publication: Publication, name: string, packet: Uint8Array): void {
    this.#packet("onDataPacket", client, publication, name, packet);
  }

  /** Results are ignored. API-645 */
  #packet(
    name: string,
    client: Client,
    publication: Publication,
    second: number | string,
    packet: Uint8Array,
  ): void {
    this.#event(name, Infinity, () => {
      const lua = this.#lua;
      this.#push(client);
      this.#api.objects.of(publicationBinding, publication).push(lua);
      if (typeof second === "number") lua.pushNumber(second);
      else lua.pushText(second);
      lua.pushBytes(packet);
    });
  }

  // Groups

  joinGroup(client: Client, group: Group): void {
    this.#event("onJoinGroup", 0, () => {
      this.#push(client);
      this.#api.objects.of(groupBinding, group).push(this.#lua);
    });
  }

  unjoinGroup(client: Client, group: Group): void {
    const api = this.#api;
    api.leaving = group; // it may be forgotten already, but is still shown
    this.#event("onUnjoinGroup", 0, () => {
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
    const knock = { again, attempts: request.attempts };
    const addresses: string[] = [];
    this.#event("onHandshake", Infinity, () => {
      lua.pushText(request.address);
      lua.pushText(request.path);
      new TextTable(request.properties).push(lua);
      lua.pushNumber(request.attempts);
    }, (first, count) => {
      addresses.push(...readRedirection(this.#api, first, count, knock));
    });
    return addresses;
  }

  /** `onTypedObject(type, object)`, whose object is on top of the stack and stays there. API-616 */
  typedObject(type: Uint8Array): void {
    const lua = this.#lua;
    const object = lua.top;
    this.#event("onTypedObject", Infinity, () => {
      lua.pushBytes(type);
      lua.pushValue(object);
    });
  }

  /** Logs a line that is about this application and not about one of its lines. */
  note(level: LogLevelName, text: string): void {
    this.#api.host.log(LogLevel[level], text, this.chunkName, 0);
  }
}

/** What clients are told whose application cannot be read. */
const UNAVAILABLE = "the application is not available";

const leftOut = (count: number): string =>
  `onConnection returned a table with ${count} key${count === 1 ? "" : "s"} that ` +
  `${count === 1 ? "is not a text, which is" : "are not texts, which are"} left out`;

const NO_OPTIONS = {};
const OWN = { own: true };

/** AMF0's marker of an object. AMF-013 */
const OBJECT = 3;
