import type { Writer } from "../../bytes/writer.ts";
import type { Ack } from "../wire/ack.ts";
import { writeFlowOptions } from "../wire/flow_options.ts";
import {
  Fragment as Part,
  NEXT_USER_DATA_OVERHEAD,
  UserData,
  userDataOverhead,
  writeNextUserData,
  writeUserData,
} from "../wire/user_data.ts";
import type { Flight } from "./flight.ts";
import type { FragmentPool, OutgoingFragment } from "./fragment.ts";
import type { SendFlowHandler, WriteOptions } from "./handlers.ts";
import type { ReceiveFlow } from "./receive_flow.ts";

/** The receive window before the first acknowledgement, in bytes. RFC 7016 §3.6.2. */
const FIRST_WINDOW = 65_536;
/** A message is not begun in, nor continued into, less room than this at the end of a packet. */
const LEAST_PIECE = 256;
const EMPTY = new Uint8Array(0);
const chunk = new UserData(); // one for all: it is used up before anything else happens

/** What a sending flow needs of its session. */
export interface SendHost {
  readonly clock: { readonly now: number };
  readonly flight: Flight;
  readonly fragments: FragmentPool;
  /** There may be something to send. */
  wake(): void;
  /** The flow is over; its number is not used again. */
  forget(flow: SendFlow): void;
}

/**
 * A flow of messages to the peer. RFC 7016 §3.6.2.
 *
 * A message waits whole until there is room for it in a packet, and only then is cut into
 * fragments with sequence numbers, so that what was not begun can be dropped without a trace.
 */
export class SendFlow {
  /** Asks to go before flows of lower priority of the session. */
  priority = 0;
  /** Marks its packets as real-time: they give way less to other traffic. RFC 7016 §3.5.2.1. */
  timeCritical = false;
  handler: SendFlowHandler | undefined;
  /** Bytes written and not sent yet. */
  queuedBytes = 0;
  /** Messages written and not sent to their end yet. */
  queuedMessages = 0;
  /** Fragments sent, each time counted. */
  sentFragments = 0;
  lostFragments = 0;
  /** Bytes of messages that have arrived. */
  ackedBytes = 0;
  #state: "open" | "closing" | "closed" = "open";
  /** To be sent until the peer knows the flow. */
  #options: Uint8Array | undefined;
  #window = FIRST_WINDOW;
  #outstanding = 0;
  #lastSequence = 0;
  #cumulativeAck = 0;
  #lastMessage = 0;
  /** What has a sequence number, in order; #resend is the first that is to be sent again, at the earliest. */
  #sentFirst: OutgoingFragment | undefined;
  #sentLast: OutgoingFragment | undefined;
  #resend: OutgoingFragment | undefined;
  /** What has none yet; at its head a message may have been begun. */
  #queueFirst: OutgoingFragment | undefined;
  #queueLast: OutgoingFragment | undefined;
  #finalSent = false;
  #refused = false;
  #emptied = false;
  /** The sequence number of the latest probe, as long as it was sent but once. */
  #probed = 0;

  constructor(
    readonly id: number,
    /** What the flow is for. */
    readonly metadata: Uint8Array,
    /** The flow of the peer that this one answers. */
    readonly association: ReceiveFlow | undefined,
    readonly host: SendHost,
  ) {
    this.#options = writeFlowOptions({ metadata, association: association?.id });
  }

  get state(): "open" | "closing" | "closed" {
    return this.#state;
  }

  /** How many messages were written. */
  get lastMessage(): number {
    return this.#lastMessage;
  }

  /**
   * The first message, counted from 1 as they were written, that has neither arrived nor been
   * given up; one more than {@link lastMessage} if there is none.
   */
  get firstPending(): number {
    let fragment = this.#sentFirst;
    while (fragment?.abandoned) fragment = fragment.next;
    return (fragment ?? this.#queueFirst)?.message ?? this.#lastMessage + 1;
  }

  /** Whether nothing can be written any more. */
  get closed(): boolean {
    return this.#state !== "open";
  }

  /**
   * Sends a message. Its bytes are not copied and may be shared between flows: they must not
   * change any more. On a closed flow it does nothing.
   */
  write(message: Uint8Array, options?: WriteOptions): void {
    if (this.#state !== "open") return;
    this.#dropExpired();
    const fragment = this.host.fragments.take();
    fragment.flow = this;
    fragment.bytes = message;
    fragment.end = message.length;
    fragment.message = ++this.#lastMessage;
    if (options) {
      fragment.reliable = options.reliable ?? true;
      fragment.startBy = options.startBy ?? Infinity;
      fragment.finishBy = options.finishBy ?? Infinity;
    }
    if (this.#queueLast) this.#queueLast.next = fragment;
    else this.#queueFirst = fragment;
    this.#queueLast = fragment;
    this.queuedBytes += message.length;
    this.queuedMessages++;
    this.host.wake();
  }

  /**
   * Drops the messages of which nothing was sent.
   *
   * @returns how many
   */
  abandonUnsent(): number {
    const head = this.#queueFirst;
    const begun = head?.begun ? head : undefined;
    let dropped = begun ? begun.next : head;
    let count = 0;
    while (dropped) {
      const next: OutgoingFragment | undefined = dropped.next;
      this.queuedBytes -= dropped.end - dropped.start;
      this.queuedMessages--;
      this.host.fragments.give(dropped);
      dropped = next;
      count++;
    }
    this.#queueFirst = this.#queueLast = begun;
    if (begun) begun.next = undefined;
    return count;
  }

  /** Ends the flow after what was written. */
  close(): void {
    if (this.#state !== "open") return;
    this.#state = "closing";
    if (this.#lastSequence === 0 && !this.#queueFirst) this.#finish();
    else this.host.wake();
  }

  /** Whether {@link send} would send something, but for congestion. */
  get ready(): boolean {
    if (this.#window <= this.#outstanding && !this.#refused) return false;
    return this.#eligible;
  }

  /** Whether there is something to send and the peer's buffer, full at last sight, forbids it. */
  get suspended(): boolean {
    return this.#window === 0 && !this.#refused && this.#eligible;
  }

  get #eligible(): boolean {
    const first = this.#sentFirst;
    return this.#queueFirst !== undefined || (first !== undefined && !first.inFlight) ||
      this.#nextResend() !== undefined ||
      (this.#state === "closing" && !this.#finalSent);
  }

  /**
   * Writes fragments into a packet, as many as fit and may be sent.
   *
   * @param to has room for one fragment at least if nothing is in the packet yet
   * @returns how many were written
   */
  send(to: Writer): number {
    const { flight } = this.host;
    this.#trim();
    let count = 0;
    let last = 0; // the sequence number of the chunk before
    chunk.flowId = this.id;
    while (
      flight.outstanding < flight.limit && (this.#window > this.#outstanding || this.#refused)
    ) {
      let fragment = this.#nextResend();
      const fresh = fragment === undefined;
      if (fresh) {
        this.#dropExpired();
        fragment = this.#queueFirst;
      }
      if (!fragment) {
        if (this.#state !== "closing" || this.#finalSent) break;
        this.#numberFinal();
        continue;
      }
      const sequence = fragment.sequence || this.#lastSequence + 1;
      const follows = count > 0 && sequence === last + 1;
      chunk.sequence = sequence;
      if (!follows) {
        chunk.fsn = this.#forwardSequence(fragment);
        chunk.options = this.#options;
      }
      const overhead = follows ? NEXT_USER_DATA_OVERHEAD : userDataOverhead(chunk);
      const room = to.room - overhead;
      const length = fragment.end - fragment.start;
      if (length > room) {
        if (!fresh || room < LEAST_PIECE) break;
        fragment = this.#split(fragment, room);
      } else if (fresh) {
        this.#shiftQueue(fragment);
      }
      if (fresh) this.#number(fragment);
      this.#write(to, fragment, follows);
      last = sequence;
      count++;
    }
    return count;
  }

  /** Tells the handler, outside of the sending of packets, what has come of it. */
  afterSending(): void {
    if (!this.#emptied) return;
    this.#emptied = false;
    if (!this.#queueFirst) this.handler?.onEmpty?.();
  }

  /** The peer tells what it has. RFC 7016 §3.6.2.4. */
  acknowledge(ack: Ack): void {
    const { flight, fragments } = this.host;
    const { ranges } = ack;
    const cumulative = Math.min(ack.cumulativeAck, this.#lastSequence);
    this.#options = undefined;
    this.#window = ack.bufferBlocks * 1024;
    if (cumulative > this.#cumulativeAck) this.#cumulativeAck = cumulative;
    let previous: OutgoingFragment | undefined;
    let fragment = this.#sentFirst;
    let range = 0;
    while (fragment) {
      const { sequence, next } = fragment;
      if (sequence > cumulative) {
        while (range < ranges.length && ranges[range + 1] < sequence) range += 2;
        if (range >= ranges.length) break;
        if (sequence < ranges[range] || !fragment.everSent) {
          previous = fragment;
          fragment = next;
          continue;
        }
      }
      if (fragment.inFlight) {
        this.#outstanding -= fragment.size;
        flight.acked(fragment);
      }
      if (!fragment.abandoned) this.ackedBytes += fragment.end - fragment.start;
      if (fragment === this.#resend) this.#resend = next;
      if (previous) previous.next = next;
      else this.#sentFirst = next;
      if (!next) this.#sentLast = previous;
      fragments.give(fragment);
      fragment = next;
    }
    this.#trim();
    this.handler?.onAcknowledged?.();
    if (!this.#sentFirst) {
      if (this.#cumulativeAck < this.#lastSequence) this.#repeatForward();
      else if (this.#finalSent) return this.#finish();
    }
    this.host.wake();
  }

  /** A fragment that was in flight has been declared lost. RFC 7016 §3.6.2.5. */
  onLost(fragment: OutgoingFragment): void {
    this.#outstanding -= fragment.size;
    this.lostFragments++;
    if (fragment.sequence === this.#probed) this.#probed = 0;
    if (!fragment.abandoned && (!fragment.reliable || fragment.finishBy < this.host.clock.now)) {
      this.#abandon(fragment.message);
    }
    if (!this.#resend || fragment.sequence < this.#resend.sequence) this.#resend = fragment;
  }

  /** The peer refuses the flow. RFC 7016 §3.6.2.9. */
  onException(code: number): void {
    if (this.#refused || this.#state === "closed") return;
    this.#refused = true;
    const told = this.#state === "closing";
    this.#abandonAll();
    this.close();
    this.host.wake();
    if (!told) this.handler?.onException?.(code);
  }

  /**
   * Uses up one sequence number for nothing: an empty abandoned fragment whose arrival the peer
   * acknowledges at once. Nothing else sent before it is lost or acknowledged tells the peer of
   * the number, so that its acknowledgement proves that this very chunk has arrived.
   *
   * @returns the sequence number; 0 if the flow is not known to the peer yet, or has ended
   */
  probe(to: Writer): number {
    if (this.#state !== "open" || this.#options) return 0;
    const fragment = this.host.fragments.take();
    fragment.flow = this;
    fragment.abandoned = true;
    this.#trim();
    this.#number(fragment);
    chunk.flowId = this.id;
    chunk.sequence = fragment.sequence;
    chunk.fsn = this.#sentFirst === fragment
      ? fragment.sequence - 1
      : this.#forwardSequence(fragment);
    chunk.options = undefined;
    this.#write(to, fragment, false);
    fragment.sentAbandoned = false; // keeps the forward sequence number below it
    return this.#probed = fragment.sequence;
  }

  /** Whether `ack` is the first word of the arrival of the latest {@link probe}, which nobody can have forged. */
  provesProbe(sequence: number, ack: Ack): boolean {
    if (sequence === 0 || sequence !== this.#probed) return false;
    if (sequence <= ack.cumulativeAck) return true;
    for (let i = 0; i < ack.ranges.length; i += 2) {
      if (sequence >= ack.ranges[i] && sequence <= ack.ranges[i + 1]) return true;
    }
    return false;
  }

  /** The session has ended: gives everything back and sends no more. */
  abort(): void {
    const { fragments, flight } = this.host;
    this.#state = "closed";
    for (let fragment = this.#sentFirst; fragment;) {
      const next: OutgoingFragment | undefined = fragment.next;
      if (fragment.inFlight) flight.remove(fragment);
      fragments.give(fragment);
      fragment = next;
    }
    for (let fragment = this.#queueFirst; fragment;) {
      const next: OutgoingFragment | undefined = fragment.next;
      fragments.give(fragment);
      fragment = next;
    }
    this.#sentFirst =
      this.#sentLast =
      this.#queueFirst =
      this.#queueLast =
        undefined;
    this.#resend = undefined;
    this.#outstanding = this.queuedBytes = this.queuedMessages = 0;
    this.#emptied = false;
  }

  /** The first fragment that has to go out again. */
  #nextResend(): OutgoingFragment | undefined {
    let fragment = this.#resend;
    while (fragment && !this.#toResend(fragment)) fragment = fragment.next;
    return this.#resend = fragment;
  }

  /** An abandoned fragment is passed over, unless nothing else would tell the peer. */
  #toResend(fragment: OutgoingFragment): boolean {
    if (fragment.inFlight) return false;
    return !fragment.abandoned || fragment.final ||
      (fragment === this.#sentFirst && !this.#queueFirst);
  }

  /** Drops from the front what is given up, as long as what follows will tell. */
  #trim(): void {
    let first = this.#sentFirst;
    while (first && first.abandoned && !first.inFlight && first.next) {
      if (first === this.#resend) this.#resend = first.next;
      this.#sentFirst = first.next;
      this.host.fragments.give(first);
      first = this.#sentFirst;
    }
    if (first && !first.inFlight) this.#resend = first;
  }

  /** Up to which number nothing is sent again, as told in the chunk that carries `fragment`. */
  #forwardSequence(fragment: OutgoingFragment): number {
    const first = this.#sentFirst;
    if (!first) return this.#lastSequence; // `fragment` gets the next number
    const told = first === fragment || !first.inFlight || first.sentAbandoned;
    return first.abandoned && !first.final && told ? first.sequence : first.sequence - 1;
  }

  #write(to: Writer, fragment: OutgoingFragment, follows: boolean): void {
    const { bytes, start, end } = fragment;
    const before = to.at;
    chunk.fragment = fragment.part;
    chunk.abandoned = fragment.abandoned;
    chunk.final = fragment.final;
    chunk.data = fragment.abandoned
      ? EMPTY
      : start === 0 && end === bytes.length
      ? bytes
      : this.host.fragments.part(bytes, start, end);
    if (follows) {
      chunk.options = undefined;
      writeNextUserData(to, chunk);
    } else {
      writeUserData(to, chunk);
    }
    chunk.data = EMPTY;
    const size = to.at - before;
    fragment.sentAbandoned = fragment.abandoned;
    this.#outstanding += size;
    this.sentFragments++;
    this.host.flight.sent(fragment, size);
  }

  /** Gives a fragment the next number and a place behind all others. */
  #number(fragment: OutgoingFragment): void {
    fragment.sequence = ++this.#lastSequence;
    fragment.next = undefined;
    if (this.#sentLast) this.#sentLast.next = fragment;
    else this.#sentFirst = fragment;
    this.#sentLast = fragment;
  }

  /** Cuts `length` bytes off the message at the head of the queue. */
  #split(rest: OutgoingFragment, length: number): OutgoingFragment {
    const piece = this.host.fragments.take();
    piece.flow = this;
    piece.bytes = rest.bytes;
    piece.start = rest.start;
    piece.end = rest.start += length;
    piece.message = rest.message;
    piece.reliable = rest.reliable;
    piece.finishBy = rest.finishBy;
    piece.part = rest.begun ? Part.middle : Part.begin;
    rest.begun = true;
    rest.part = Part.end;
    this.queuedBytes -= length;
    return piece;
  }

  /** Takes the head, which will be sent to its end now, off the queue. */
  #shiftQueue(fragment: OutgoingFragment): void {
    this.#queueFirst = fragment.next;
    if (!this.#queueFirst) {
      this.#queueLast = undefined;
      this.#emptied = true;
    }
    this.queuedBytes -= fragment.end - fragment.start;
    this.queuedMessages--;
  }

  /** The end of the flow, once all else was sent: Flash knows it only as both final and abandoned. */
  #numberFinal(): void {
    const fragment = this.host.fragments.take();
    fragment.flow = this;
    fragment.final = fragment.abandoned = true;
    this.#number(fragment);
    this.#resend = fragment;
    this.#finalSent = true;
  }

  /** Drops from the head of the queue what it is too late for. */
  #dropExpired(): void {
    const { now } = this.host.clock;
    let head = this.#queueFirst;
    while (head && !head.begun && (head.startBy < now || head.finishBy < now)) {
      const next: OutgoingFragment | undefined = head.next;
      this.#shiftQueue(head);
      this.host.fragments.give(head);
      head = next;
    }
  }

  /** Gives up a message: what was sent of it, and what was not. RFC 7016 §3.6.2.7. */
  #abandon(message: number): void {
    for (let fragment = this.#sentFirst; fragment; fragment = fragment.next) {
      if (fragment.message === message && !fragment.final) fragment.abandoned = true;
    }
    const rest = this.#queueFirst;
    if (rest?.begun && rest.message === message) this.#abandonRest(rest);
    this.#resend = this.#sentFirst;
  }

  /**
   * Gives up what is not sent of a begun message. It leaves one number out, so that the receiver
   * sees a gap before the next message.
   */
  #abandonRest(rest: OutgoingFragment): void {
    this.#shiftQueue(rest);
    rest.start = rest.end;
    rest.part = Part.whole;
    rest.abandoned = true;
    this.#number(rest);
  }

  #abandonAll(): void {
    this.abandonUnsent();
    if (this.#queueFirst) this.#abandonRest(this.#queueFirst);
    for (let fragment = this.#sentFirst; fragment; fragment = fragment.next) {
      fragment.abandoned = true;
    }
    this.#resend = this.#sentFirst;
  }

  /** All was acknowledged or given up, and the peer does not know of the latter: tells it. */
  #repeatForward(): void {
    const fragment = this.host.fragments.take();
    fragment.flow = this;
    fragment.abandoned = true;
    fragment.final = this.#finalSent;
    fragment.sequence = this.#lastSequence;
    this.#sentFirst = this.#sentLast = this.#resend = fragment;
  }

  #finish(): void {
    this.abort();
    this.host.forget(this);
    this.handler?.onClosed?.();
  }
}
