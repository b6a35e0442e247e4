// Sessions with other clients of the same server, opened by either end: RFC 7016 §3.5.1.4
// to §3.5.1.6, rtmfp-wire §3.9.
import type { InitiatorFailure } from "../rtmfp/session/initiator.ts";
import { toHex } from "../bytes/hex.ts";
import type { Address } from "../common/address.ts";
import { canonicalEpd } from "../rtmfp/crypto/certificate.ts";
import type { Endpoint, EndpointHandler } from "../rtmfp/endpoint.ts";
import type { Session } from "../rtmfp/session/session.ts";
import { DirectPublications } from "./direct.ts";
import type { NetGroup } from "./net_group.ts";
import { PeerSession } from "./peer_session.ts";

/** Time-out (ms) of opening a session with a peer: three hellos, and the keying. */
const OPEN_TIMEOUT = 20_000;
/** Interval (ms) of keep-alives to peers until a server sets another one. */
const KEEP_ALIVE_INTERVAL = 10_000;

/** Result of opening a session with a peer: exactly one of the methods is called, once. */
interface PeerEvents {
  onOpen(peer: PeerSession): void;
  onFail?(reason: InitiatorFailure): void;
}

/** Interface of the owner of peers. */
interface PeersHost {
  readonly endpoint: Endpoint;
  /** Schedules sending of written messages. */
  wake(): void;
}

/** The other clients that a client has sessions with: one session each, for all streams and groups. */
export class Peers implements EndpointHandler {
  /** Publications that peers can play. */
  readonly publications = new DirectPublications();
  /** The groups that this client has joined, by id. */
  readonly groups = new Map<string, NetGroup>();
  readonly #host: PeersHost;
  readonly #sessions = new Map<string, PeerSession>();
  readonly #attempts = new Map<string, { waiting: Set<PeerEvents>; cancel(): void }>();
  #keepAlive = KEEP_ALIVE_INTERVAL;

  constructor(host: PeersHost) {
    this.#host = host;
  }

  /** Number of peers with a session. */
  get size(): number {
    return this.#sessions.size;
  }

  /** The session with a peer. @param peerId 64 hexadecimal digits */
  get(peerId: string): PeerSession | undefined {
    return this.#sessions.get(peerId);
  }

  /** Interval (ms) of keep-alive requests to silent peers. RFC 7425 §5.3.4. */
  set keepAlive(milliseconds: number) {
    this.#keepAlive = milliseconds;
    for (const { session } of this.#sessions.values()) session.keepAlive = milliseconds;
  }

  /**
   * Requests a session with a peer: the existing one, or a new one.
   *
   * @param peerId 32 bytes
   * @param introducers addresses of a server that knows it, or of the peer itself
   * @returns a function that cancels the request: no further events
   */
  open(peerId: Uint8Array, introducers: readonly Address[], events: PeerEvents): () => void {
    const id = toHex(peerId);
    const there = this.#sessions.get(id);
    if (there) {
      events.onOpen(there);
      return () => {};
    }
    const attempt = this.#attempts.get(id) ?? this.#attempt(peerId, introducers);
    attempt.waiting.add(events);
    return () => {
      if (attempt.waiting.delete(events) && attempt.waiting.size === 0) attempt.cancel();
    };
  }

  wake(): void {
    this.#host.wake();
  }

  /** A session has closed. */
  remove(peer: PeerSession): void {
    if (this.#sessions.get(peer.id) === peer) this.#sessions.delete(peer.id);
  }

  // Calls from the endpoint

  /** Answers hellos of peers only while it publishes or belongs to a group. */
  onHello(): [] | undefined {
    return this.publications.size > 0 || this.groups.size > 0 ? undefined : [];
  }

  onSession(session: Session): PeerSession {
    const peer = new PeerSession(session, this);
    session.keepAlive = this.#keepAlive;
    this.#sessions.set(peer.id, peer);
    return peer;
  }

  #attempt(peerId: Uint8Array, introducers: readonly Address[]) {
    const id = toHex(peerId);
    const waiting = new Set<PeerEvents>();
    const opening = this.#host.endpoint.connect(canonicalEpd(peerId), introducers, {
      within: OPEN_TIMEOUT,
      onOpen: (session) => {
        this.#attempts.delete(id);
        const peer = this.onSession(session);
        for (const events of [...waiting]) events.onOpen(peer);
        return peer;
      },
      onFail: (reason) => {
        this.#attempts.delete(id);
        for (const events of [...waiting]) events.onFail?.(reason);
      },
    });
    const attempt = { waiting, cancel: () => opening.cancel() };
    this.#attempts.set(id, attempt);
    this.wake();
    return attempt;
  }
}
