import {
  type PendingChange,
  SharedObjectQueue,
  type SharedObjectUpdate,
  type SharedObjectUser,
} from "./shared_object_queue.ts";

/** Length of a window in ms. SO-088. */
const WINDOW = 20;
/** Number of messages that an object sends at once in a window; later changes wait for its end. */
const MAX_PROMPT_MESSAGES = 64;
/** Maximum number of waiting events. */
const MAX_EVENTS = 1_024;
/** Approximate maximum number of bytes of waiting events. */
const MAX_BYTES = 64 << 10;

/**
 * Sends the changes of a shared object to its users: at once while that takes few messages. A busy object
 * collects changes to the end of its window, as each change would be a message per user. SO-088.
 */
export class SharedObjectOutlet {
  readonly #queue: SharedObjectQueue;
  readonly #users: ReadonlySet<SharedObjectUser>;
  readonly #now: () => number;
  readonly #collects: () => void;
  /** Version of the object after all added changes. */
  #version = 0;
  #sending = false;
  /** Start (ms) of the window in which messages are counted. */
  #windowSince = -Infinity;
  #messages = 0;

  /**
   * @param users the users of the object, a live set
   * @param now milliseconds, never going back
   * @param collects called when changes wait: call {@link flush} at {@link deadline}
   */
  constructor(
    name: string,
    persistent: boolean,
    users: ReadonlySet<SharedObjectUser>,
    now: () => number,
    collects: () => void,
  ) {
    this.#queue = new SharedObjectQueue(name, persistent);
    this.#users = users;
    this.#now = now;
    this.#collects = collects;
  }

  /** Adds a user, which does not get earlier changes. */
  join(user: SharedObjectUser): void {
    this.#queue.join(user);
  }

  leave(user: SharedObjectUser): void {
    this.#queue.leave(user);
  }

  /** Sends a group of changes to users, now or later. @param version of the object after it */
  add(group: readonly PendingChange[], version: number): void {
    this.#version = version;
    for (const told of group) this.#queue.add(told);
    const now = this.#now();
    if (now >= this.deadline) {
      this.#windowSince = now;
      this.#messages = 0;
    }
    const { events, bytes } = this.#queue;
    const waits = this.#messages >= MAX_PROMPT_MESSAGES && events < MAX_EVENTS && bytes < MAX_BYTES;
    if (waits) this.#collects();
    else this.#send();
  }

  get deadline(): number {
    return this.#windowSince + WINDOW;
  }

  flush(): void {
    this.#windowSince = this.#now();
    this.#messages = 0;
    this.#send();
  }

  /** Sends one user its waiting changes. */
  tell(user: SharedObjectUser): void {
    if (this.#queue.events === 0 || this.#sending || !this.#users.has(user)) return;
    const update = this.#queue.take(user, this.#version);
    if (update) user.update(update);
  }

  #send(): void {
    if (this.#sending) return; // changes by scripts meanwhile are sent after it
    this.#sending = true;
    try {
      while (this.#queue.events > 0) this.#sendAll();
    } finally {
      this.#sending = false;
    }
  }

  #sendAll(): void {
    const queue = this.#queue;
    const updates: [SharedObjectUser, SharedObjectUpdate][] = [];
    for (const user of this.#users) {
      const update = queue.take(user, this.#version);
      if (update) updates.push([user, update]);
    }
    queue.clear();
    this.#messages += updates.length;
    for (const [user, update] of updates) if (this.#users.has(user)) user.update(update);
  }
}
