import type { SharedObject } from "../../media/shared_object.ts";

/** Shared objects that scripts have locked, at most until the running event ends. API-816. */
export class Locks {
  readonly #counts = new Map<SharedObject, number>();

  lock(object: SharedObject): void {
    this.#counts.set(object, (this.#counts.get(object) ?? 0) + 1);
    object.begin();
  }

  unlock(object: SharedObject): void {
    const count = this.#counts.get(object) ?? 0;
    if (count === 0) return;
    if (count === 1) this.#counts.delete(object);
    else this.#counts.set(object, count - 1);
    object.end();
  }

  /** Releases all locks when the outermost event has ended. */
  release(): void {
    if (this.#counts.size === 0) return;
    for (const object of [...this.#counts.keys()]) {
      while (this.#counts.has(object)) this.unlock(object);
    }
  }
}
