import {
  SharedObjectQueue,
  type SharedObjectUpdate,
  type SharedObjectUser,
  type Told,
} from "./shared_object_queue.ts";

/** Milliseconds of a window, and messages that an object sends in one before it collects. SO-088. */
const WINDOW = 20;
const PROMPT_MESSAGES = 64;
/** What is collected at most, in events and about as many bytes. */
const MAX_EVENTS = 1_024;
const MAX_BYTES = 64 << 10;

/**
 * Tells the users of a shared object what has changed: at once, as long as that takes few messages. A
 * busy object collects what happens to the end of its window: a change of one of 200 users would
 * else be 200 messages. SO-088.
 */
export class SharedObjectOutlet {
  readonly #queue: SharedObjectQueue;
  readonly #users: ReadonlySet<SharedObjectUser>;
  readonly #now: () => number;
  readonly #collects: () => void;
  /** Of the object, with all that was added. */
  #version = 0;
  #sending = false;
  /** When the window began that messages are counted in. */
  #windowSince = -Infinity;
  #messages = 0;

  /**
   * @param users of the object, as they are at any time
   * @param now milliseconds, never going back
   * @param collects called when something waits for {@link flush}, which is wanted at {@link deadline}
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

  /** A new user is not told of what was before it. */
  join(user: SharedObjectUser): void {
    this.#queue.join(user);
  }

  leave(user: SharedObjectUser): void {
    this.#queue.leave(user);
  }

  /** Tells users of a group of changes, now or later. @param version of the object after it */
  add(group: readonly Told[], version: number): void {
    this.#version = version;
    for (const told of group) this.#queue.add(told);
    const now = this.#now();
    if (now >= this.deadline) {
      this.#windowSince = now;
      this.#messages = 0;
    }
    const { events, bytes } = this.#queue;
    const waits = this.#messages >= PROMPT_MESSAGES && events < MAX_EVENTS && bytes < MAX_BYTES;
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

  /** Tells one user what it has yet to hear of. */
  tell(user: SharedObjectUser): void {
    if (this.#queue.events === 0 || this.#sending || !this.#users.has(user)) return;
    const update = this.#queue.take(user, this.#version);
    if (update) user.update(update);
  }

  #send(): void {
    if (this.#sending) return; // what scripts change meanwhile is sent behind it
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
