import { BufferPool } from "../flow/buffer_pool.ts";
import { FragmentPool } from "../flow/fragment.ts";
import type { CryptoBackend, Hmac, Random } from "../crypto/backend.ts";
import { Counters } from "./counters.ts";
import type { Limits } from "./limits.ts";
import { PacketBuilder } from "./packet_builder.ts";
import { RealTime } from "./real_time.ts";
import { Session } from "./session.ts";
import type { Sessions } from "./sessions.ts";
import { type Timed, TimerWheel } from "./timer_wheel.ts";

/** State that all sessions of an endpoint share. */
export class Context {
  readonly clock = { now: 0 };
  readonly counters = new Counters();
  readonly fragments = new FragmentPool();
  readonly buffers = new BufferPool();
  readonly builder: PacketBuilder;
  readonly realTime = new RealTime();
  readonly timers: TimerWheel<Timed & { expire(): void }>;
  /** Bytes that all sessions hold on behalf of their far ends. */
  held = 0;
  /** Authenticates pings to new addresses. */
  readonly addressHmac: Hmac;
  /** Sessions that have something to send, linked. */
  #dirtyFirst: Session | undefined;
  #dirtyLast: Session | undefined;

  constructor(
    readonly crypto: CryptoBackend,
    readonly random: Random,
    readonly limits: Limits,
    readonly sessions: Sessions,
  ) {
    this.builder = new PacketBuilder(this.clock, this.counters, limits.datagram, crypto.batch);
    this.timers = new TimerWheel((timed) => {
      try {
        timed.expire();
      } catch (error) {
        sessions.bug(error, timed instanceof Session ? timed : undefined);
      }
    });
    this.addressHmac = crypto.hmacSha256(random(32));
  }

  get now(): number {
    return this.clock.now;
  }

  get dirty(): boolean {
    return this.#dirtyFirst !== undefined;
  }

  /** Queues a session for the next flush. */
  markDirty(session: Session): void {
    if (session.isDirty) return;
    session.isDirty = true;
    session.nextDirty = undefined;
    if (this.#dirtyLast) this.#dirtyLast.nextDirty = session;
    else this.#dirtyFirst = session;
    this.#dirtyLast = session;
  }

  /** Removes the session that was marked first. */
  takeDirty(): Session | undefined {
    const session = this.#dirtyFirst;
    if (!session) return undefined;
    this.#dirtyFirst = session.nextDirty;
    if (!this.#dirtyFirst) this.#dirtyLast = undefined;
    session.isDirty = false;
    session.nextDirty = undefined;
    return session;
  }
}
