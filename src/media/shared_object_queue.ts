// The changes of a shared object that wait to be sent to its users: SO-083, SO-088.
import type { Client } from "./client.ts";

/**
 * A change of a shared object. Names are those of the message's events: SO-013 to SO-020.
 *
 * - `value`: one AMF value in its canonical form, see `SharedObject.set`
 * - `values`: the AMF of a handler's name and its arguments
 */
export type SharedObjectChange =
  | { readonly type: "useSuccess" | "clear" }
  | { readonly type: "change"; readonly slot: string; readonly value: Uint8Array }
  | { readonly type: "success" | "remove"; readonly slot: string }
  | { readonly type: "sendMessage"; readonly values: Uint8Array }
  | { readonly type: "status"; readonly code: string; readonly level: "status" | "error" };

/**
 * A part of a list of changes. Runs of many users are parts of one list, so that a door can cache the
 * encoded form of the list. Changes are only appended to a list.
 */
interface ChangeRun {
  readonly changes: readonly SharedObjectChange[];
  readonly from: number;
  readonly to: number;
}

/**
 * The changes of one message to a user. Users with the same changes get the same object, so that a door
 * can cache its encoded form (SO-083).
 */
export interface SharedObjectUpdate {
  readonly name: string;
  readonly persistent: boolean;
  /** The version of the object after these changes. */
  readonly version: number;
  /** The changes, in order. */
  readonly runs: readonly ChangeRun[];
}

/** The changes of an update, in order. */
export const changesOf = ({ runs }: SharedObjectUpdate): SharedObjectChange[] =>
  runs.flatMap(({ changes, from, to }) => changes.slice(from, to));

/** A client that uses a shared object, as its door implements it. */
export interface SharedObjectUser {
  readonly client: Client;
  /** Sends an update in order with the commands of the same connection. SO-005. */
  update(update: SharedObjectUpdate): void;
}

/** A change to send: to one user, to all but one, or to all. */
export interface PendingChange {
  readonly change: SharedObjectChange;
  readonly only?: SharedObjectUser;
  readonly except?: SharedObjectUser;
}

/** Differences of one user's changes from the common ones, in order. */
interface Differences {
  /** Changes for this user only. */
  readonly changes: SharedObjectChange[];
  /** Offset in the common changes: the next of `changes` is inserted there, or the common one is left out. */
  readonly steps: { readonly at: number; readonly isOwn: boolean }[];
}

/** Approximate length of an encoded change besides names and values, in bytes. */
const EVENT = 16;

/** Changes in order, and the part of them that each user has got. */
export class SharedObjectQueue {
  /** Changes for all users, except for {@link Differences}. */
  #common: SharedObjectChange[] = [];
  readonly #differences = new Map<SharedObjectUser, Differences>();
  /** Offset in the common changes up to which a user has got them or does not need them. */
  readonly #heard = new Map<SharedObjectUser, number>();
  /** Updates of users without differences, by offset. */
  readonly #shared = new Map<number, SharedObjectUpdate>();
  #events = 0;
  #bytes = 0;

  constructor(readonly name: string, readonly persistent: boolean) {}

  /** Number of waiting changes, and their approximate length in bytes. */
  get events(): number {
    return this.#events;
  }

  get bytes(): number {
    return this.#bytes;
  }

  add({ change, only, except }: PendingChange): void {
    this.#shared.clear();
    this.#events++;
    this.#bytes += sizeOf(change);
    const at = this.#common.length;
    if (only) {
      const { changes, steps } = this.#differencesOf(only);
      changes.push(change);
      steps.push({ at, isOwn: true });
      return;
    }
    if (except) this.#differencesOf(except).steps.push({ at, isOwn: false });
    this.#common.push(change);
  }

  /** A new user does not get earlier changes. */
  join(user: SharedObjectUser): void {
    if (this.#common.length > 0) this.#heard.set(user, this.#common.length);
  }

  leave(user: SharedObjectUser): void {
    this.#differences.delete(user);
    this.#heard.delete(user);
  }

  /** Takes the pending changes of a user; undefined if there are none. @param version of the object */
  take(user: SharedObjectUser, version: number): SharedObjectUpdate | undefined {
    const end = this.#common.length;
    const from = this.#heard.get(user) ?? 0;
    const differences = this.#differences.get(user);
    if (differences) this.#differences.delete(user);
    if (from < end) this.#heard.set(user, end);
    if (differences) {
      const runs = runsOf(this.#common, from, differences);
      return runs.length > 0 ? this.#update(version, runs) : undefined;
    }
    if (from >= end) return undefined;
    let update = this.#shared.get(from);
    if (!update) {
      update = this.#update(version, [{ changes: this.#common, from, to: end }]);
      this.#shared.set(from, update);
    }
    return update;
  }

  /** Drops the pending changes. */
  clear(): void {
    this.#common = []; // doors cache the encoded form of the old list
    this.#differences.clear();
    this.#heard.clear();
    this.#shared.clear();
    this.#events = this.#bytes = 0;
  }

  #differencesOf(user: SharedObjectUser): Differences {
    let differences = this.#differences.get(user);
    if (!differences) this.#differences.set(user, differences = { changes: [], steps: [] });
    return differences;
  }

  #update(version: number, runs: readonly ChangeRun[]): SharedObjectUpdate {
    const { name, persistent } = this;
    return { name, persistent, version, runs };
  }
}

function runsOf(
  common: readonly SharedObjectChange[],
  from: number,
  { changes, steps }: Differences,
): ChangeRun[] {
  const runs: ChangeRun[] = [];
  let own = 0;
  for (const { at, isOwn } of steps) {
    if (at > from) runs.push({ changes: common, from, to: at });
    from = isOwn ? at : at + 1;
    if (!isOwn) continue;
    const last = runs.at(-1);
    if (last?.changes === changes) runs[runs.length - 1] = { ...last, to: own + 1 };
    else runs.push({ changes, from: own, to: own + 1 });
    own++;
  }
  if (from < common.length) runs.push({ changes: common, from, to: common.length });
  return runs;
}

function sizeOf(change: SharedObjectChange): number {
  const slot = "slot" in change ? change.slot.length : 0;
  const value = "value" in change ? change.value.length : 0;
  return EVENT + slot + value + ("values" in change ? change.values.length : 0);
}
