import { toHex } from "../../bytes/hex.ts";
import { type Address, addressText, sameAddress } from "../../common/address.ts";
import type { Session } from "./session.ts";

/** The sessions of an endpoint, by id and by address. */
export class SessionTable {
  /** By near session id. */
  readonly #sessions = new Map<number, Session>();
  /** Sessions whose far end has sent a packet, by its peer id: the newest, which links the older ones by `olderOfPeer`. */
  readonly #peers = new Map<string, Session>();
  /** The same sessions by address: the newest. */
  readonly #addresses = new Map<string, Session>();

  get size(): number {
    return this.#sessions.size;
  }

  all(): Iterable<Session> {
    return this.#sessions.values();
  }

  get(nearId: number): Session | undefined {
    return this.#sessions.get(nearId);
  }

  /** The newest session with a peer. */
  peer(peerId: Uint8Array): Session | undefined {
    return this.#peers.get(toHex(peerId));
  }

  /** The newest session with an address. */
  at(address: Address): Session | undefined {
    return this.#addresses.get(addressText(address));
  }

  /** The session with a peer at an address. */
  peerAt(peerId: Uint8Array, address: Address): Session | undefined {
    let session = this.peer(peerId);
    while (session && !sameAddress(session.address, address)) session = session.olderOfPeer;
    return session;
  }

  add(session: Session): void {
    this.#sessions.set(session.nearId, session);
    if (session.heard) this.heard(session);
  }

  /** The far end of a session has sent its first packet: makes it findable by peer and address. */
  heard(session: Session): void {
    const peer = toHex(session.peerId);
    session.olderOfPeer = this.#peers.get(peer);
    this.#peers.set(peer, session);
    this.#addresses.set(addressText(session.address), session);
  }

  moved(session: Session, before: Address): void {
    this.#removeAddress(session, before);
    this.#addresses.set(addressText(session.address), session);
  }

  /** Makes a session no longer findable by peer or address. */
  hide(session: Session): void {
    const peer = toHex(session.peerId);
    let newer = this.#peers.get(peer);
    if (newer === session) {
      if (session.olderOfPeer) this.#peers.set(peer, session.olderOfPeer);
      else this.#peers.delete(peer);
    } else {
      while (newer && newer.olderOfPeer !== session) newer = newer.olderOfPeer;
      if (newer) newer.olderOfPeer = session.olderOfPeer;
    }
    session.olderOfPeer = undefined;
    this.#removeAddress(session, session.address);
  }

  remove(session: Session): void {
    this.hide(session);
    this.#sessions.delete(session.nearId);
  }

  #removeAddress(session: Session, address: Address): void {
    const key = addressText(address);
    if (this.#addresses.get(key) === session) this.#addresses.delete(key);
  }
}
