import { selectEvictions } from "./session/evictions.ts";
import { SessionTable } from "./session/session_table.ts";
import { AmplificationLimiter } from "./session/amplification_limiter.ts";
import { SessionCapacity } from "./session/session_capacity.ts";
import { toHex } from "../bytes/hex.ts";
import type { Address } from "../common/address.ts";
import type { CryptoBackend, Random } from "./crypto/backend.ts";
import { type Certificate, isSelected } from "./crypto/certificate.ts";
import type { KeyAgreement } from "./crypto/dh.ts";
import { sessionIdOf } from "./crypto/packet_cipher.ts";
import type { Outbox } from "./outbox.ts";
import { AgeingTable } from "./session/ageing_table.ts";
import { Context, type SessionHost } from "./session/context.ts";
import type { Counters } from "./session/counters.ts";
import type { CloseReason, SessionHandler } from "./session/handlers.ts";
import { Identity, type IdentitySettings } from "./session/identity.ts";
import { Introducer, type PeerHello } from "./session/introducer.ts";
import { DEFAULT_LIMITS, type Limits } from "./session/limits.ts";
import { Initiator, type InitiatorEvents, type OpeningHost } from "./session/initiator.ts";
import { Responder, type ResponderHost } from "./session/responder.ts";
import type { Session } from "./session/session.ts";
import { type ChunkTaker, Startup } from "./session/startup.ts";
import type { OriginAddress } from "./wire/address.ts";
import { ChunkType } from "./wire/chunk.ts";
import { type Epd, readEpd } from "./wire/epd.ts";
import type { FIHello } from "./wire/fihello.ts";
import { iHello } from "./wire/ihello.ts";

export type { PeerHello };

/** What a datagram has at least: a session id and one block. */
const SHORTEST_DATAGRAM = 20;
/** Hellos whose repetitions are counted, and for how long. */
const MOST_TAGS = 8192;
const TAG_AGE = 60_000;
/** Those of Flash have 16 bytes. What is counted must not fill the memory. */
const LONGEST_TAG = 128;
/** Bytes of an RHello besides the tag and the certificate, padding included. */
const RHELLO = 4 + 2 + 3 + 3 + 1 + 65 + 15;
/** How long after its opening a session is not replaced by one that was begun at the same time. */
const GLARE_FOR = 10_000;
/** Between two words of there being no room for more sessions. */
const FULL_EVERY = 60_000;
/** When all sessions hold too much, they are made to hold this part of what they may. */
const KEPT_OF_HELD = 7 / 8;
/** When the outbox takes no more, it is asked again after so many milliseconds. */
const FULL_OUTBOX = 4;

/** What the user of an endpoint decides. */
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
   * {@link Endpoint.redirectPeer} may follow.
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
   * {@link Endpoint.sendData}, which waits for that flush if it is not called.
   */
  onUrgent?(session: Session): void;
  /**
   * A handler has thrown, or this code: the session concerned, if there is one, has been aborted,
   * and all others go on. Without this method, `receive` or `flush` throws the error in the end.
   */
  onBug?(error: unknown, session: Session | undefined): void;
}

export interface EndpointOptions {
  readonly crypto: CryptoBackend;
  readonly keyAgreement: KeyAgreement;
  readonly random: Random;
  readonly identity: IdentitySettings;
  readonly handler: EndpointHandler;
  readonly limits?: Partial<Limits>;
}

/**
 * An RTMFP endpoint: all sessions behind one socket, in both roles. RFC 7016.
 *
 * It acts when it is called and never by itself. What arrives goes into {@link receive}; all that
 * is to be sent, whatever has caused it, goes out in {@link flush}, which the owner calls after
 * every input and when {@link deadline} has come. It is not to be called from its own handlers, but for
 * {@link sendData}.
 */
export class Endpoint implements SessionHost, OpeningHost, ResponderHost {
  readonly context: Context;
  readonly startup: Startup;
  readonly identity: Identity;
  readonly agreement: KeyAgreement;
  readonly #handler: EndpointHandler;
  readonly #roster = new SessionTable();
  readonly #openings = new Map<number, Initiator>();
  readonly #notStarted: Initiator[] = [];
  readonly #places: SessionCapacity;
  readonly #sources: AmplificationLimiter;
  readonly #tags = new AgeingTable<number>(MOST_TAGS, TAG_AGE);
  readonly #responder: Responder;
  readonly #introducer: Introducer;
  #opening: Initiator | undefined;
  #full = false;
  #flushing = false;
  /** When the user was last told of which refusal. */
  readonly #toldOfPlacesAt = { all: -Infinity, address: -Infinity };
  #bug: { error: unknown } | undefined;

  constructor(options: EndpointOptions) {
    const limits = { ...DEFAULT_LIMITS, ...options.limits };
    this.context = new Context(options.crypto, options.random, limits, this);
    this.startup = new Startup(this.context);
    this.identity = new Identity(options.crypto, options.identity);
    this.agreement = options.keyAgreement;
    this.#handler = options.handler;
    this.#sources = new AmplificationLimiter(limits);
    this.#places = new SessionCapacity(limits);
    this.#responder = new Responder(
      this.context,
      this.startup,
      this.identity,
      this.agreement,
      this,
    );
    this.#introducer = new Introducer(this.context, this.startup, this.#sources, this.#roster, {
      peerAddresses: (session) => this.#handler.peerAddresses?.(session),
      unknownPeer: (hello) => this.#handler.onPeerUnknown?.(hello),
    });
  }

  /** What it has seen and done. */
  get counters(): Counters {
    return this.context.counters;
  }

  /** The fingerprint of its certificate: how peers call it. */
  get peerId(): Uint8Array {
    return this.identity.certificate.fingerprint;
  }

  /** All sessions, also those that are closing and those of which nothing was heard. */
  sessions(): Iterable<Session> {
    return this.#roster.all();
  }

  get sessionCount(): number {
    return this.#roster.size;
  }

  /** How much is remembered of those without session: sources, hellos and handshakes. */
  get remembered(): number {
    return this.#sources.size + this.#tags.size + this.#responder.size;
  }

  /** The newest open session with a peer. */
  sessionOf(peerId: Uint8Array): Session | undefined {
    return this.#roster.peer(peerId);
  }

  /**
   * Takes a datagram, which is decrypted in place: afterwards the buffer is the caller's again.
   * `from` is kept, and where datagrams are sent to: the outbox knows it again by its identity, at no cost.
   * It throws nothing for what the datagram holds; what a handler throws closes the session.
   */
  receive(datagram: Uint8Array, from: Address, now: number): void {
    this.#setTime(now);
    const { counters } = this.context;
    counters.datagramsIn++;
    counters.bytesIn += datagram.length;
    if (datagram.length < SHORTEST_DATAGRAM) return counters.drop("size");
    const id = sessionIdOf(datagram);
    const session = id === 0 ? undefined : this.#roster.get(id);
    try {
      if (session) session.receive(datagram, from);
      else this.#receiveStartup(id, datagram, from, now);
    } catch (error) {
      this.onBug(error, session);
    }
    if (this.context.held > this.context.limits.memoryOfAll) this.#holdLess();
    if (this.#bug) this.#throwBug();
  }

  /** Sends what is due by `now`, and sees to timeouts. */
  flush(now: number, out: Outbox): void {
    this.#setTime(now);
    this.#flushing = true;
    try {
      this.#flush(now, out);
    } finally {
      this.#flushing = false;
      this.context.builder.finish();
    }
    if (this.#bug) this.#throwBug();
  }

  /** Sends data that waits in a session, also while a handler runs; within a flush, that sends it. */
  sendData(session: Session, out: Outbox): void {
    if (this.#flushing) return;
    try {
      session.sendData(out);
    } finally {
      this.context.builder.finish();
    }
  }

  #flush(now: number, out: Outbox): void {
    for (let opening = this.#notStarted.pop(); opening; opening = this.#notStarted.pop()) {
      if (!opening.over) opening.start();
    }
    this.context.timers.advance(now);
    this.#full = !this.startup.flush(out);
    while (!this.#full) {
      const session = this.context.takeDirty();
      if (!session) break;
      try {
        if (session.flush(out)) continue;
        this.context.markDirty(session);
        this.#full = true;
      } catch (error) {
        this.onBug(error, session);
      }
    }
  }

  /** When {@link flush} is to be called next if nothing happens before; Infinity: never. */
  get deadline(): number {
    const { now, dirty, timers } = this.context;
    const due = this.startup.due || dirty || this.#notStarted.length > 0;
    if (due) return this.#full ? now + FULL_OUTBOX : now;
    return timers.next;
  }

  /**
   * Opens a session.
   *
   * @param epd an option sequence that selects the far end; see `wire/epd.ts`
   * @param addresses where to ask: at the far end itself, or at who can redirect there
   * @throws {WireError} if `epd` selects nothing
   */
  connect(epd: Uint8Array, addresses: readonly Address[], events: InitiatorEvents): Initiator {
    const opening = new Initiator(this, this.newSessionId(), epd, addresses, events);
    this.#openings.set(opening.sessionId, opening);
    this.#notStarted.push(opening);
    return opening;
  }

  /** Tells a peer of this endpoint of a hello that another introducer got; see {@link Introducer.introduceFor}. */
  introduceFor(
    hello: PeerHello,
    now: number,
  ): { addresses: readonly OriginAddress[]; silence: number } | undefined {
    this.#setTime(now);
    return this.#introducer.introduceFor(hello);
  }

  /** Answers a hello for a peer elsewhere, if so much may be sent to who said it. */
  redirectPeer(
    { tag, seeker }: PeerHello,
    addresses: readonly OriginAddress[],
    now: number,
  ): void {
    this.#setTime(now);
    if (addresses.length > 0) this.#introducer.redirect(tag, addresses, seeker.observed);
    else this.context.counters.drop("peer");
  }

  /** Drops all sessions; the next flush tells the far ends. */
  close(): void {
    for (const opening of [...this.#openings.values()]) opening.cancel();
    for (const session of [...this.#roster.all()]) this.#drop(session, "endpoint closed");
    if (this.#bug) this.#throwBug();
  }

  // What sessions and handshakes ask for.

  newSessionId(): number {
    for (;;) {
      const bytes = this.context.random(4);
      const id = ((bytes[0] << 24) | (bytes[1] << 16) | (bytes[2] << 8) | bytes[3]) >>> 0;
      if (id !== 0 && !this.#roster.get(id) && !this.#openings.has(id)) return id;
    }
  }

  isOpen(nearId: number): boolean {
    return this.#roster.get(nearId)?.state === "open";
  }

  onHeard(session: Session): void {
    this.context.counters.sessions++;
    this.#places.heard(session);
    this.#roster.heard(session);
    this.#sources.proved(session.address, this.context.now);
    const opening = this.#metBy(session);
    if (opening) this.opened(opening, session);
    else session.handler = this.#handler.onSession(session);
  }

  onEnded(session: Session): void {
    this.#places.ended(session);
    this.#roster.hide(session);
  }

  onClosed(session: Session): void {
    this.#places.closed(session);
    this.#roster.remove(session);
    this.context.builder.finish(); // what it sent last may wait to be sealed
    session.free();
  }

  onMoved(session: Session, before: Address): void {
    this.#roster.moved(session, before);
  }

  onBug(error: unknown, session: Session | undefined): void {
    try {
      session?.abort();
    } catch {
      // Its handler fails in closing as well: the first error tells more.
    }
    if (this.#handler.onBug) this.#handler.onBug(error, session);
    else this.#bug ??= { error };
  }

  onUrgent(session: Session): void {
    this.#handler.onUrgent?.(session);
  }

  onForwardedHello({ epd: bytes, tag, replyAddress }: FIHello): void {
    const epd = readEpd(bytes);
    if (!isSelected(epd, this.identity.certificate)) {
      return this.context.counters.drop("discriminator");
    }
    if (this.#handler.onHello?.(epd, replyAddress, 0)) return this.context.counters.drop("peer");
    this.context.counters.hellos++;
    this.#responder.sayHello(tag, replyAddress);
  }

  hasRoom({ fingerprint }: Certificate, from: Address): boolean {
    const full = this.#places.refusal(from, this.#roster.peerAt(fingerprint, from));
    if (!full) return true;
    const { counters, now } = this.context;
    counters.drop("sessions");
    if (now - this.#toldOfPlacesAt[full] >= FULL_EVERY) {
      this.#toldOfPlacesAt[full] = now;
      this.#handler.onFull?.(full, from);
    }
    return false;
  }

  admit(certificate: Certificate, from: Address): boolean {
    for (const opening of this.#openings.values()) {
      if (opening.meets(certificate, from)) return false;
    }
    // The far end's attempt may still be on its way when the own one has led to a session already.
    const session = this.#roster.peerAt(certificate.fingerprint, from);
    return session?.role !== "initiator" || this.context.now - session.createdAt > GLARE_FOR;
  }

  mayAnswer(from: Address, length: number): boolean {
    const { now } = this.context;
    return this.#sources.admit(from, now) && this.#sources.mayAnswer(from, length, now);
  }

  add(session: Session): void {
    const before = this.#roster.peerAt(session.peerId, session.address);
    if (before) this.#drop(before, "overridden");
    this.#places.add(session);
    this.#roster.add(session);
  }

  opened(opening: Initiator, session: Session): void {
    this.#openings.delete(opening.sessionId);
    if (session.role === "initiator") {
      this.context.counters.sessions++;
      this.#places.heard(session);
      this.#roster.add(session);
    }
    opening.settle();
    try {
      session.handler = opening.events.onOpen(session);
    } catch (error) { // it may be called by the key agreement, whose business it is not
      this.onBug(error, session);
    }
  }

  failed(opening: Initiator): void {
    this.#openings.delete(opening.sessionId);
  }

  #setTime(now: number): void {
    if (now > this.context.clock.now) this.context.clock.now = now;
  }

  /** Lets those go that make the others hold too much; so many at once that it is done seldom. */
  #holdLess(): void {
    const { held, limits } = this.context;
    const excess = held - KEPT_OF_HELD * limits.memoryOfAll;
    for (const session of selectEvictions(this.#roster.all(), excess)) {
      try {
        session.exceeded();
      } catch (error) {
        this.onBug(error, session);
      }
    }
  }

  #receiveStartup(id: number, datagram: Uint8Array, from: Address, now: number): void {
    const { counters } = this.context;
    const opening = id === 0 ? undefined : this.#openings.get(id);
    if (id !== 0 && !opening) return counters.drop("session");
    if (this.#handler.blocked?.(from)) return counters.drop("blocked");
    this.#sources.received(from, datagram.length, now);
    this.#opening = opening;
    this.startup.receive(datagram, from, opening ? this.#takeForOpening : this.#takeChunk);
  }

  /** Aborts a session; what its handler makes of that concerns no other one. */
  #drop(session: Session, reason: CloseReason): void {
    try {
      session.abort(reason);
    } catch (error) {
      this.onBug(error, session);
    }
  }

  #throwBug(): void {
    const { error } = this.#bug!;
    this.#bug = undefined;
    throw error;
  }

  /** The own attempt to open a session that a session has overtaken. */
  #metBy(session: Session): Initiator | undefined {
    for (const opening of this.#openings.values()) {
      const { fingerprint } = opening.epd;
      if (fingerprint && toHex(fingerprint) === toHex(session.peerId)) return opening;
    }
    return undefined;
  }

  readonly #takeForOpening: ChunkTaker = ({ type, payload }, from) => {
    this.#opening!.receive(type, payload, from);
  };

  readonly #takeChunk: ChunkTaker = ({ type, payload }, from) => {
    switch (type) {
      case ChunkType.iHello: {
        const { epd, tag } = iHello.read(payload);
        return this.#takeHello(epd, tag, from);
      }
      case ChunkType.iiKeying:
        return this.#responder.receiveKeying(payload, from);
      case ChunkType.rHello:
      case ChunkType.redirect: {
        const at = payload.at;
        for (const opening of this.#openings.values()) {
          payload.reset(payload.input, at, payload.at + payload.left);
          if (opening.receiveAnswer(type, payload, from)) return;
        }
        return this.context.counters.drop("unexpected");
      }
    }
    this.context.counters.drop("unexpected");
  };

  #takeHello(epdBytes: Uint8Array, tag: Uint8Array, from: Address): void {
    const { counters, now } = this.context;
    if (tag.length > LONGEST_TAG || !this.#sources.admit(from, now)) return counters.drop("limit");
    const epd = readEpd(epdBytes);
    const { certificate } = this.identity;
    const selected = isSelected(epd, certificate);
    if (!selected && !epd.fingerprint) return counters.drop("discriminator");
    const key = toHex(tag);
    const attempts = this.#tags.get(key, now) ?? 0;
    this.#tags.set(key, attempts + 1, now);
    if (!selected) {
      return this.#introducer.introduce(epd.fingerprint!, epdBytes, tag, from, attempts);
    }
    const elsewhere = this.#handler.onHello?.(epd, from, attempts);
    if (elsewhere) {
      if (elsewhere.length > 0) this.#introducer.redirect(tag, elsewhere, from);
      return;
    }
    if (!this.#sources.mayAnswer(from, RHELLO + tag.length + certificate.bytes.length, now)) {
      return counters.drop("limit");
    }
    counters.hellos++;
    this.#responder.sayHello(tag, from);
  }
}
