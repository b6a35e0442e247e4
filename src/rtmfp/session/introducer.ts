import { type Address, Origin, type OriginAddress, sameAddress } from "../wire/address.ts";
import { redirect } from "../wire/redirect.ts";
import type { Context } from "./context.ts";
import { usableAddresses } from "./networks.ts";
import type { Roster } from "./roster.ts";
import type { Session } from "./session.ts";
import type { Sources } from "./sources.ts";
import type { Startup } from "./startup.ts";

/** Addresses in one answer. */
const MOST_ADDRESSES = 20;
/** The introductions of so many milliseconds may come at once. */
const SPAN = 2000;

/** What an introducer asks its user. */
export interface IntroducerUser {
  /** Addresses that a peer has reported to have; undefined if it is not to be introduced. */
  peerAddresses(session: Session): readonly Address[] | undefined;
  /** Where a peer that is not here may be; undefined if nobody knows. */
  unknownPeer(peerId: Uint8Array, from: Address): readonly OriginAddress[] | undefined;
}

/** Brings peers together: redirects the one that looks, and tells the one that is looked for. RFC 7016 §3.5.1.4 to §3.5.1.6. */
export class Introducer {
  /** Introductions that a session may still be told of, as of a time. */
  readonly #allowances = new WeakMap<Session, { left: number; at: number }>();

  constructor(
    readonly context: Context,
    readonly startup: Startup,
    readonly sources: Sources,
    readonly roster: Roster,
    readonly user: IntroducerUser,
  ) {}

  /**
   * Somebody looks for a peer.
   *
   * @param attempts how many hellos with this tag came before
   */
  introduce(
    peerId: Uint8Array,
    epd: Uint8Array,
    tag: Uint8Array,
    from: Address,
    attempts: number,
  ): void {
    const { counters } = this.context;
    const target = this.roster.peer(peerId);
    const reported = target?.state === "open" ? this.user.peerAddresses(target) : undefined;
    if (!target || !reported || sameAddress(target.address, from)) {
      const elsewhere = this.user.unknownPeer(peerId.slice(), from);
      if (!elsewhere || elsewhere.length === 0) return counters.drop("peer");
      this.redirect(tag, elsewhere, from);
      return;
    }
    const looking = this.roster.at(from);
    const own = looking && this.user.peerAddresses(looking) || [];
    const wanted = { observed: target.address, reported };
    const seeker = { observed: from, reported: own };
    const observed = { ...target.address, origin: Origin.observed };
    const others = usableAddresses(wanted, seeker)
      .map((address) => ({ ...address, origin: Origin.reported }));
    if (!this.redirect(tag, [observed, ...others], from)) return;
    if (!this.#allow(target)) return counters.drop("limit");
    const hello = { epd: epd.slice(), tag: tag.slice() };
    target.forward({ ...hello, replyAddress: { ...from, origin: Origin.observed } });
    if (attempts === 0) return;
    const usable = usableAddresses(seeker, wanted);
    if (usable.length === 0) return;
    const next = usable[(attempts - 1) % usable.length];
    target.forward({ ...hello, replyAddress: { ...next, origin: Origin.reported } });
  }

  /** Whether a peer may be told of one more who looks for it; it is counted then. */
  #allow(target: Session): boolean {
    const { now, limits } = this.context;
    const most = limits.introductions * SPAN / 1000;
    let allowance = this.#allowances.get(target);
    if (!allowance) this.#allowances.set(target, allowance = { left: most, at: now });
    const { left, at } = allowance;
    allowance.left = Math.min(most, left + (now - at) * limits.introductions / 1000);
    allowance.at = now;
    if (allowance.left < 1) return false;
    allowance.left--;
    return true;
  }

  /** @returns whether that many bytes may be sent to `to` */
  redirect(tag: Uint8Array, addresses: readonly OriginAddress[], to: Address): boolean {
    const listed = addresses.slice(0, MOST_ADDRESSES);
    const length = 24 + tag.length + listed.length * 19;
    if (!this.sources.mayAnswer(to, length, this.context.now)) {
      this.context.counters.drop("limit");
      return false;
    }
    this.context.counters.hellos++;
    this.startup.send(redirect, { tag: tag.slice(), addresses: listed }, 0, to);
    return true;
  }
}
