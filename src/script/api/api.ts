// The state that all files of this room share: the Lua machine, the host, and the running application.
import { ownText } from "../../bytes/text.ts";
import { LogLevel, type LogLevelName } from "../../common/log_level.ts";
import type { Client } from "../../media/client.ts";
import type { Group } from "../../media/group.ts";
import type { FlowWriter } from "../../media/connection.ts";
import type { Hub } from "../../media/hub.ts";
import { TableBatch } from "../vm/batch.ts";
import { openLibraries, pushGlobals } from "../vm/libraries.ts";
import { FUNCTION, Lua, type Ref, TABLE } from "../vm/lua.ts";
import { ScriptError } from "../vm/script_error.ts";
import type { AmfHost } from "./amf_host.ts";
import { AmfToLua } from "./amf_to_lua.ts";
import type { LuaApplication } from "./application.ts";
import type { Broadcaster } from "./broadcaster.ts";
import { LoadBalance } from "./load_balance.ts";
import { type Kept, makeConfigs } from "./configs.ts";
import { prepareEnvironments } from "./environment.ts";
import type { Host } from "./host.ts";
import { Locks } from "./locks.ts";
import { LuaToAmf } from "./lua_to_amf.ts";
import { Mistakes } from "./mistakes.ts";
import type { Handle } from "./handle.ts";
import { Objects } from "./objects.ts";
import { withHint } from "./closed.ts";
import { OutsideMemory } from "./outside_memory.ts";
import {
  NOWHERE,
  type Place,
  placeOf,
  placeOfDefinition,
  placeOfError,
  withoutPositions,
} from "./place.ts";
import { isRefusal, refusalLine, type Request } from "./refusals.ts";
import { Timeouts } from "./timeouts.ts";

/** Maximum characters of the last error of an application, which may quote its clients. */
const MAX_LAST_ERROR = 2_048;

/** Minimum ms between two looks at all clients to find out whether an application is alone. */
const ALONE_INTERVAL = 1_000;

export class Api implements AmfHost {
  readonly lua: Lua;
  /** The real global table. */
  readonly globals: Ref;
  readonly objects: Objects<Api>;
  readonly fromAmf: AmfToLua;
  readonly toAmf: LuaToAmf;
  /** The application being served, and the name of its running event or function. */
  running: LuaApplication | undefined;
  #runs = "";
  /** Place of the definition of the function that has failed or whose results are being read. */
  definedAt: (() => Place) | undefined;
  readonly mistakes = new Mistakes((text) => this.log("warn", text));
  readonly configs: Kept;
  readonly servers: Broadcaster;
  readonly initiators: Broadcaster;
  readonly targets: Broadcaster;
  readonly loadBalance = new LoadBalance();
  /** The original `package.seeall`, which scripts may replace. */
  readonly seeAll: Ref;
  /** The group of the running `onUnjoinGroup`, whose last member may have left. API-641 */
  leaving: Group | undefined;
  /** Memory of the server besides Lua's that applications use. */
  readonly outside: OutsideMemory;
  readonly timeouts = new Timeouts(this);
  /** Called after memory ran out in an event. */
  onMemoryFull: () => void = () => {};
  /** Objects that the running event has locked. */
  readonly locks = new Locks();
  /** Number of running calls into scripts, each within the one before. */
  #depth = 0;
  /** The client of each writer that scripts have seen. */
  readonly clientOf = new WeakMap<FlowWriter, Client>();

  constructor(readonly host: Host, readonly hub: Hub) {
    const lua = this.lua = new Lua({
      clock: () => host.now(),
      time: host.time,
      memory: host.memory,
      onBug: (error) => host.onBug(error),
    });
    this.outside = new OutsideMemory(lua, host.memory);
    openLibraries(lua);
    prepareEnvironments(lua);
    pushGlobals(lua);
    lua.getField(-1, "next");
    const next = lua.ref();
    this.globals = lua.ref();
    this.seeAll = this.#takeSeeAll();
    this.configs = makeConfigs(lua, host.configs);
    this.servers = { peers: () => host.roster.all };
    this.initiators = { peers: () => host.roster.initiators };
    this.targets = { peers: () => host.roster.targets };
    this.objects = new Objects<Api>(
      lua,
      this,
      next,
      (text) => this.log("warn", text),
      (text) => this.mistake(text),
    );
    const batch = new TableBatch(lua);
    this.fromAmf = new AmfToLua(this, batch);
    this.toAmf = new LuaToAmf(this, batch);
  }

  /** Removes the global `package`: each application has its own. @returns its original `seeall` */
  #takeSeeAll(): Ref {
    const { lua } = this;
    lua.pushRef(this.globals);
    lua.getField(-1, "package");
    lua.getField(-1, "seeall");
    const ref = lua.ref();
    lua.pushNil();
    lua.setField(-3, "package");
    lua.pop(2);
    return ref;
  }

  /** Whether several applications have clients, as of the last tick or connect: only then their time is counted. */
  contended = false;
  #lastConnected: LuaApplication | undefined;

  /** A client connects to an application. */
  noteConnect(application: LuaApplication): void {
    if (this.#lastConnected && this.#lastConnected !== application) this.contended = true;
    this.#lastConnected = application;
  }

  /** Sets {@link contended}; called every 2 s. */
  lookForContention(): void {
    let first: unknown;
    for (const { application } of this.hub.clients.values()) {
      if (application === (first ??= application)) continue;
      this.contended = true;
      return;
    }
    this.contended = false;
  }

  /** Whether no other application has clients. */
  isAlone(application: LuaApplication): boolean {
    const now = this.host.now();
    const known = this.#alone;
    if (known?.application === application && now - known.at < ALONE_INTERVAL) return known.alone;
    const clients = [...this.hub.clients.values()];
    const alone = clients.every((client) => client.application === application);
    this.#alone = { application, at: now, alone };
    return alone;
  }

  #alone: { application: LuaApplication; at: number; alone: boolean } | undefined;

  /** Logs a line with the running line of the script, or the definition of the function that has returned. */
  log(level: LogLevelName, text: string): void {
    const { file, line } = this.definedAt?.() ?? placeOf(this.lua);
    this.host.log(LogLevel[level], text, file, line);
  }

  /** Warns of a call that is probably a mistake, once per line of script. */
  mistake(text: string): void {
    const { file, line } = placeOf(this.lua);
    this.mistakes.tell(`${file}:${line}`, text);
  }

  /** The text of an error for a client. API-062 */
  clientText(error: ScriptError): string {
    return this.host.positions ? error.message : withoutPositions(error);
  }

  /** Logs and counts a request that the running application refuses. */
  refuse(request: Request, error: ScriptError | undefined): void {
    this.running!.refusals[request.step]++;
    const text = refusalLine(request, error ? withoutPositions(error) : "");
    if (!error) return this.log("note", text);
    const { file, line } = placeOfError(error) ?? this.definedAt?.() ?? NOWHERE;
    this.host.log(LogLevel.note, text, file, line);
  }

  /** Logs an error that ended a call into a script of the running application. API-060 */
  report(error: ScriptError): void {
    const text = withHint(error.message) || "error without a text";
    const { running } = this;
    if (running) {
      running.errors++;
      running.lastError = { at: this.host.epochTime(), text: ownText(text, MAX_LAST_ERROR) };
    }
    const { file, line } = placeOfError(error) ?? this.definedAt?.() ?? NOWHERE;
    this.host.log(LogLevel.error, text, file, line);
    if (error.traceback) this.host.log(LogLevel.debug, error.traceback, file, line);
  }

  /** The place where a function is defined. @param push pushes the function; false if there is none */
  placeOfFunction(push: () => boolean): Place {
    const { lua } = this;
    const { top } = lua;
    lua.reserve(4);
    const place = push() ? placeOfDefinition(lua.definition(top + 1)) : NOWHERE;
    lua.top = top;
    return place;
  }

  onTypedObject(type: Uint8Array): void {
    this.running?.typedObject(type);
  }

  eraseGlobals(index: number): void {
    this.running?.environment.erase(index);
  }

  /**
   * Pushes the function that a script stored in a field of an object, then the object; the caller pushes the
   * arguments. Only the object's own fields count (API-231).
   *
   * @returns false, without pushing, if the field holds no function
   */
  pushObjectFunction(handle: Handle | undefined, name: string): boolean {
    if (!handle) return false;
    const { lua } = this;
    handle.push(lua);
    lua.pushText(name);
    if (lua.rawGet(-2) !== FUNCTION) {
      lua.pop(2);
      return false;
    }
    lua.insert(-2);
    return true;
  }

  /**
   * Runs an action for an application, which is the running one meanwhile. An error in its scripts ends the
   * action and is logged. API-060
   *
   * @param base the result of `enter`
   * @param name of the event or function
   * @param action returns the error of `run`
   * @param request the request that a call of `error` refuses
   */
  perform(
    application: LuaApplication | undefined,
    base: number,
    name: string,
    action: () => ScriptError | void,
    request?: Request,
  ): ScriptError | undefined {
    const { lua } = this;
    const counts = this.#depth === 0 && this.contended && application !== undefined;
    const started = counts ? this.host.now() : 0;
    if (counts) {
      if (name !== "onStop" && application.share.isSpent(started) && !this.isAlone(application)) {
        lua.leave(base);
        return new ScriptError("the application used up its time while others wait", "time");
      }
      lua.allowance = application.share.timeOfCall(lua.timeLimit, started);
    }
    const before = this.running;
    const { definedAt } = this;
    const runs = this.#runs;
    this.running = application;
    this.#runs = name;
    this.host.onEnter?.(application?.path, name);
    this.definedAt = undefined;
    this.#depth++;
    let error: ScriptError | undefined;
    try {
      error = lua.timed(action) ?? undefined;
    } catch (thrown) {
      error = lua.abandon(base, thrown);
    } finally {
      if (error && request && isRefusal(error)) this.refuse(request, error);
      else if (error) this.report(error);
      this.running = before;
      this.definedAt = definedAt;
      this.#runs = runs;
      this.host.onEnter?.(before?.path, runs);
      if (--this.#depth === 0) this.locks.release();
      if (counts) {
        const now = this.host.now();
        application.share.spend(now - started, now);
        lua.allowance = undefined;
      }
    }
    if (error?.kind === "memory" && !before) this.onMemoryFull();
    return error;
  }

  /**
   * Calls a function that a script stored on an object, such as `onManage`, if it exists; logs errors.
   *
   * @param pushArguments pushes the arguments after the object itself
   * @param read reads the results, which start at this stack index
   * @param request the request that a call of `error` refuses
   * @returns the error, which was logged
   */
  callObject(
    application: LuaApplication | undefined,
    handle: Handle | undefined,
    name: string,
    pushArguments?: () => void,
    read?: (first: number, count: number) => void,
    request?: Request,
  ): ScriptError | undefined {
    const { lua } = this;
    const base = lua.enter();
    if (!this.pushObjectFunction(handle, name)) { // a message of a few bytes may name any missing function
      lua.leave(base);
      return undefined;
    }
    return this.perform(application, base, name, () => {
      pushArguments?.();
      const error = lua.run(base, -1);
      const count = lua.top - base;
      if (error || count > 0) {
        this.definedAt = () => this.placeOfFunction(() => this.pushObjectFunction(handle, name));
      }
      if (error) return error;
      if (read) read(base + 1, count);
      else if (count > 0) this.log("warn", surplus(name, count, 0));
      lua.leave(base);
    }, request);
  }

  /** Whether a stack index holds a table other than an API object. */
  isPlainTable(index: number): boolean {
    return this.lua.type(index) === TABLE && !this.objects.handleAt(index);
  }
}

/** The warning about a function that returned more values than expected. API-017. */
export const surplus = (name: string, count: number, expected: number): string =>
  `${name} returned ${count} value${count === 1 ? "" : "s"}, ${expected} expected`;
