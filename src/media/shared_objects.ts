import { toUtf8 } from "../bytes/text.ts";
import type { Application } from "./application.ts";
import type { Client } from "./client.ts";
import { Refused } from "./refused.ts";
import { SharedObject, type SharedObjectLimits, type SharedObjectOwner } from "./shared_object.ts";
import type { SharedObjectUpdate, SharedObjectUser } from "./shared_object_queue.ts";

/** Rules of an application for its shared objects; absent members allow everything. SO-072. */
export interface SharedObjectEvents {
  /** A client requests to use an object. @throws {Refused} */
  use(client: Client, object: SharedObject): void;
  /** A client stops using an object. */
  leave(client: Client, object: SharedObject): void;
  /**
   * Called before a change.
   *
   * @param client undefined: a script changes it
   * @param value canonical AMF; undefined deletes the slot
   * @returns false if it is refused
   */
  change(
    client: Client | undefined,
    object: SharedObject,
    slot: string,
    value: Uint8Array | undefined,
  ): boolean;
  /** Called before a call of all users. @returns false to refuse it */
  send(client: Client, object: SharedObject, values: Uint8Array): boolean;
  /** A group of changes has been sent. */
  sync(object: SharedObject): void;
  /** The object has no users any more, and no script holds it. */
  forget(object: SharedObject): void;
}

/** Limits of all objects. SO-082. */
export interface SharedObjectBounds extends SharedObjectLimits {
  /** Whether clients and scripts may use shared objects at all. */
  readonly enabled: boolean;
  /** Maximum number of objects of an application, and of objects in use by a client. */
  readonly objects: number;
  readonly objectsOfClient: number;
  /** Maximum number of events in a message. */
  readonly events: number;
  /** Maximum bytes of the name and arguments of a call. */
  readonly send: number;
}

/** Default limits. SO-082. */
export const SHARED_OBJECT_BOUNDS: SharedObjectBounds = {
  enabled: true,
  objects: 1024,
  objectsOfClient: 64,
  slots: 1024,
  slotName: 255,
  value: 64 << 10,
  object: 1 << 20,
  events: 1024,
  send: 64 << 10,
};

/** Storage of persistent objects between runs of the server. SO-080. */
export interface SharedObjectStore {
  /**
   * Loads a stored object.
   * @param application the path of the application that serves the object
   * @returns false if the object cannot be loaded
   */
  load(object: SharedObject, application: string): boolean;
  /** The object has changed: store it soon. */
  changed(object: SharedObject): void;
  /** Stores an object now, if it has changed. */
  flush(object: SharedObject): void;
  /** The object leaves memory: store its changes now. */
  forget(object: SharedObject): void;
}

/** Status codes. SO-038. */
const CREATION_FAILED = "SharedObject.ObjectCreationFailed";
const NO_READ_ACCESS = "SharedObject.NoReadAccess";

/** Maximum length of the name of an object in bytes. */
const MAX_NAME = 255;

interface Entry {
  readonly object: SharedObject;
  readonly application: Application;
  readonly key: string;
  /** A script holds it. */
  held: boolean;
  /** Number of calls of its application in progress, during which it must stay. */
  asking: number;
}

/**
 * The shared objects of a server, by the path that clients connected to (SO-039) and by persistence
 * (SO-038). An object exists while a client uses it or a script holds it.
 */
export class SharedObjects {
  readonly #entries = new Map<string, Entry>();
  readonly #byObject = new Map<SharedObject, Entry>();
  /** Number of objects by path of the application. */
  readonly #counts = new Map<string, number>();
  readonly #used = new Map<SharedObjectUser, Set<SharedObject>>();
  /** Objects with collected changes. */
  readonly #collecting = new Set<SharedObject>();
  readonly #owner: SharedObjectOwner;

  /** Sums since the start. */
  readonly counters = { changes: 0, refused: 0, sends: 0 };

  /**
   * @param now milliseconds, never going back
   * @param store undefined: no object is persistent
   */
  constructor(
    readonly bounds: SharedObjectBounds,
    now: () => number,
    readonly store?: SharedObjectStore,
  ) {
    this.#owner = {
      get now() {
        return now();
      },
      changed: (object) => this.#onChanged(object),
      collects: (object) => void this.#collecting.add(object),
    };
  }

  get size(): number {
    return this.#entries.size;
  }

  /** Number of uses of objects by clients. */
  get uses(): number {
    let uses = 0;
    for (const objects of this.#used.values()) uses += objects.size;
    return uses;
  }

  /** Bytes of the slots of all objects. */
  get bytes(): number {
    let bytes = 0;
    for (const object of this.#byObject.keys()) bytes += object.bytes;
    return bytes;
  }

  /** All objects, or those of a path. */
  *all(path?: string): Generator<SharedObject> {
    for (const object of this.#byObject.keys()) {
      if (path === undefined || object.path === path) yield object;
    }
  }

  /** The object of a name; undefined if it is not in use. */
  find(path: string, name: string, persistent: boolean): SharedObject | undefined {
    return this.#entries.get(keyOf(path, name, persistent))?.object;
  }

  has(object: SharedObject): boolean {
    return this.#byObject.has(object);
  }

  // Scripts

  /**
   * The object of a name for a script of an application, which holds it until {@link letGo}.
   * @returns the object, or the reason of a refusal
   */
  hold(application: Application, name: string, persistent: boolean): SharedObject | string {
    const entry = this.#open(application.path, application, name, persistent);
    if (!entry) {
      return this.#refusal(application, name) ??
        "[sharedObjects] persist is off, objects is reached, or its file cannot be read";
    }
    entry.held = true;
    return entry.object;
  }

  /** Scripts hold an object no longer; clients may still use it. */
  letGo(object: SharedObject): void {
    const entry = this.#byObject.get(object);
    if (!entry) return;
    entry.held = false;
    this.#release(entry);
  }

  // Clients

  /** The object of a name if a client uses it. */
  usedBy(user: SharedObjectUser, name: string, persistent: boolean): SharedObject | undefined {
    const object = this.find(user.client.path, name, persistent);
    return object?.users.has(user) ? object : undefined;
  }

  /**
   * A client begins to use an object, or resynchronizes. Sends it all slots, or the status of a refusal.
   * SO-030.
   * @returns the object if the client may use it
   */
  use(user: SharedObjectUser, name: string, persistent: boolean): SharedObject | undefined {
    const { client } = user;
    const used = this.#used.get(user);
    const entry = (used?.size ?? 0) < this.bounds.objectsOfClient ||
        this.usedBy(user, name, persistent)
      ? this.#open(client.path, client.application, name, persistent)
      : undefined;
    if (!entry) return this.#deny(user, name, persistent, CREATION_FAILED);
    const { object } = entry;
    if (!object.users.has(user)) {
      const isNew = object.users.size === 0 && object.version === 0 && !entry.held;
      if (!this.#mayUse(entry, client)) {
        this.#release(entry);
        return this.#deny(user, name, persistent, isNew ? CREATION_FAILED : NO_READ_ACCESS);
      }
      if (used) used.add(object);
      else this.#used.set(user, new Set([object]));
    }
    object.use(user);
    return object;
  }

  #mayUse(entry: Entry, client: Client): boolean {
    entry.asking++;
    try {
      client.application.sharedObjects?.use(client, entry.object);
      return client.state === "connected" && this.#byObject.get(entry.object) === entry;
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      return false;
    } finally {
      entry.asking--;
    }
  }

  /** A client stops using an object. */
  release(user: SharedObjectUser, object: SharedObject): void {
    if (!object.release(user)) return;
    const used = this.#used.get(user);
    used?.delete(object);
    if (used?.size === 0) this.#used.delete(user);
    const entry = this.#byObject.get(object)!;
    entry.asking++; // scripts may still read it
    try {
      user.client.application.sharedObjects?.leave(user.client, object);
    } finally {
      entry.asking--;
      this.#release(entry);
    }
  }

  /** A client has left. */
  leave(user: SharedObjectUser): void {
    for (const object of [...this.#used.get(user) ?? []]) this.release(user, object);
  }

  // Collected changes. SO-088
  // /** Time (ms) to call {@link flush}. */
  get deadline(): number {
    let deadline = Infinity;
    for (const object of this.#collecting) deadline = Math.min(deadline, object.deadline);
    return deadline;
  }

  /** Sends the changes that are due to users. */
  flush(now: number): void {
    for (const object of this.#collecting) {
      if (now < object.deadline) continue;
      this.#collecting.delete(object);
      object.flush();
    }
  }

  /** Sends a user all its waiting changes, before another message. SO-005. */
  tell(user: SharedObjectUser): void {
    for (const object of this.#collecting) object.tell(user);
  }

  // Changes

  /**
   * Sets or deletes a slot, if its application allows that.
   *
   * @param value canonical AMF; undefined deletes
   * @param known version that the client knows
   * @returns false if it was refused
   */
  change(
    object: SharedObject,
    slot: string,
    value: Uint8Array | undefined,
    by?: SharedObjectUser,
    known?: number,
  ): boolean {
    return object.group(() => {
      const events = this.#byObject.get(object)?.application.sharedObjects;
      const allowed = events?.change(by?.client, object, slot, value) ?? true;
      const taken = allowed
        ? value ? object.set(slot, value, by, known) : object.remove(slot, by, known)
        : object.refuse(slot, by);
      if (taken) this.counters.changes++;
      else this.counters.refused++;
      return taken;
    });
  }

  /** Refuses a client's change: its value has no canonical form, or is too long. SO-082. */
  refuse(object: SharedObject, slot: string, by: SharedObjectUser): void {
    this.counters.refused++;
    object.refuse(slot, by);
  }

  /**
   * Calls a function of all users.
   * @param values its name and arguments in canonical AMF
   * @returns false if it was refused
   */
  send(object: SharedObject, values: Uint8Array, by?: SharedObjectUser): boolean {
    const events = this.#byObject.get(object)?.application.sharedObjects;
    const tooLong = values.length > this.bounds.send;
    if (tooLong || (by && events?.send(by.client, object, values) === false)) {
      this.counters.refused++;
      if (tooLong && by) object.status(by);
      return false;
    }
    this.counters.sends++;
    object.send(values);
    return true;
  }

  // Objects

  #open(
    path: string,
    application: Application,
    name: string,
    persistent: boolean,
  ): Entry | undefined {
    const key = keyOf(path, name, persistent);
    const there = this.#entries.get(key);
    if (there) return there;
    const { bounds, store } = this;
    if (this.#refusal(application, name)) return undefined;
    const count = this.#counts.get(application.path) ?? 0;
    if (persistent && !store) return undefined;
    const object = new SharedObject(path, name, persistent, bounds, this.#owner);
    if (persistent && !store!.load(object, application.path)) return undefined;
    const entry: Entry = { object, application, key, held: false, asking: 0 };
    this.#entries.set(key, entry);
    this.#byObject.set(object, entry);
    this.#counts.set(application.path, count + 1);
    return entry;
  }

  /** The reason why an application cannot have a further object of a name, persistent or not. */
  #refusal({ path }: Application, name: string): string | undefined {
    const { enabled, objects } = this.bounds;
    const length = toUtf8(name).length;
    if (!enabled) return "[sharedObjects] enabled is off";
    if (length === 0) return "the name is empty";
    if (length > MAX_NAME) return `the name is longer than ${MAX_NAME} bytes`;
    if ((this.#counts.get(path) ?? 0) >= objects) return `[sharedObjects] objects = ${objects}`;
  }

  #onChanged(object: SharedObject): void {
    const entry = this.#byObject.get(object);
    if (object.persistent) this.store?.changed(object);
    entry?.application.sharedObjects?.sync(object);
  }

  #release(entry: Entry): void {
    const { object, application: { path, sharedObjects } } = entry;
    if (object.users.size > 0 || entry.held || entry.asking > 0) return;
    if (!this.#byObject.delete(object)) return;
    this.#entries.delete(entry.key);
    this.#collecting.delete(object);
    const count = this.#counts.get(path)! - 1;
    if (count > 0) this.#counts.set(path, count);
    else this.#counts.delete(path);
    if (object.persistent) this.store?.forget(object);
    sharedObjects?.forget(object);
  }

  #deny(user: SharedObjectUser, name: string, persistent: boolean, code: string): undefined {
    this.counters.refused++;
    const update: SharedObjectUpdate = {
      name,
      persistent,
      version: 0,
      runs: [{ changes: [{ type: "status", code, level: "error" }], from: 0, to: 1 }],
    };
    user.update(update);
  }
}

/** Unique for any characters in path and name, as it contains the length of the path. */
const keyOf = (path: string, name: string, persistent: boolean): string =>
  `${persistent ? "p" : "t"}${path.length}:${path}${name}`;
