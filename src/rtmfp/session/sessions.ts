import { toHex } from "../../bytes/hex.ts";
import { Reader } from "../../bytes/reader.ts";
import type { Address } from "../../common/address.ts";
import type { CryptoBackend, Random } from "../crypto/backend.ts";
import { type Certificate, isSelected } from "../crypto/certificate.ts";
import type { KeyAgreement } from "../crypto/dh.ts";
import { readEpd } from "../wire/epd.ts";
import type { FIHello } from "../wire/fihello.ts";
import { AmplificationLimiter } from "./amplification_limiter.ts";
import { Context } from "./context.ts";
import type { EndpointHandler } from "./endpoint_handler.ts";
import { selectEvictions } from "./evictions.ts";
import type { CloseReason } from "./handlers.ts";
import { Identity, type IdentitySettings } from "./identity.ts";
import { Initiator, type InitiatorEvents } from "./initiator.ts";
import { DEFAULT_LIMITS, type Limits } from "./limits.ts";
import { Responder } from "./responder.ts";
import type { Session } from "./session.ts";
import { SessionCapacity } from "./session_capacity.ts";
import { SessionTable } from "./session_table.ts";
import { Startup } from "./startup.ts";

/** Time (ms) after its opening for which a session is not replaced by a simultaneous attempt of the far end. */
const GLARE_TIME = 10_000;
/** Minimum ms between two calls of `onFull` for the same reason. */
const FULL_INTERVAL = 60_000;
/** Share of `memoryOfAll` to which the sessions are reduced when they exceed it. */
const KEPT_SHARE = 7 / 8;

/** Parts and settings of an endpoint. */
export interface EndpointOptions {
  readonly crypto: CryptoBackend;
  readonly keyAgreement: KeyAgreement;
  readonly random: Random;
  readonly identity: IdentitySettings;
  readonly handler: EndpointHandler;
  readonly limits?: Partial<Limits>;
}

/**
 * The sessions of an endpoint and the handshakes that lead to them: look-up, capacity and counters.
 */
export class Sessions {
  readonly context: Context;
  readonly startup: Startup;
  readonly identity: Identity;
  readonly agreement: KeyAgreement;
  readonly table = new SessionTable();
  readonly limiter: AmplificationLimiter;
  readonly responder: Responder;
  readonly #handler: EndpointHandler;
  readonly #initiators = new Map<number, Initiator>();
  readonly #capacity: SessionCapacity;
  /** Time (ms) of the last call of `onFull` by reason. */
  readonly #fullToldAt = { all: -Infinity, address: -Infinity };
  #bug: { error: unknown } | undefined;

  constructor({ crypto, random, identity, keyAgreement, handler, limits }: EndpointOptions) {
    const all = { ...DEFAULT_LIMITS, ...limits };
    this.#handler = handler;
    this.#capacity = new SessionCapacity(all);
    this.limiter = new AmplificationLimiter(all);
    this.identity = new Identity(crypto, identity);
    this.agreement = keyAgreement;
    this.context = new Context(crypto, random, all, this);
    this.startup = new Startup(this.context);
    this.responder = new Responder(this);
  }

  /** Begins to open a session; see `Endpoint.connect`. */
  initiate(epd: Uint8Array, addresses: readonly Address[], events: InitiatorEvents): Initiator {
    const initiator = new Initiator(this, this.newSessionId(), epd, addresses, events);
    this.#initiators.set(initiator.sessionId, initiator);
    return initiator;
  }

  /** The initiator with this session id. */
  initiator(sessionId: number): Initiator | undefined {
    return this.#initiators.get(sessionId);
  }

  /** Takes an answer to a hello. @returns false if this endpoint sent no such hello */
  takeAnswer(type: number, payload: Reader, from: Address): boolean {
    const at = payload.at;
    for (const initiator of this.#initiators.values()) {
      payload.reset(payload.input, at, payload.at + payload.left);
      if (initiator.receiveAnswer(type, payload, from)) return true;
    }
    return false;
  }

  /** Drops all sessions and attempts; the next flush tells the far ends. */
  close(): void {
    for (const initiator of [...this.#initiators.values()]) initiator.cancel();
    for (const session of [...this.table.all()]) this.#drop(session, "endpoint closed");
  }

  /** Ends sessions if all together exceed `memoryOfAll`; enough at once to make this rare. */
  limitHeld(): void {
    const { held, limits } = this.context;
    if (held <= limits.memoryOfAll) return;
    for (
      const session of selectEvictions(this.table.all(), held - KEPT_SHARE * limits.memoryOfAll)
    ) {
      try {
        session.exceeded();
      } catch (error) {
        this.bug(error, session);
      }
    }
  }

  /** A handler or this code has thrown: aborts the session concerned. */
  bug(error: unknown, session: Session | undefined): void {
    try {
      session?.abort();
    } catch {
      // Its handler throws on closing as well: the first error says more.
    }
    if (this.#handler.onBug) this.#handler.onBug(error, session);
    else this.#bug ??= { error };
  }

  /** @throws the first error given to {@link bug} without a handler's `onBug` */
  throwBug(): void {
    if (!this.#bug) return;
    const { error } = this.#bug;
    this.#bug = undefined;
    throw error;
  }

  // For sessions.

  /** The first packet from the far end of a responder's session has arrived: gives it a handler. */
  heard(session: Session): void {
    this.context.counters.sessions++;
    this.#capacity.heard(session);
    this.table.heard(session);
    this.limiter.proved(session.address, this.context.now);
    const initiator = this.#overtakenBy(session);
    if (initiator) this.opened(initiator, session);
    else session.handler = this.#handler.onSession(session);
  }

  /** A session carries no data any more; its closing may continue. */
  ended(session: Session): void {
    this.#capacity.ended(session);
    this.table.hide(session);
  }

  /** A session has finished closing: removes it, so that its packets are unknown. */
  closed(session: Session): void {
    this.#capacity.closed(session);
    this.table.remove(session);
    this.context.builder.finish(); // its last packets may be staged
    session.free();
  }

  /** The far end of a session has moved to another address. */
  moved(session: Session, before: Address): void {
    this.table.moved(session, before);
  }

  /** A session has data that must not wait for the next flush. */
  urgent(session: Session): void {
    this.#handler.onUrgent?.(session);
  }

  /** An initiator looks for this endpoint through the far end of a session. */
  forwardedHello({ epd: bytes, tag, replyAddress }: FIHello): void {
    const { counters } = this.context;
    const epd = readEpd(bytes);
    if (!isSelected(epd, this.identity.certificate)) return counters.drop("discriminator");
    if (this.#handler.onHello?.(epd, replyAddress, 0)) return counters.drop("peer");
    counters.hellos++;
    this.responder.sayHello(tag, replyAddress);
  }

  // For handshakes.

  /** A session id that is not in use. */
  newSessionId(): number {
    for (;;) {
      const id = new Reader(this.context.random(4)).u32();
      if (id !== 0 && !this.table.get(id) && !this.#initiators.has(id)) return id;
    }
  }

  /** Whether an open session has that id. */
  isOpen(nearId: number): boolean {
    return this.table.get(nearId)?.state === "open";
  }

  /**
   * Whether there is room for a session with the owner of a certificate at an address; counts and
   * reports a refusal.
   */
  hasRoom({ fingerprint }: Certificate, from: Address): boolean {
    const full = this.#capacity.refusal(from, this.table.peerAt(fingerprint, from));
    if (!full) return true;
    const { counters, now } = this.context;
    counters.drop("sessions");
    if (now - this.#fullToldAt[full] >= FULL_INTERVAL) {
      this.#fullToldAt[full] = now;
      this.#handler.onFull?.(full, from);
    }
    return false;
  }

  /**
   * Whether to open a session for an initiator whose cookie proves its address.
   *
   * @returns false if the own attempt to open a session with it continues instead
   */
  admit(certificate: Certificate, from: Address): boolean {
    for (const initiator of this.#initiators.values()) {
      if (initiator.meets(certificate, from)) return false;
    }
    // The far end's attempt may arrive after the own one has opened a session.
    const session = this.table.peerAt(certificate.fingerprint, from);
    return session?.role !== "initiator" || this.context.now - session.createdAt > GLARE_TIME;
  }

  /** Whether `length` bytes may be sent to an unproved address; counts them. */
  mayAnswer(from: Address, length: number): boolean {
    const { now } = this.context;
    return this.limiter.admit(from, now) && this.limiter.mayAnswer(from, length, now);
  }

  /** Adds a new session, whose far end has sent nothing yet. */
  add(session: Session): void {
    const before = this.table.peerAt(session.peerId, session.address);
    if (before) this.#drop(before, "overridden");
    this.#capacity.add(session);
    this.table.add(session);
  }

  /** The handshake of an initiator is done. */
  opened(initiator: Initiator, session: Session): void {
    this.#initiators.delete(initiator.sessionId);
    if (session.role === "initiator") {
      this.context.counters.sessions++;
      this.#capacity.heard(session);
      this.table.add(session);
    }
    initiator.settle();
    try {
      session.handler = initiator.events.onOpen(session);
    } catch (error) { // the caller may be the key agreement, which must not fail by it
      this.bug(error, session);
    }
  }

  /** The handshake of an initiator has failed. */
  failed(initiator: Initiator): void {
    this.#initiators.delete(initiator.sessionId);
  }

  /** Aborts a session; an exception of its handler affects no other session. */
  #drop(session: Session, reason: CloseReason): void {
    try {
      session.abort(reason);
    } catch (error) {
      this.bug(error, session);
    }
  }

  /** The own attempt to open a session with the same peer. */
  #overtakenBy(session: Session): Initiator | undefined {
    for (const initiator of this.#initiators.values()) {
      const { fingerprint } = initiator.epd;
      if (fingerprint && toHex(fingerprint) === toHex(session.peerId)) return initiator;
    }
    return undefined;
  }
}
