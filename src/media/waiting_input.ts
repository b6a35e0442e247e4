// Requests of clients that wait for a busy application: in order, and limited.
import type { Application } from "./application.ts";

/** Maximum number of waiting messages and bytes of one client or socket, and of bytes of all. */
export const MAX_WAITING = { messages: 4_096, bytes: 4 << 20, all: 64 << 20 };
/** Memory of a waiting message besides its bytes, in bytes. */
const MESSAGE = 300;
/** Milliseconds between two checks of busy applications. */
const LOOK_INTERVAL = 10;

/** An application that may be busy. */
export type WaitingApplication = Pick<Application, "waits">;

/** Waiting messages and bytes of one client or socket. */
interface Tally {
  readonly owner: object;
  readonly application: WaitingApplication;
  messages: number;
  bytes: number;
  dropped: boolean;
}

/** Number of dropped bytes in the queues from which on they are removed. */
const MIN_SWEEP = 4 << 20;

interface Waiter {
  readonly tally: Tally;
  readonly bytes: number;
  run(): void;
}

/**
 * Waiting input by application, in order of arrival. While input of a client waits, its later input must
 * wait as well: check {@link holds} first.
 */
export class WaitingInput {
  readonly #queues = new Map<WaitingApplication, Waiter[]>();
  readonly #tallies = new Map<object, Tally>();
  #bytes = 0;
  /** Bytes of dropped messages that are still in a queue. */
  #dropped = 0;
  #handing = false;
  #lookAt = Infinity;

  /** Whether input of a client or socket waits. */
  holds(owner: object): boolean {
    return this.#tallies.size > 0 && this.#tallies.has(owner);
  }

  /** Bytes of dropped messages that are not freed yet. */
  get dropped(): number {
    return this.#dropped;
  }

  /** Time (ms) to call {@link flush}. */
  get deadline(): number {
    return this.#lookAt;
  }

  /**
   * Keeps input until the application takes it, behind earlier input of its owner.
   *
   * @param owner the client's connection, or the socket
   * @param number of bytes that `run` keeps in memory
   * @returns false if a limit is reached
   */
  add(application: WaitingApplication, owner: object, bytes: number, run: () => void): boolean {
    const size = bytes + MESSAGE;
    let tally = this.#tallies.get(owner);
    const { messages, bytes: held } = tally ?? { messages: 0, bytes: 0 };
    if (messages >= MAX_WAITING.messages || held + size > MAX_WAITING.bytes) return false;
    if (this.#bytes + size > MAX_WAITING.all) return false;
    if (!tally) {
      tally = { owner, application, messages: 0, bytes: 0, dropped: false };
      this.#tallies.set(owner, tally);
    }
    tally.messages++;
    tally.bytes += size;
    this.#bytes += size;
    let queue = this.#queues.get(tally.application);
    if (!queue) this.#queues.set(tally.application, queue = []);
    queue.push({ tally, bytes: size, run });
    if (this.#lookAt === Infinity) this.#lookAt = 0;
    return true;
  }

  /** The application that input of a client or socket waits for, if any. */
  applicationOf(owner: object): WaitingApplication | undefined {
    return this.#tallies.get(owner)?.application;
  }

  /** Drops the waiting input of a client or socket that has closed. */
  drop(owner: object): void {
    const tally = this.#tallies.get(owner);
    if (!tally) return;
    this.#tallies.delete(owner);
    tally.dropped = true;
    this.#bytes -= tally.bytes;
    this.#dropped += tally.bytes;
    this.#sweep();
  }

  /** Passes waiting input to applications that are not busy any more. */
  flush(now: number): void {
    if (now < this.#lookAt) return;
    this.#lookAt = now + LOOK_INTERVAL; // also if a call fails
    this.#handing = true;
    try {
      for (const [application, queue] of [...this.#queues]) this.#hand(application, queue);
    } finally {
      this.#handing = false;
      this.#sweep();
    }
    if (this.#queues.size === 0) this.#lookAt = Infinity;
  }

  #hand(application: WaitingApplication, queue: Waiter[]): void {
    let done = 0;
    try {
      for (let waiter = queue[0]; waiter && !application.waits?.("call"); waiter = queue[done]) {
        done++;
        if (waiter.tally.dropped) {
          this.#dropped -= waiter.bytes;
          continue;
        }
        this.#settle(waiter);
        waiter.run();
      }
    } finally {
      queue.splice(0, done);
      if (queue.length === 0) this.#queues.delete(application);
    }
  }

  #settle({ tally, bytes }: Waiter): void {
    tally.messages--;
    tally.bytes -= bytes;
    this.#bytes -= bytes;
    if (tally.messages === 0) this.#tallies.delete(tally.owner);
  }

  /** Removes dropped messages, so that their memory is freed. */
  #sweep(): void {
    if (this.#handing || this.#dropped < Math.max(MIN_SWEEP, this.#bytes)) return;
    for (const [application, queue] of [...this.#queues]) {
      let kept = 0;
      for (const waiter of queue) if (!waiter.tally.dropped) queue[kept++] = waiter;
      queue.length = kept;
      if (kept === 0) this.#queues.delete(application);
    }
    this.#dropped = 0;
  }
}
