import type { Limits } from "./limits.ts";
import type { Session } from "./session.ts";

/**
 * How many sessions an endpoint has room for, and which of them make room: first those that are
 * over and only linger, then those of which the far end has not been heard, the oldest first. What
 * is in use keeps its place until it ends.
 */
export class Places {
  readonly #limits: Limits;
  /** Open sessions of which the far end has been heard. */
  #taken = 0;
  /** Answered handshakes that wait for the first packet of their session. */
  readonly #halfOpen = new Set<Session>();
  /** Sessions that are not open any more. */
  readonly #lingering = new Set<Session>();

  constructor(limits: Limits) {
    this.#limits = limits;
  }

  /** Whether there is room for one more. */
  get left(): boolean {
    return this.#taken < this.#limits.sessions;
  }

  /** A session is added of which the far end has still to be heard. */
  add(session: Session): void {
    const { halfOpen, sessions } = this.#limits;
    const all = this.#taken + this.#halfOpen.size + this.#lingering.size;
    if (this.#halfOpen.size >= halfOpen) giveUp(this.#halfOpen);
    else if (all >= sessions) giveUp(this.#lingering.size > 0 ? this.#lingering : this.#halfOpen);
    this.#halfOpen.add(session);
  }

  /** The far end of a session is there. */
  heard(session: Session): void {
    this.#halfOpen.delete(session);
    this.#taken++;
  }

  /** A session is not open any more. */
  ended(session: Session): void {
    if (session.heard) this.#taken--;
    this.#halfOpen.delete(session);
    this.#lingering.add(session);
  }

  /** A session is over for good. */
  closed(session: Session): void {
    this.#halfOpen.delete(session);
    this.#lingering.delete(session);
  }
}

/** Ends the oldest of some sessions; it may have one last word to say. */
function giveUp(sessions: Set<Session>): void {
  const [oldest] = sessions;
  if (!oldest) return;
  sessions.delete(oldest);
  oldest.abort("limit");
}
