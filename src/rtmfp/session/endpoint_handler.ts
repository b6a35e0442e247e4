import type { Address } from "../../common/address.ts";
import type { OriginAddress } from "../wire/address.ts";
import type { Epd } from "../wire/epd.ts";
import type { SessionHandler } from "./handlers.ts";
import type { PeerHello } from "./introducer.ts";
import type { Session } from "./session.ts";

/** Decisions of the user of an endpoint. */
export interface EndpointHandler {
  /**
   * Someone wants to open a session, and has asked here or at an introducer.
   *
   * @param attempts how many hellos of the same attempt came before
   * @returns undefined to answer; where to try instead (an empty list: no answer at all)
   */
  onHello?(epd: Epd, from: Address, attempts: number): readonly OriginAddress[] | undefined;
  /** The first packet of a new session that someone has opened has come. */
  onSession(session: Session): SessionHandler;
  /**
   * Someone looks for a peer that is not here: addresses to try, if there are any; "later" if
   * `Endpoint.redirectPeer` may follow.
   */
  onPeerUnknown?(hello: PeerHello): readonly OriginAddress[] | "later" | undefined;
  /** Addresses that a peer has reported to have; undefined: it is not to be introduced to others. */
  peerAddresses?(session: Session): readonly Address[] | undefined;
  /**
   * Somebody is refused because there are as many sessions as there may be, in all or at that
   * address; each is told once a minute at most.
   */
  onFull?(of: "all" | "address", from: Address): void;
  /** Whether packets without session from there are dropped. */
  blocked?(address: Address): boolean;
  /**
   * A session has something to send that is not to wait for the next flush: the moment to call
   * `Endpoint.sendData`, which waits for that flush if it is not called.
   */
  onUrgent?(session: Session): void;
  /**
   * A handler has thrown, or this code: the session concerned, if there is one, has been aborted,
   * and all others go on. Without this method, `receive` or `flush` throws the error in the end.
   */
  onBug?(error: unknown, session: Session | undefined): void;
}
