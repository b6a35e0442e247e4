import type { Address } from "../../common/address.ts";
import type { OriginAddress } from "../wire/address.ts";
import type { Epd } from "../wire/epd.ts";
import type { SessionHandler } from "./handlers.ts";
import type { PeerHello } from "./introducer.ts";
import type { Session } from "./session.ts";

/** Decisions of the user of an endpoint. */
export interface EndpointHandler {
  /**
   * A far end opens a session, with a hello sent here or forwarded by an introducer.
   *
   * @param attempts number of earlier hellos of the same attempt
   * @returns undefined to answer; addresses to try instead (an empty list: no answer)
   */
  onHello?(epd: Epd, from: Address, attempts: number): readonly OriginAddress[] | undefined;
  /** The first packet of a session that a far end opened has arrived. */
  onSession(session: Session): SessionHandler;
  /**
   * A client looks for a peer without a session here. @returns addresses to try, if any; "later" if
   * `Endpoint.redirectPeer` may follow.
   */
  onPeerUnknown?(hello: PeerHello): readonly OriginAddress[] | "later" | undefined;
  /** Addresses that a peer has reported; undefined: do not introduce it to others. */
  peerAddresses?(session: Session): readonly Address[] | undefined;
  /**
   * A far end was refused because the maximum number of sessions, in all or of its address, is reached;
   * called at most once a minute for each.
   */
  onFull?(of: "all" | "address", from: Address): void;
  /** Whether packets without session from an address are dropped. */
  blocked?(address: Address): boolean;
  /**
   * A session has urgent data: call `Endpoint.sendData`, or they wait for the next flush.
   */
  onUrgent?(session: Session): void;
  /**
   * A handler or this code has thrown. The session concerned, if any, was aborted; all others continue.
   * Without this method, `receive` or `flush` throws the error at its end.
   */
  onBug?(error: unknown, session: Session | undefined): void;
}
