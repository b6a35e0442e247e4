import { equalBytes } from "../bytes/equal.ts";
import { SharedObjectOutlet } from "./shared_object_outlet.ts";
import type { PendingChange, SharedObjectChange, SharedObjectUser } from "./shared_object_queue.ts";

/** Limits of one object. SO-082. */
export interface SharedObjectLimits {
  readonly slots: number;
  /** Maximum bytes of the name of a slot, of a value, and of all names and values together. */
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
  /** Undefined: a script, or a user of an earlier run of the server. */
  readonly writer: SharedObjectUser | undefined;
}

/** Status for the requester of a refused change, together with the present value. SO-082. */
const NO_WRITE_ACCESS = "SharedObject.NoWriteAccess";

/** The part of {@link SharedObjects} that an object uses. */
export interface SharedObjectOwner {
  /** Milliseconds, never going back. */
  readonly now: number;
  /** Called once after a group of changes. */
  changed(object: SharedObject): void;
  /** Changes wait to be sent: call {@link SharedObject.flush} at its `deadline`. */
  collects(object: SharedObject): void;
}

/**
 * A remote shared object: named slots with the same values for all its users. SO-030 to SO-040.
 *
 * All events between {@link begin} and {@link end} are one message per user, and raise the version by
 * at most one (SO-031, SO-071). A correction raises it too, so that the version in a later request shows
 * whether its client had received the correction.
 */
export class SharedObject {
  readonly #slots = new Map<string, Slot>();
  readonly #users = new Set<SharedObjectUser>();
  #version = 0;
  #bytes = 0;
  /** Number of {@link begin} without {@link end}. */
  #open = 0;
  #changed = false;
  #corrected = false;
  /** The version at which a slot was last deleted. */
  #removedAt = 0;
  /** The version at which a user last got another value than it had requested. */
  readonly #correctedAt = new Map<SharedObjectUser, number>();
  /** Clients that use the object, or have used it. */
  readonly #known = new WeakSet<SharedObjectUser>();
  /** Changes to send to users at the end of the group. */
  #pending: PendingChange[] = [];
  /** Sends the changes of ended groups to users. */
  readonly #outlet: SharedObjectOutlet;

  /** @param the path that its users connected to. SO-039. */
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

  /** Restores a stored state; sends nothing to users. */
  restore(
    version: number,
    slots: Iterable<readonly [slot: string, value: Uint8Array, version: number]>,
  ): void {
    for (const [slot, value, version] of slots) this.#put(slot, value, version, undefined);
    this.#version = version;
  }

  // Users

  /**
   * A client begins to use the object, or resynchronizes: sends it Clear and all slots. SO-030, SO-040,
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

  /** A client stops using the object. @returns false if it did not use it */
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

  /** Begins a group of changes; groups may be nested. */
  begin(): void {
    this.#open++;
  }

  /** Ends a group: the outermost one sends each user its changes. */
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

  // Sending changes to users: SO-088

  /** Time (ms) to call {@link flush}; valid while changes wait. */
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
   * Sets a slot. The requester gets Success, or the present value if another user wrote it after the version that the
   * requester knows (SO-032, SO-035); others get Change unless the value is the same. A requester gets Change too if
   * a deletion or refusal still on its way to it will undo its own value.
   *
   * @param value one AMF value in canonical form: equal values have equal bytes
   * @param known version of the object that the requester knows
   * @returns false if it was refused: a limit is reached, or another user was faster
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

  /** Calls a handler of all users, the sender included. SO-036. */
  send(values: Uint8Array): void {
    this.group(() => this.#tellOthers({ type: "sendMessage", values }));
  }

  /**
   * Refuses a change: the requester gets a status and the present value.
   * @returns false
   */
  refuse(slot: string, by: SharedObjectUser | undefined, code = NO_WRITE_ACCESS): false {
    return this.group(() => {
      if (by) this.#tell({ type: "status", code, level: "error" }, by);
      return this.#correct(slot, by);
    });
  }

  /** Sends a user the status of a refused request. */
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

  /** Whether the requester is not a user of the object. */
  #isStranger(by: SharedObjectUser | undefined): boolean {
    return by !== undefined && !this.#users.has(by);
  }

  /** Whether another user wrote the slot after the version that the requester knows. SO-035. */
  #lost(slot: string, by: SharedObjectUser | undefined, known: number): boolean {
    const there = this.#slots.get(slot);
    return by !== undefined && there !== undefined && there.version > known && there.writer !== by;
  }

  /** Sends the requester the present value, and records the version from which on it knows the value. */
  #correct(slot: string, by: SharedObjectUser | undefined): false {
    if (!by) return false;
    this.#correcting(by);
    this.#forgetCorrection(slot, by);
    const value = this.get(slot);
    this.#tell(value ? { type: "change", slot, value } : { type: "remove", slot }, by);
    return false;
  }

  /** Records that a user gets other values than it may have set. */
  #correcting(user: SharedObjectUser): void {
    this.#corrected = true;
    this.#correctedAt.set(user, this.#version + 1);
  }

  /**
   * Removes the earlier correction of a slot in the group: the answer to a message of many refused requests
   * is not longer than the object itself.
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
