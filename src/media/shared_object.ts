import { equalBytes } from "../bytes/equal.ts";
import { SharedObjectOutlet } from "./shared_object_outlet.ts";
import type { SharedObjectChange, SharedObjectUser, Told } from "./shared_object_queue.ts";

/** Bounds of one object. SO-082. */
export interface SharedObjectLimits {
  readonly slots: number;
  /** Bytes of the name of a slot, of a value, of all names and values together. */
  readonly slotName: number;
  readonly value: number;
  readonly object: number;
}

/** A slot: its value in canonical AMF, its last writer and version. */
interface Slot {
  readonly value: Uint8Array;
  readonly bytes: number;
  /** The version of the object at which it was written. SO-035. */
  readonly version: number;
  /** Undefined: a script, or a user of an earlier run. */
  readonly writer: SharedObjectUser | undefined;
}

/** Why a change is not taken: the requester gets this status and the present value. SO-082. */
const NO_WRITE_ACCESS = "SharedObject.NoWriteAccess";

/** What an object needs of the collection that it belongs to. */
export interface SharedObjectOwner {
  /** Milliseconds, never going back. */
  readonly now: number;
  /** Called once after a group of changes. */
  changed(object: SharedObject): void;
  /** Changes wait for users: call {@link SharedObject.flush} at its `deadline`. */
  collects(object: SharedObject): void;
}

/**
 * A remote shared object: named slots that all its users see alike. SO-030 to SO-040.
 *
 * Everything that happens between {@link begin} and {@link end} goes out as one message a user, and
 * raises the version by one at most (SO-031, SO-071). A correction raises it too, so that the version
 * in a later request tells whether its client had heard of the correction.
 */
export class SharedObject {
  readonly #slots = new Map<string, Slot>();
  readonly #users = new Set<SharedObjectUser>();
  #version = 0;
  #bytes = 0;
  /** How many {@link begin} have no {@link end} yet. */
  #open = 0;
  #changed = false;
  #corrected = false;
  /** The version at which a slot was deleted last. */
  #removedAt = 0;
  /** The version at which a user was last told another value than it had asked for. */
  readonly #correctedAt = new Map<SharedObjectUser, number>();
  /** Clients that use the object, or have used it. */
  readonly #known = new WeakSet<SharedObjectUser>();
  /** What users are to be told at the end of the group. */
  #pending: Told[] = [];
  /** Tells users of groups that are ended. */
  readonly #outlet: SharedObjectOutlet;

  /** @param path that its users connected to. SO-039. */
  constructor(
    readonly path: string,
    readonly name: string,
    readonly persistent: boolean,
    readonly limits: SharedObjectLimits,
    readonly owner: SharedObjectOwner,
  ) {
    const collects = () => owner.collects(this);
    this.#outlet = new SharedObjectOutlet(name, persistent, this.#users, () => owner.now, collects);
  }

  get version(): number {
    return this.#version;
  }

  /** Bytes of all names and values. */
  get bytes(): number {
    return this.#bytes;
  }

  get users(): ReadonlySet<SharedObjectUser> {
    return this.#users;
  }

  /** The names of the slots, oldest first. */
  slots(): Iterable<string> {
    return this.#slots.keys();
  }

  get size(): number {
    return this.#slots.size;
  }

  /** The canonical AMF of a slot; undefined if there is none. */
  get(slot: string): Uint8Array | undefined {
    return this.#slots.get(slot)?.value;
  }

  versionOf(slot: string): number {
    return this.#slots.get(slot)?.version ?? 0;
  }

  /** Restores a stored state; users are not told. */
  restore(
    version: number,
    slots: Iterable<readonly [slot: string, value: Uint8Array, version: number]>,
  ): void {
    for (const [slot, value, version] of slots) this.#put(slot, value, version, undefined);
    this.#version = version;
  }

  // Users

  /**
   * A client uses the object, or resynchronizes: it gets everything, from Clear on. SO-030, SO-040,
   * SO-051. That undoes changes that the client has made locally meanwhile.
   */
  use(user: SharedObjectUser): void {
    if (!this.#users.has(user)) this.#outlet.join(user);
    this.#users.add(user);
    this.group(() => {
      if (this.#known.has(user)) this.#correcting(user);
      this.#known.add(user);
      this.#tell({ type: "useSuccess" }, user);
      this.#tell({ type: "clear" }, user);
      for (const [slot, { value }] of this.#slots) {
        this.#tell({ type: "change", slot, value }, user);
      }
    });
  }

  /** A client uses the object no more. @returns false if it did not */
  release(user: SharedObjectUser): boolean {
    this.tell(user);
    if (!this.#users.delete(user)) return false;
    this.#outlet.leave(user);
    this.#correctedAt.delete(user);
    for (const [name, slot] of this.#slots) {
      if (slot.writer === user) this.#slots.set(name, { ...slot, writer: undefined });
    }
    return true;
  }

  // Changes

  /** Runs `action` as one group of changes. */
  group<T>(action: () => T): T {
    this.begin();
    try {
      return action();
    } finally {
      this.end();
    }
  }

  /** Begins a group of changes; groups may stand in each other. */
  begin(): void {
    this.#open++;
  }

  /** Ends a group: the outermost one has each user told what concerns it. */
  end(): void {
    if (--this.#open > 0) return;
    const pending = this.#pending;
    this.#pending = [];
    if (this.#changed || this.#corrected) this.#version++;
    this.#corrected = false;
    if (pending.length > 0) this.#outlet.add(pending, this.#version);
    if (!this.#changed) return;
    this.#changed = false;
    this.owner.changed(this);
  }

  // What users are told: SO-088

  /** When {@link flush} is wanted, in milliseconds; only while something is collected. */
  get deadline(): number {
    return this.#outlet.deadline;
  }

  /** Sends the collected changes to users. */
  flush(): void {
    this.#outlet.flush();
  }

  /** Sends the collected changes to one user, before other messages to it. SO-005. */
  tell(user: SharedObjectUser): void {
    this.#outlet.tell(user);
  }

  /**
   * Sets a slot. The requester gets Success, or the present value if it did not know it and another
   * user wrote it (SO-032, SO-035); others get Change unless the value is the same. A requester that
   * will undo its own value, because of a deletion or refusal it has yet to hear of, gets Change too.
   *
   * @param value one AMF value in canonical form: equal values have equal bytes
   * @param known version of the object that the requester knows
   * @returns false if it was not taken: a bound was met, or another user was faster
   */
  set(slot: string, value: Uint8Array, by?: SharedObjectUser, known = Infinity): boolean {
    return this.group(() => this.#set(slot, value, by, known));
  }

  #set(slot: string, value: Uint8Array, by: SharedObjectUser | undefined, known: number): boolean {
    if (this.#isStranger(by)) return false;
    if (this.#lost(slot, by, known)) return this.#correct(slot, by);
    const before = this.#slots.get(slot);
    if (!before || !equalBytes(before.value, value)) {
      if (!this.#fits(slot, value, before)) return this.refuse(slot, by);
      this.#put(slot, value, this.#version + 1, by);
      this.#changed = true;
      this.#tellOthers({ type: "change", slot, value }, by);
    }
    this.#succeed(slot, by, known);
    return true;
  }

  /** Deletes a slot; see {@link set}. SO-033, SO-034. */
  remove(slot: string, by?: SharedObjectUser, known = Infinity): boolean {
    return this.group(() => this.#remove(slot, by, known));
  }

  #remove(slot: string, by: SharedObjectUser | undefined, known: number): boolean {
    if (this.#isStranger(by)) return false;
    if (this.#lost(slot, by, known)) return this.#correct(slot, by);
    const before = this.#slots.get(slot);
    if (before) {
      this.#slots.delete(slot);
      this.#bytes -= before.bytes;
      this.#changed = true;
      this.#removedAt = this.#version + 1;
      this.#tellOthers({ type: "remove", slot }, by);
    }
    this.#succeed(slot, by, known);
    return true;
  }

  /** Deletes all slots: every user gets Clear. */
  clear(): void {
    this.group(() => {
      this.#changed = true;
      this.#removedAt = this.#version + 1;
      this.#slots.clear();
      this.#bytes = 0;
      this.#tellOthers({ type: "clear" });
    });
  }

  /** All users are told to call a handler, its sender included. SO-036. */
  send(values: Uint8Array): void {
    this.group(() => this.#tellOthers({ type: "sendMessage", values }));
  }

  /**
   * A change is not taken: the requester gets a status and the present value.
   * @returns false
   */
  refuse(slot: string, by: SharedObjectUser | undefined, code = NO_WRITE_ACCESS): false {
    return this.group(() => {
      if (by) this.#tell({ type: "status", code, level: "error" }, by);
      return this.#correct(slot, by);
    });
  }

  /** A user is told that something it asked for was not done. */
  status(by: SharedObjectUser, code = NO_WRITE_ACCESS): void {
    this.group(() => this.#tell({ type: "status", code, level: "error" }, by));
  }

  /**
   * Tells the requester that its change was accepted. It gets the value instead of Success if a
   * deletion or correction is still on its way to it, which will undo its local change.
   */
  #succeed(slot: string, by: SharedObjectUser | undefined, known: number): void {
    if (!by) return;
    const undone = known < Math.max(this.#removedAt, this.#correctedAt.get(by) ?? 0);
    if (undone) this.#correct(slot, by);
    else this.#tell({ type: "success", slot }, by);
  }

  /** Whether the requester does not use the object. */
  #isStranger(by: SharedObjectUser | undefined): boolean {
    return by !== undefined && !this.#users.has(by);
  }

  /** Whether another user wrote the slot after the version that the requester knows. SO-035. */
  #lost(slot: string, by: SharedObjectUser | undefined, known: number): boolean {
    const there = this.#slots.get(slot);
    return by !== undefined && there !== undefined && there.version > known && there.writer !== by;
  }

  /** Tells the requester the present value, and marks from which version on it knows that. */
  #correct(slot: string, by: SharedObjectUser | undefined): false {
    if (!by) return false;
    this.#correcting(by);
    this.#forgetCorrection(slot, by);
    const value = this.get(slot);
    this.#tell(value ? { type: "change", slot, value } : { type: "remove", slot }, by);
    return false;
  }

  /** A user is told of other values than it may have set. */
  #correcting(user: SharedObjectUser): void {
    this.#corrected = true;
    this.#correctedAt.set(user, this.#version + 1);
  }

  /**
   * The last correction of a slot in a group takes the place of earlier ones: a message of many small
   * requests that are refused is answered with no more than the object itself.
   */
  #forgetCorrection(slot: string, by: SharedObjectUser): void {
    const at = this.#pending.findIndex(({ change, only }) =>
      only === by && (change.type === "change" || change.type === "remove") && change.slot === slot
    );
    if (at >= 0) this.#pending.splice(at, 1);
  }

  #fits(slot: string, value: Uint8Array, before: Slot | undefined): boolean {
    const { limits } = this;
    const name = nameBytes(slot);
    if (name > limits.slotName || value.length > limits.value) return false;
    if (!before && this.#slots.size >= limits.slots) return false;
    return this.#bytes - (before?.bytes ?? 0) + name + value.length <= limits.object;
  }

  #put(
    slot: string,
    value: Uint8Array,
    version: number,
    writer: SharedObjectUser | undefined,
  ): void {
    const bytes = nameBytes(slot) + value.length;
    this.#bytes += bytes - (this.#slots.get(slot)?.bytes ?? 0);
    this.#slots.set(slot, { value, bytes, version, writer });
  }

  #tell(change: SharedObjectChange, only: SharedObjectUser): void {
    this.#pending.push({ change, only });
  }

  #tellOthers(change: SharedObjectChange, except?: SharedObjectUser): void {
    this.#pending.push(except ? { change, except } : { change });
  }
}

const encoder = new TextEncoder();
const nameBytes = (name: string): number => encoder.encode(name).length;
