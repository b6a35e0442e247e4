// Runs the events of an application's shared objects: API-805 to API-809.
import { AmfReader } from "../../amf/mod.ts";
import type { Client } from "../../media/client.ts";
import type { SharedObject } from "../../media/shared_object.ts";
import type { SharedObjectEvents } from "../../media/shared_objects.ts";
import { BOOLEAN } from "../vm/lua.ts";
import type { Api } from "./api.ts";
import type { LuaApplication, Owned } from "./application.ts";
import { client as clientBinding } from "./client.ts";
import type { Handle } from "./handle.ts";
import type { Request } from "./refusals.ts";
import { pushValue, sharedObject } from "./shared_object.ts";

/** Bytes of an object besides its slots. */
const OBJECT_COST = 2_048;

/** Runs events of the application. */
interface EventRunner {
  tell(name: string, push: () => void): void;
  /** @throws {Refused} if the event returns false or fails */
  permit(name: string, request: Request, push: () => void): void;
}

export class LuaSharedObjects implements SharedObjectEvents {
  readonly #api: Api;
  readonly #application: LuaApplication;
  readonly #run: EventRunner;
  /** Objects that the script keeps, released when the application stops. */
  readonly #kept = new Map<SharedObject, Owned>();
  /** Counted bytes of objects that scripts write. */
  readonly #counted = new Map<SharedObject, number>();
  /** Running events, by object; their own changes do not run them again. */
  readonly #busy = { onChange: new Set<SharedObject>(), onSync: new Set<SharedObject>() };

  constructor(api: Api, application: LuaApplication, run: EventRunner) {
    this.#api = api;
    this.#application = application;
    this.#run = run;
  }

  /** Keeps an object for the script: without clients it lasts while the script holds it. API-804. */
  keep(object: SharedObject): Handle {
    const { objects, hub } = this.#api;
    if (!this.#kept.has(object)) {
      const owned = { close: () => hub.sharedObjects.letGo(object) };
      this.#kept.set(object, owned);
      this.#application.owned.add(owned);
    }
    const handle = objects.of(sharedObject, object);
    if (object.users.size === 0) objects.weaken(object);
    return handle;
  }

  use(client: Client, object: SharedObject): void {
    const { objects } = this.#api;
    objects.strengthen(object); // its fields stay as long as clients use it
    try {
      const request: Request = { client, step: "share", name: object.name };
      this.#run.permit("onSharedObject", request, () => this.#push(client, object));
    } catch (error) {
      if (object.users.size === 0) objects.weaken(object);
      throw error;
    }
  }

  leave(client: Client, object: SharedObject): void {
    this.#run.tell("onSharedObjectLeave", () => this.#push(client, object));
    if (object.users.size === 0) this.#api.objects.weaken(object);
  }

  change(
    client: Client | undefined,
    object: SharedObject,
    slot: string,
    value: Uint8Array | undefined,
  ): boolean {
    if (!client && value && !this.#count(object, object.bytes + 3 * slot.length + value.length)) {
      this.#api.log("error", `sharedObject:set: not enough memory for ${object.name}`);
      return false;
    }
    const busy = this.#busy.onChange;
    if (busy.has(object)) return true;
    busy.add(object);
    try {
      return this.#ask(client, object, "onChange", () => {
        const { lua, objects } = this.#api;
        if (client) objects.of(clientBinding, client).push(lua);
        else lua.pushNil();
        lua.pushText(slot);
        if (value) pushValue(value, this.#api);
        else lua.pushNil();
      });
    } finally {
      busy.delete(object);
    }
  }

  send(client: Client, object: SharedObject, values: Uint8Array): boolean {
    return this.#ask(client, object, "onSend", () => {
      const { lua, objects, fromAmf } = this.#api;
      objects.of(clientBinding, client).push(lua);
      fromAmf.push(new AmfReader(values));
    });
  }

  sync(object: SharedObject): void {
    if (this.#counted.has(object)) this.#count(object, object.bytes);
    const busy = this.#busy.onSync;
    if (busy.has(object)) return;
    busy.add(object);
    try {
      const { objects } = this.#api;
      this.#api.callObject(this.#application, objects.find(object), "onSync");
    } finally {
      busy.delete(object);
    }
  }

  forget(object: SharedObject): void {
    const owned = this.#kept.get(object);
    if (owned) this.#application.owned.delete(owned);
    this.#kept.delete(object);
    this.#api.outside.release(this.#application, this.#counted.get(object) ?? 0);
    this.#counted.delete(object);
    this.#api.objects.release(object);
  }

  /** Counts the bytes of an object against `[script] memory`. @returns false, without counting, above the limit */
  #count(object: SharedObject, bytes: number): boolean {
    const { outside } = this.#api;
    const before = this.#counted.get(object) ?? 0;
    const more = bytes + OBJECT_COST - before;
    if (more > 0 && !outside.take(this.#application, more)) return false;
    if (more < 0) outside.release(this.#application, -more);
    this.#counted.set(object, before + more);
    return true;
  }

  /** Runs an event of the object. @returns whether it allows the action: it neither returns false nor fails */
  #ask(
    client: Client | undefined,
    object: SharedObject,
    name: string,
    push: () => void,
  ): boolean {
    const { lua, objects } = this.#api;
    let refused = false;
    const read = (first: number, count: number) => {
      refused = count > 0 && lua.type(first) === BOOLEAN && !lua.toBoolean(first);
    };
    const error = this.#api.callObject(
      this.#application,
      objects.find(object),
      name,
      push,
      read,
      client && { client, step: "share", name: object.name },
    );
    return !error && !refused;
  }

  #push(client: Client, object: SharedObject): void {
    const { objects, lua } = this.#api;
    objects.of(clientBinding, client).push(lua);
    objects.of(sharedObject, object).push(lua);
  }
}
