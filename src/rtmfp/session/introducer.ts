import { type Address, sameAddress } from "../../common/address.ts";
import { TokenBucket } from "../../common/token_bucket.ts";
import { Origin, type OriginAddress } from "../wire/address.ts";
import { redirect } from "../wire/redirect.ts";
import type { EndpointHandler } from "./endpoint_handler.ts";
import { usableAddresses, type Whereabouts } from "./networks.ts";
import type { Session } from "./session.ts";
import type { Sessions } from "./sessions.ts";

/** Maximum number of addresses in one answer. */
const MAX_ADDRESSES = 20;
/** Time (ms) whose introductions may be sent in one burst. */
const BURST_TIME = 2000;

/** A hello that names a peer: RFC 7016 §2.3.2, §3.5.1.4. */
export interface PeerHello {
  readonly peerId: Uint8Array;
  readonly epd: Uint8Array;
  readonly tag: Uint8Array;
  /** Addresses of the client that looks for the peer. */
  readonly seeker: Whereabouts;
  /** Number of earlier hellos with this tag. */
  readonly attempts: number;
}

/** Introduces peers: redirects the seeker, and forwards its hello to the target. RFC 7016 §3.5.1.4 to §3.5.1.6. */
export class Introducer {
  /** Introductions that are still allowed to a session. */
  readonly #allowances = new WeakMap<Session, TokenBucket>();

  readonly #sessions: Sessions;
  readonly #handler: EndpointHandler;

  constructor(sessions: Sessions, handler: EndpointHandler) {
    this.#sessions = sessions;
    this.#handler = handler;
  }

  /**
   * A client looks for a peer.
   *
   * @param attempts number of earlier hellos with this tag
   */
  introduce(
    peerId: Uint8Array,
    epd: Uint8Array,
    tag: Uint8Array,
    from: Address,
    attempts: number,
  ): void {
    const { counters } = this.#sessions.context;
    const looking = this.#sessions.table.at(from);
    const reported = looking && this.#handler.peerAddresses?.(looking) || [];
    const hello = { peerId, epd, tag, seeker: { observed: from, reported }, attempts };
    const target = this.#find(hello);
    if (!target) {
      const own = { ...hello, peerId: peerId.slice(), epd: epd.slice(), tag: tag.slice() };
      const elsewhere = this.#handler.onPeerUnknown?.(own);
      if (elsewhere === "later") return;
      if (!elsewhere || elsewhere.length === 0) return counters.drop("peer");
      this.redirect(tag, elsewhere, from);
      return;
    }
    if (!this.redirect(tag, addressesFor(hello.seeker, target), from)) return;
    if (!this.#allow(target.session)) return counters.drop("limit");
    this.#forward(hello, target);
  }

  /**
   * A client of another introducer looks for a peer: forwards its hello.
   *
   * @returns addresses of the peer, the observed one first, and milliseconds since its last packet; undefined
   *   if it is not here, or has reached its limit of introductions
   */
  introduceFor(
    hello: PeerHello,
  ): { addresses: readonly OriginAddress[]; silence: number } | undefined {
    const target = this.#find(hello);
    if (!target) return undefined;
    if (!this.#allow(target.session)) {
      this.#sessions.context.counters.drop("limit");
      return undefined;
    }
    this.#forward(hello, target);
    const silence = this.#sessions.context.now - target.session.lastReceived;
    return { addresses: addressesFor(hello.seeker, target), silence };
  }

  #find({ peerId, seeker }: PeerHello): Target | undefined {
    const session = this.#sessions.table.peer(peerId);
    const reported = session?.state === "open" ? this.#handler.peerAddresses?.(session) : undefined;
    if (!session || !reported || sameAddress(session.address, seeker.observed)) return undefined;
    return { session, observed: session.address, reported };
  }

  #forward({ epd, tag, seeker, attempts }: PeerHello, target: Target): void {
    const hello = { epd: epd.slice(), tag: tag.slice() };
    const { session } = target;
    session.forward({ ...hello, replyAddress: { ...seeker.observed, origin: Origin.observed } });
    if (attempts === 0) return;
    const usable = usableAddresses(seeker, target);
    if (usable.length === 0) return;
    const next = usable[(attempts - 1) % usable.length]!;
    session.forward({ ...hello, replyAddress: { ...next, origin: Origin.reported } });
  }

  /** Whether one more introduction to a peer is allowed; counts it. */
  #allow(target: Session): boolean {
    const { now, limits: { introductions } } = this.#sessions.context;
    let allowance = this.#allowances.get(target);
    if (!allowance) {
      allowance = new TokenBucket(introductions * BURST_TIME / 1000, introductions);
      this.#allowances.set(target, allowance);
    }
    return allowance.take(now);
  }

  /** Redirects the sender of a hello. @returns false if the limit of answers to `to` is reached */
  redirect(tag: Uint8Array, addresses: readonly OriginAddress[], to: Address): boolean {
    const listed = addresses.slice(0, MAX_ADDRESSES);
    const length = 24 + tag.length + listed.length * 19;
    if (!this.#sessions.limiter.mayAnswer(to, length, this.#sessions.context.now)) {
      this.#sessions.context.counters.drop("limit");
      return false;
    }
    this.#sessions.context.counters.hellos++;
    this.#sessions.startup.send(redirect, { tag: tag.slice(), addresses: listed }, 0, to);
    return true;
  }
}

/** A peer with a session here. */
interface Target extends Whereabouts {
  readonly session: Session;
}

/** The addresses of a peer that a seeker can use, the observed one first. */
function addressesFor(seeker: Whereabouts, target: Target): OriginAddress[] {
  const others = usableAddresses(target, seeker)
    .map((address) => ({ ...address, origin: Origin.reported }));
  return [{ ...target.observed, origin: Origin.observed }, ...others];
}
