/** Whom a door serves: a session, whether its client is connected or not. */
export interface ManagedSession {
  /** Every 2 s: ends sessions and streams whose time is over. */
  manage(): void;
  /** Bytes that wait for it alone, the memory for keeping them included. */
  readonly waiting: number;
  /** Ends it for a reason that the application is told. */
  fail(reason: string): void;
}

/** Bytes that may wait for all sessions together. */
const MOST_WAITING = 1 << 30;

/** The sessions of all doors. */
export class Sessions {
  readonly #sessions = new Set<ManagedSession>();

  get size(): number {
    return this.#sessions.size;
  }

  add(session: ManagedSession): void {
    this.#sessions.add(session);
  }

  delete(session: ManagedSession): void {
    this.#sessions.delete(session);
  }

  /** Every 2 s. */
  manage(): void {
    for (const session of [...this.#sessions]) session.manage();
    this.#boundWaiting();
  }

  /** Lets go of those for whom most is waiting, if it is too much for all. */
  #boundWaiting(): void {
    let sum = 0;
    for (const session of this.#sessions) sum += session.waiting;
    if (sum <= MOST_WAITING) return;
    const all = [...this.#sessions]
      .map((session) => ({ session, waiting: session.waiting }))
      .sort((a, b) => b.waiting - a.waiting);
    for (const { session, waiting } of all) {
      if (sum <= MOST_WAITING) return;
      sum -= waiting;
      session.fail("the send queues of all clients are full, and this one is the longest");
    }
  }
}
