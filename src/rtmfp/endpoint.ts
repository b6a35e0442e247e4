import { toHex } from "../bytes/hex.ts";
import type { Address } from "../common/address.ts";
import { isSelected } from "./crypto/certificate.ts";
import { sessionIdOf } from "./crypto/packet_cipher.ts";
import type { Outbox } from "./outbox.ts";
import { AgeingTable } from "./session/ageing_table.ts";
import type { Context } from "./session/context.ts";
import type { Counters } from "./session/counters.ts";
import type { EndpointHandler } from "./session/endpoint_handler.ts";
import type { Initiator, InitiatorEvents } from "./session/initiator.ts";
import { Introducer, type PeerHello } from "./session/introducer.ts";
import type { Session } from "./session/session.ts";
import { type EndpointOptions, Sessions } from "./session/sessions.ts";
import type { ChunkTaker } from "./session/startup.ts";
import type { OriginAddress } from "./wire/address.ts";
import { ChunkType } from "./wire/chunk.ts";
import { readEpd } from "./wire/epd.ts";
import { iHello } from "./wire/ihello.ts";

export type { EndpointHandler, PeerHello };

/** Minimum length of a datagram: a session id and one block. */
const MIN_DATAGRAM = 20;
/** Maximum number of hello tags whose repetitions are counted. */
const MAX_TAGS = 8192;
/** Time (ms) for which a tag is remembered. */
const TAG_LIFETIME = 60_000;
/** Maximum length of a tag in bytes, which bounds memory; tags of Flash have 16. */
const MAX_TAG_LENGTH = 128;
/** Bytes of an RHello besides the tag and the certificate, padding included. */
const RHELLO = 4 + 2 + 3 + 3 + 1 + 65 + 15;
/** Delay (ms) before the next attempt to send when the outbox is full. */
const FULL_OUTBOX_RETRY = 4;

/**
 * An RTMFP endpoint: all sessions behind one socket, in both roles. RFC 7016.
 *
 * It acts only when it is called: {@link receive} takes datagrams, and {@link flush} sends all that is
 * due. The owner calls `flush` after every input and at {@link deadline}. Handlers must not call the
 * endpoint, except {@link sendData}.
 */
export class Endpoint {
  readonly context: Context;
  readonly #sessions: Sessions;
  readonly #introducer: Introducer;
  readonly #handler: EndpointHandler;
  readonly #notStarted: Initiator[] = [];
  readonly #tags = new AgeingTable<number>(MAX_TAGS, TAG_LIFETIME);
  /** The initiator that the datagram being taken is for. */
  #initiator: Initiator | undefined;
  #full = false;
  #flushing = false;

  constructor(options: EndpointOptions) {
    this.#handler = options.handler;
    const sessions = this.#sessions = new Sessions(options);
    this.context = sessions.context;
    this.#introducer = new Introducer(sessions, this.#handler);
  }

  /** Counts of its events. */
  get counters(): Counters {
    return this.context.counters;
  }

  /** The fingerprint of its certificate, by which peers name it. */
  get peerId(): Uint8Array {
    return this.#sessions.identity.certificate.fingerprint;
  }

  /** All sessions, also closing ones and those whose far end has not sent a packet yet. */
  sessions(): Iterable<Session> {
    return this.#sessions.table.all();
  }

  get sessionCount(): number {
    return this.#sessions.table.size;
  }

  /** Number of records about senders without session: sources, hellos and handshakes. */
  get remembered(): number {
    return this.#sessions.limiter.size + this.#tags.size + this.#sessions.responder.size;
  }

  /** The newest open session with a peer. */
  sessionOf(peerId: Uint8Array): Session | undefined {
    return this.#sessions.table.peer(peerId);
  }

  /**
   * Takes a datagram and decrypts it in place; the caller may reuse the buffer. Keeps the object `from`
   * as the destination of answers, so that the outbox recognizes it by identity. Drops malformed datagrams without an exception; an exception of a handler closes the session.
   */
  receive(datagram: Uint8Array, from: Address, now: number): void {
    this.#setTime(now);
    const { counters } = this.context;
    counters.datagramsIn++;
    counters.bytesIn += datagram.length;
    if (datagram.length < MIN_DATAGRAM) return counters.drop("size");
    const id = sessionIdOf(datagram);
    const session = id === 0 ? undefined : this.#sessions.table.get(id);
    try {
      if (session) session.receive(datagram, from);
      else this.#receiveStartup(id, datagram, from, now);
    } catch (error) {
      this.#sessions.bug(error, session);
    }
    this.#sessions.limitHeld();
    this.#sessions.throwBug();
  }

  /** Sends all that is due by `now`, and handles time-outs. */
  flush(now: number, out: Outbox): void {
    this.#setTime(now);
    this.#flushing = true;
    try {
      this.#flush(now, out);
    } finally {
      this.#flushing = false;
      this.context.builder.finish();
    }
    this.#sessions.throwBug();
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
    for (let initiator = this.#notStarted.pop(); initiator; initiator = this.#notStarted.pop()) {
      if (!initiator.over) initiator.start();
    }
    this.context.timers.advance(now);
    this.#full = !this.#sessions.startup.flush(out);
    while (!this.#full) {
      const session = this.context.takeDirty();
      if (!session) break;
      try {
        if (session.flush(out)) continue;
        this.context.markDirty(session);
        this.#full = true;
      } catch (error) {
        this.#sessions.bug(error, session);
      }
    }
  }

  /** When to call {@link flush} next if no input comes before; Infinity: never. */
  get deadline(): number {
    const { now, dirty, timers } = this.context;
    const due = this.#sessions.startup.due || dirty || this.#notStarted.length > 0;
    if (due) return this.#full ? now + FULL_OUTBOX_RETRY : now;
    return timers.next;
  }

  /**
   * Opens a session.
   *
   * @param epd an option sequence that selects the far end; see `wire/epd.ts`
   * @param addresses of the far end, or of servers that can redirect to it
   * @throws {WireError} if `epd` selects no endpoint
   */
  connect(epd: Uint8Array, addresses: readonly Address[], events: InitiatorEvents): Initiator {
    const initiator = this.#sessions.initiate(epd, addresses, events);
    this.#notStarted.push(initiator);
    return initiator;
  }

  /** Tells a peer of this endpoint of a hello that another introducer got; see {@link Introducer.introduceFor}. */
  introduceFor(
    hello: PeerHello,
    now: number,
  ): { addresses: readonly OriginAddress[]; silence: number } | undefined {
    this.#setTime(now);
    return this.#introducer.introduceFor(hello);
  }

  /** Answers a hello for a peer elsewhere, if the limit of answers to its sender allows. */
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
    this.#sessions.close();
    this.#sessions.throwBug();
  }

  #setTime(now: number): void {
    if (now > this.context.clock.now) this.context.clock.now = now;
  }

  #receiveStartup(id: number, datagram: Uint8Array, from: Address, now: number): void {
    const { counters } = this.context;
    const initiator = id === 0 ? undefined : this.#sessions.initiator(id);
    if (id !== 0 && !initiator) return counters.drop("session");
    if (this.#handler.blocked?.(from)) return counters.drop("blocked");
    this.#sessions.limiter.received(from, datagram.length, now);
    this.#initiator = initiator;
    const taker = initiator ? this.#takeForInitiator : this.#takeChunk;
    this.#sessions.startup.receive(datagram, from, taker);
  }

  readonly #takeForInitiator: ChunkTaker = ({ type, payload }, from) => {
    this.#initiator?.receive(type, payload, from);
  };

  readonly #takeChunk: ChunkTaker = ({ type, payload }, from) => {
    switch (type) {
      case ChunkType.iHello: {
        const { epd, tag } = iHello.read(payload);
        return this.#takeHello(epd, tag, from);
      }
      case ChunkType.iiKeying:
        return this.#sessions.responder.receiveKeying(payload, from);
      case ChunkType.rHello:
      case ChunkType.redirect:
        if (this.#sessions.takeAnswer(type, payload, from)) return;
    }
    this.context.counters.drop("unexpected");
  };

  #takeHello(epdBytes: Uint8Array, tag: Uint8Array, from: Address): void {
    const { counters, now } = this.context;
    if (tag.length > MAX_TAG_LENGTH || !this.#sessions.limiter.admit(from, now)) {
      return counters.drop("limit");
    }
    const epd = readEpd(epdBytes);
    const { certificate } = this.#sessions.identity;
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
    if (
      !this.#sessions.limiter.mayAnswer(from, RHELLO + tag.length + certificate.bytes.length, now)
    ) {
      return counters.drop("limit");
    }
    counters.hellos++;
    this.#sessions.responder.sayHello(tag, from);
  }
}
