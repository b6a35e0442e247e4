import type { Address } from "../../common/address.ts";
import { isLoopback, sourceKey } from "../../common/ip.ts";
import type { Limits } from "./limits.ts";
import type { Session } from "./session.ts";

/**
 * Decides whether an endpoint has room for a session, and which one to end for it: first lingering
 * sessions, then those whose far end has sent nothing yet, the oldest first. A session in use keeps its
 * place until it ends, also when it moves.
 */
export class SessionCapacity {
  readonly #limits: Limits;
  /** Number of open sessions whose far end has sent a packet. */
  #taken = 0;
  /** Answered handshakes that wait for the first packet of their session. */
  readonly #halfOpen = new Set<Session>();
  /** Sessions that are not open any more. */
  readonly #lingering = new Set<Session>();
  /**
   * Number of open sessions by the source that opened them. A session that moves still counts there;
   * otherwise a client with two addresses could take all places.
   */
  readonly #bySource = new Map<string, number>();

  constructor(limits: Limits) {
    this.#limits = limits;
  }

  /**
   * Limit that refuses one more session of a source: that of all sessions, or that of its address.
   *
   * @param replaced the session whose place it takes
   */
  refusal(from: Address, replaced: Session | undefined): "all" | "address" | undefined {
    const { sessions, sessionsOfAddress } = this.#limits;
    if (!replaced && this.#taken >= sessions) return "all";
    if (isLoopback(from.hostname)) return undefined;
    const source = sourceKey(from.hostname);
    const leaves = replaced && sourceKey(replaced.firstAddress.hostname) === source ? 1 : 0;
    const taken = (this.#bySource.get(source) ?? 0) - leaves;
    return taken >= sessionsOfAddress ? "address" : undefined;
  }

  /** Adds a session whose far end has sent nothing yet. */
  add(session: Session): void {
    const { halfOpen, sessions } = this.#limits;
    const all = this.#taken + this.#halfOpen.size + this.#lingering.size;
    if (this.#halfOpen.size >= halfOpen) giveUp(this.#halfOpen);
    else if (all >= sessions) giveUp(this.#lingering.size > 0 ? this.#lingering : this.#halfOpen);
    this.#halfOpen.add(session);
    this.#count(session.firstAddress, 1);
  }

  /** The far end of a session has sent its first packet, or this end has opened the session. */
  heard(session: Session): void {
    if (!this.#halfOpen.delete(session)) this.#count(session.firstAddress, 1);
    this.#taken++;
  }

  /** A session is not open any more. */
  ended(session: Session): void {
    if (session.heard) this.#taken--;
    this.#halfOpen.delete(session);
    this.#lingering.add(session);
    this.#count(session.firstAddress, -1);
  }

  /** A session has finished closing. */
  closed(session: Session): void {
    this.#halfOpen.delete(session);
    this.#lingering.delete(session);
  }

  #count(address: Address, by: 1 | -1): void {
    const source = sourceKey(address.hostname);
    const count = (this.#bySource.get(source) ?? 0) + by;
    if (count > 0) this.#bySource.set(source, count);
    else this.#bySource.delete(source);
  }
}

/** Aborts the oldest of some sessions; a close may still be sent for it. */
function giveUp(sessions: Set<Session>): void {
  const [oldest] = sessions;
  if (!oldest) return;
  sessions.delete(oldest);
  oldest.abort("limit");
}
