import { type Address, Origin, type OriginAddress, sameAddress } from "../wire/address.ts";
import { redirect } from "../wire/redirect.ts";
import type { Context } from "./context.ts";
import type { Roster } from "./roster.ts";
import type { Session } from "./session.ts";
import type { Sources } from "./sources.ts";
import type { Startup } from "./startup.ts";

/** Addresses in one answer. */
const MOST_ADDRESSES = 20;

/** What an introducer asks its user. */
export interface IntroducerUser {
  /** Addresses that a peer has reported to have; undefined if it is not to be introduced. */
  peerAddresses(session: Session): readonly Address[] | undefined;
  /** Where a peer that is not here may be; undefined if nobody knows. */
  unknownPeer(peerId: Uint8Array, from: Address): readonly OriginAddress[] | undefined;
}

/** Brings peers together: redirects the one that looks, and tells the one that is looked for. RFC 7016 §3.5.1.4 to §3.5.1.6. */
export class Introducer {
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
    const observed = { ...target.address, origin: Origin.observed };
    const others = reported.map((address) => ({ ...address, origin: Origin.reported }));
    if (!this.redirect(tag, [observed, ...others], from)) return;
    const hello = { epd: epd.slice(), tag: tag.slice() };
    target.forward({ ...hello, replyAddress: { ...from, origin: Origin.observed } });
    const looking = attempts > 0 ? this.roster.at(from) : undefined;
    const own = looking && this.user.peerAddresses(looking);
    if (!own || own.length === 0) return;
    const next = own[(attempts - 1) % own.length];
    target.forward({ ...hello, replyAddress: { ...next, origin: Origin.reported } });
  }

  /** @returns whether that many bytes may be sent to `to` */
  redirect(tag: Uint8Array, addresses: readonly OriginAddress[], to: Address): boolean {
    const listed = addresses.slice(0, MOST_ADDRESSES);
    const length = 24 + tag.length + listed.length * 19;
    if (!this.sources.allow(to, length, this.context.now)) {
      this.context.counters.drop("limit");
      return false;
    }
    this.context.counters.hellos++;
    this.startup.send(redirect, { tag: tag.slice(), addresses: listed }, 0, to);
    return true;
  }
}
