// All applications: which one serves a path, and when they start, start again and stop. API-021 to API-042.
import { AmfReader } from "../../amf/mod.ts";
import type { Peer } from "../../cluster/roster.ts";
import { TokenBucket } from "../../common/token_bucket.ts";
import type { Applications, Handshake } from "../../media/application.ts";
import type { Hub } from "../../media/hub.ts";
import { Api } from "./api.ts";
import { LuaApplication } from "./application.ts";
import { cumulus } from "./cumulus.ts";
import type { Host } from "./host.ts";
import { defineIo } from "./io_library.ts";
import { defineIpairs } from "./iteration.ts";
import { LibraryTables } from "./library_tables.ts";
import { defineLoading, MAX_SOURCE } from "./loading.ts";
import { defineLogFunctions } from "./log_functions.ts";
import { defineOs } from "./os_library.ts";
import { NOWHERE, type Place, placeOf } from "./place.ts";
import { readRedirection } from "./redirection.ts";
import type { RefusalCounts } from "./refusals.ts";
import { server } from "./server.ts";
import { pushGlobals } from "../vm/libraries.ts";

/** State of an application, for the monitor. */
interface ApplicationRow {
  readonly path: string;
  readonly running: boolean;
  /** Errors since the server started, and the last one; `at` in milliseconds since 1970. */
  readonly errors: number;
  readonly lastError: { readonly at: number; readonly text: string } | null;
  readonly refusals: Readonly<RefusalCounts>;
}

/** Share of the memory above which the server restarts an application to free some. */
const MAX_USED = 0.75;
/** Minimum ms between two checks of the same file for handshakes, of which anybody can send many. */
const HANDSHAKE_CHECK_INTERVAL = 250;
/** Checks of an application's files for connections: maximum at once, and per second in the long run. */
const CHECKS = 32, CHECKS_PER_SECOND = 50;

/**
 * Ms for which an application whose main.lua has vanished keeps running and refuses new clients: editors and git
 * remove a file before they rewrite it.
 */
const VANISHED_TIMEOUT = 5_000;

/** Time of the last check of an application's files, and the limit of checks. */
interface Checks {
  at: number;
  readonly rate: TokenBucket;
}

export class LuaApplications implements Applications {
  readonly api: Api;
  readonly #host: Host;
  readonly #libraries: LibraryTables;
  readonly #root: LuaApplication;
  /** Applications whose folder exists, by path. */
  readonly #byPath = new Map<string, LuaApplication>();
  /** Applications stopped because they took too much time, with the end of the pause by `Host.now`. */
  readonly #paused = new Map<LuaApplication, number>();
  readonly #checks = new Map<LuaApplication, Checks>();
  /** Time by `Host.now` at which the file of a running application was first missing. */
  readonly #vanished = new Map<LuaApplication, number>();
  #makesRoom = false;

  constructor(host: Host, hub: Hub) {
    this.#host = host;
    const api = this.api = new Api(host, hub);
    defineLogFunctions(api);
    defineIpairs(api);
    defineLoading(api);
    defineIo(api);
    defineOs(api);
    pushGlobals(api.lua);
    api.objects.of(cumulus, host).push(api.lua);
    api.lua.setField(-2, "cumulus");
    api.lua.pop();
    this.#libraries = new LibraryTables(api.lua);
    api.onMemoryFull = () => this.#makeRoom();
    this.#root = this.#make("", "www", undefined);
  }

  /** Applies changed limits: ms of a call, bytes of all scripts together. */
  limit(time: number, memory: number): void {
    this.api.lua.timeLimit = time;
    this.api.outside.limit = memory;
  }

  /** Starts the root application. API-023 */
  start(): void {
    this.#refresh(this.#root);
  }

  /** Starts all again, parents first, as if each main.lua had just been edited; clients stay. API-046 */
  restart(): void {
    for (const application of [...this.#byPath.values()]) {
      if (this.#paused.delete(application)) application.share.forgive(this.#host.now());
      if (application.modified !== undefined) application.modified = NaN; // differs from the time of any file
      this.#find(application.path);
    }
  }

  /** Stops all, children first. API-042 */
  stop(): void {
    this.#host.stopMail?.();
    for (const application of [...this.#byPath.values()].reverse()) this.#stop(application);
    this.#byPath.clear();
  }

  /** The running line of a script, for log lines that it causes; {@link NOWHERE} if no script runs. */
  get place(): Place {
    return this.api.running ? placeOf(this.api.lua) : NOWHERE;
  }

  /** Paths of the running applications. CLU-065 */
  *paths(): Generator<string> {
    for (const application of this.#running()) yield application.path;
  }

  /** Bytes that the Lua machine holds. */
  get memory(): number {
    return this.api.lua.usedMemory;
  }

  /** State of all applications that clients have asked for. */
  *rows(): Generator<ApplicationRow> {
    for (const { path, running, errors, lastError, refusals } of this.#byPath.values()) {
      yield { path, running, errors, lastError, refusals: { ...refusals } };
    }
  }

  open(path: string): LuaApplication | undefined {
    const known = this.#byPath.get(path);
    if (known && !this.#mayCheck(known)) return known;
    return this.#check(path);
  }

  #mayCheck(application: LuaApplication): boolean {
    const now = this.#host.now();
    let checks = this.#checks.get(application);
    if (!checks) {
      checks = { at: now, rate: new TokenBucket(CHECKS, CHECKS_PER_SECOND) };
      this.#checks.set(application, checks);
    }
    if (!checks.rate.take(now)) return false;
    checks.at = now;
    return true;
  }

  #check(path: string): LuaApplication | undefined {
    if (this.#host.unknown === "reject") return this.#find(path);
    // From the root down, so that a long path costs no more than the folders that exist.
    let nearest = this.#find("");
    for (let end = 0; end !== path.length;) {
      const next = path.indexOf("/", end + 1);
      end = next < 0 ? path.length : next;
      const below = this.#find(path.slice(0, end));
      if (!below) break;
      nearest = below;
    }
    return nearest;
  }

  handshake(request: Handshake): string[] {
    const { path } = request;
    const known = this.#byPath.get(path);
    const checkedAt = known && this.#checks.get(known)?.at;
    const isFresh = checkedAt !== undefined &&
      this.#host.now() - checkedAt < HANDSHAKE_CHECK_INTERVAL;
    const application = isFresh ? known : this.open(path);
    return application?.handshake(request) ?? [];
  }

  rendezvousUnknown(peerId: Uint8Array): string[] {
    const addresses = new Set<string>();
    for (const application of this.#running()) {
      application.ownEvent(
        "onRendezVousUnknown",
        () => this.api.lua.pushBytes(peerId),
        (first, n) => {
          for (const address of readRedirection(this.api, first, n)) addresses.add(address);
        },
      );
    }
    return [...addresses];
  }

  manage(): void {
    this.#refresh(this.#root);
    for (const application of this.#running()) {
      if (!application.mustWait) application.ownEvent("onManage", () => {});
    }
    this.api.lookForContention();
    this.#shareTime();
    this.api.lua.collectSome();
    this.api.objects.sweep();
  }

  // Servers

  /** Runs `onServerConnection`; the peer is in the roster already. API-652 */
  onServerConnection(peer: Peer): void {
    for (const application of this.#running()) this.#connected(application, peer);
  }

  /** Runs `onServerDisconnection`; the peer has left the roster already. API-653 */
  onServerDisconnection(peer: Peer): void {
    for (const application of this.#running()) this.#disconnected(application, peer);
    this.api.objects.release(peer);
  }

  /**
   * Calls the handler that another server has called. API-524, API-525
   *
   * @returns false if the message cannot be read
   */
  onServerMessage(peer: Peer, handler: string, payload: Uint8Array): boolean {
    const { api } = this;
    let readable = true;
    api.callObject(this.#root, api.objects.find(peer), handler, () => {
      readable = false;
      api.fromAmf.push(new AmfReader(payload));
      readable = true;
    });
    return readable;
  }

  /** Opens the applications that run at another server. CLU-031 */
  onServerRunning(paths: readonly string[]): void {
    for (const path of paths) this.#find(path);
  }

  #connected(application: LuaApplication, peer: Peer): void {
    application.ownEvent("onServerConnection", () => {
      this.api.objects.of(server, peer).push(this.api.lua);
    });
  }

  #disconnected(application: LuaApplication, peer: Peer): void {
    application.ownEvent("onServerDisconnection", () => {
      this.api.objects.of(server, peer).push(this.api.lua);
    });
  }

  // Starting and stopping

  *#running(): Generator<LuaApplication> {
    for (const application of [...this.#byPath.values()]) {
      if (application.running) yield application;
    }
  }

  /** The application of a path, started or restarted if needed; undefined if it has no folder. */
  #find(path: string): LuaApplication | undefined {
    if (path === "") {
      this.#refresh(this.#root);
      return this.#root;
    }
    if (!isPath(path)) return undefined;
    const known = this.#byPath.get(path);
    const isFolder = this.#host.files.isFolder(this.#host.www + path.slice(1));
    if (isFolder === false) {
      if (!known) return undefined;
      if (this.#hasJustVanished(known)) return known;
      this.#remove(known);
      return undefined;
    }
    const cut = path.lastIndexOf("/");
    const parent = this.#find(path.slice(0, cut));
    if (!parent) return undefined;
    const application = known ?? this.#make(path, path.slice(cut + 1), parent);
    if (typeof isFolder === "string") {
      application.admission.bar(`folder cannot be checked: ${isFolder}`);
    } else this.#refresh(application);
    return application;
  }

  #make(path: string, name: string, parent: LuaApplication | undefined): LuaApplication {
    const { api } = this;
    const application = new LuaApplication(api, this.#libraries, path, name, parent);
    parent?.children.set(name, application);
    this.#byPath.set(path, application);
    return application;
  }

  /** Starts new and edited applications, stops deleted ones. API-035, API-037 */
  #refresh(application: LuaApplication): void {
    const paused = this.#paused.get(application);
    if (paused !== undefined) {
      const now = this.#host.now();
      if (now < paused) return;
      this.#paused.delete(application);
      application.share.restart(now);
    }
    const { files } = this.#host;
    const file = `${application.folder}main.lua`;
    const modified = files.modified(file);
    if (typeof modified === "string") {
      return application.admission.bar(`cannot be checked: ${modified}`);
    }
    if (modified === undefined && this.#hasJustVanished(application)) return;
    this.#vanished.delete(application);
    if (modified === application.modified) return application.admission.unbar();
    const source = modified === undefined ? undefined : files.read(file, MAX_SOURCE);
    if (typeof source === "string") return application.admission.bar(`cannot be read: ${source}`);
    if (modified !== undefined && !source && this.#hasJustVanished(application)) return;
    application.admission.unbar();
    this.#stop(application);
    application.start(source, source && modified);
    if (!application.running) return;
    this.#host.announce(application.path);
    for (const peer of [...this.#host.roster.all]) this.#connected(application, peer);
  }

  /** Whether the missing file of a running or failed application may come back; clients are refused until then. */
  #hasJustVanished(application: LuaApplication): boolean {
    if (application.modified === undefined && !application.admission.barred) return false;
    const now = this.#host.now();
    const since = this.#vanished.get(application);
    if (since === undefined) this.#vanished.set(application, now);
    else if (now - since >= VANISHED_TIMEOUT) {
      this.#vanished.delete(application);
      return false;
    }
    application.admission.bar("has vanished");
    return true;
  }

  /**
   * Frees memory: collects garbage, and if that frees too little restarts the application that holds most memory.
   */
  #makeRoom(): void {
    const { lua } = this.api;
    lua.collect();
    if (this.#makesRoom || lua.usedMemory < MAX_USED * lua.memoryLimit) return;
    let largest: LuaApplication | undefined;
    let most = 0;
    for (const application of this.#running()) {
      const retained = application.retained + application.outside;
      if (retained > most) [largest, most] = [application, retained];
    }
    if (!largest || most < lua.usedMemory / 10) {
      this.api.log("critic", "the memory of scripts is full, and no application holds much of it");
      return;
    }
    this.#makesRoom = true;
    largest.note(
      "error",
      `restarts: the memory of scripts is full, and this application holds most of it`,
    );
    this.#stop(largest);
    this.#refresh(largest);
    this.#makesRoom = false;
  }

  /** Stops applications that long took more than their share of time, and restarts them after a pause. */
  #shareTime(): void {
    const now = this.#host.now();
    for (const [application, until] of [...this.#paused]) {
      if (now >= until) this.#find(application.path);
    }
    const debtors = [...this.#running()].filter(({ share }) => share.inDebt(now));
    for (const application of debtors) {
      application.share.debtors = debtors.length;
      if (this.api.isAlone(application)) application.share.forgive(now);
      else if (application.share.isOver(now)) this.#pause(application, now);
    }
  }

  #pause(application: LuaApplication, now: number): void {
    const pause = application.share.stop(now);
    const text = `took most of the time while others waited, and is stopped for ${pause / 1000} s`;
    application.admission.bar(text);
    this.#paused.set(application, now + pause);
    this.#stop(application); // first: the events of disconnecting clients would take more time
    const { hub } = this.api;
    for (const client of [...hub.clients.values()]) {
      if (client.application !== application) continue;
      client.writer.status("Connect.AppShutdown", "The application is stopped for a while");
      hub.disconnect(client, "the application is stopped for a while");
      client.connection.close();
    }
  }

  #stop(application: LuaApplication): void {
    if (application.modified === undefined) return;
    if (application.running) {
      for (const peer of [...this.#host.roster.all]) this.#disconnected(application, peer);
    }
    application.stop();
    application.modified = undefined;
  }

  /** Removes an application whose folder is gone, and those in it. */
  #remove(application: LuaApplication): void {
    for (const child of [...application.children.values()]) this.#remove(child);
    this.#stop(application);
    this.#byPath.delete(application.path);
    this.#checks.delete(application);
    this.#paused.delete(application);
    this.#vanished.delete(application);
    application.parent?.children.delete(application.name);
    application.environment.release();
  }
}

/** Whether each segment of a path can name a folder of an application. API-022, API-044. */
function isPath(path: string): boolean {
  if (!path.startsWith("/") || path.includes("\\") || path.includes("\0")) return false;
  return path.slice(1).split("/").every((segment) =>
    segment !== "" && segment !== "." && segment !== ".." &&
    segment !== "__index" && segment !== "__metatable"
  );
}
