/** A session of a door, whether its client is connected or not. */
export interface ManagedSession {
  /** Called every 2 s: ends sessions and streams that timed out. */
  manage(): void;
  /** Bytes that wait for it only, with the memory for keeping them. */
  readonly waiting: number;
  /** Ends it with an error for the application. */
  fail(reason: string): void;
}

/** Maximum number of bytes that wait for all sessions together. */
const MAX_WAITING = 1 << 30;

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

  /** Called every 2 s. */
  manage(): void {
    for (const session of [...this.#sessions]) session.manage();
    this.#boundWaiting();
  }

  /** Ends the sessions with the most waiting bytes if all together exceed the limit. */
  #boundWaiting(): void {
    let sum = 0;
    for (const session of this.#sessions) sum += session.waiting;
    if (sum <= MAX_WAITING) return;
    const all = [...this.#sessions]
      .map((session) => ({ session, waiting: session.waiting }))
      .sort((a, b) => b.waiting - a.waiting);
    for (const { session, waiting } of all) {
      if (sum <= MAX_WAITING) return;
      sum -= waiting;
      session.fail("the send queues of all clients are full, and this one is the longest");
    }
  }
}
