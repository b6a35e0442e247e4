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
import type { OutgoingFragment } from "./fragment.ts";
import type { SendFlowHandler, WriteOptions } from "./handlers.ts";
import { MessageQueue } from "./message_queue.ts";
import type { ReceiveFlow } from "./receive_flow.ts";
import { SentFragments, type SentHost } from "./sent_fragments.ts";

/** The receive window before the first acknowledgement, in bytes. RFC 7016 §3.6.2. */
const FIRST_WINDOW = 65_536;
/** Minimum room (bytes) at the end of a packet to begin or continue a message there. */
const MIN_PIECE = 256;
const EMPTY = new Uint8Array(0);
const chunk = new UserData(); // shared by all flows: each write uses it up at once

/** The part of a session that a sending flow uses. */
export interface SendHost extends SentHost {
  readonly clock: { readonly now: number };
  /** The flow may have something to send. */
  wake(): void;
  /** The flow is over; its number is not used again. */
  forget(flow: SendFlow): void;
  /** {@link SendFlow.flush} was called. */
  flushed?(flow: SendFlow, now: boolean): void;
}

/**
 * A flow of messages to the peer. RFC 7016 §3.6.2.
 *
 * A message waits whole until a packet has room for it, and is cut into fragments with sequence
 * numbers only then, so that the peer never notices a message that is dropped before it began.
 */
export class SendFlow {
  /** Flows of higher priority are sent first within the session. */
  priority = 0;
  /** Among flows of equal priority the one with the lowest order goes first; Infinity: in turns. */
  order = Infinity;
  /** Marks its packets as real-time: they give way less to other traffic. RFC 7016 §3.5.2.1. */
  timeCritical = false;
  handler: SendFlowHandler | undefined;
  /** Number of fragments sent, repetitions included. */
  sentFragments = 0;
  lostFragments = 0;
  /** Bytes of messages that the peer has acknowledged. */
  ackedBytes = 0;
  #state: "open" | "closing" | "closed" = "open";
  /** Options of the flow; sent until the first acknowledgement. */
  #options: Uint8Array | undefined;
  #window = FIRST_WINDOW;
  #lastMessage = 0;
  readonly #queue: MessageQueue;
  readonly #sent: SentFragments;
  #finalSent = false;
  #refused = false;
  /** The sequence number of the latest probe while it was sent only once; otherwise 0. */
  #probed = 0;

  constructor(
    readonly id: number,
    /** Metadata of the flow, which tells its purpose. */
    readonly metadata: Uint8Array,
    /** The flow of the peer that this one answers. */
    readonly association: ReceiveFlow | undefined,
    readonly host: SendHost,
  ) {
    this.#options = writeFlowOptions({ metadata, association: association?.id });
    this.#queue = new MessageQueue(host.fragments);
    this.#sent = new SentFragments(host);
  }

  get state(): "open" | "closing" | "closed" {
    return this.#state;
  }

  /** Whether the peer has refused it. */
  get refused(): boolean {
    return this.#refused;
  }

  /** Bytes written and not sent yet. */
  get queuedBytes(): number {
    return this.#queue.bytes;
  }

  /** Messages written and not sent to their end yet. */
  get queuedMessages(): number {
    return this.#queue.messages;
  }

  /** Number of messages written. */
  get lastMessage(): number {
    return this.#lastMessage;
  }

  /**
   * The first message, counted from 1 as they were written, that has neither arrived nor been abandoned; one more than {@link lastMessage} if there is none.
   */
  get firstPending(): number {
    return (this.#sent.firstPending ?? this.#queue.first)?.message ?? this.#lastMessage + 1;
  }

  /** Whether {@link write} does nothing any more. */
  get closed(): boolean {
    return this.#state !== "open";
  }

  /**
   * Sends a message. Its bytes are not copied and may be shared between flows: they must not change any more. Does nothing on a closed flow.
   *
   * @param stamp u32 that replaces the one after the first byte, so that flows that give a message different
   *   times can share it; -1: none
   */
  write(message: Uint8Array, options?: WriteOptions, stamp = -1): void {
    if (this.#state !== "open") return;
    const fragment = this.#takeFragment();
    fragment.bytes = message;
    fragment.end = message.length;
    fragment.message = ++this.#lastMessage;
    fragment.stamp = stamp;
    fragment.reliable = options?.reliable ?? true;
    this.#queue.add(fragment);
    this.host.wake();
  }

  /**
   * Drops the messages of which nothing was sent.
   *
   * @returns their number
   */
  abandonUnsent(): number {
    return this.#queue.dropUnbegun();
  }

  /** Ends the flow after what was written. */
  close(): void {
    if (this.#state !== "open") return;
    this.#state = "closing";
    if (this.#sent.lastSequence === 0 && !this.#queue.first) this.#finish();
    else this.host.wake();
  }

  /**
   * Sends the messages written so far before those of flows of equal priority that are flushed later or not at all.
   *
   * @param now the session sends at once what congestion control permits, even inside a handler
   */
  flush(now = false): void {
    this.host.flushed?.(this, now);
  }

  /** Whether {@link send} would send something if congestion control permits. */
  get ready(): boolean {
    return this.#mayTake && this.#eligible;
  }

  /** Whether only the peer's buffer, which was full at its last acknowledgement, prevents sending. */
  get suspended(): boolean {
    return this.#window === 0 && !this.#refused && this.#eligible;
  }

  /**
   * Writes fragments into a packet, as many as fit and may be sent.
   *
   * @param to has room for one fragment at least if nothing is in the packet yet
   * @param window bytes that may be in flight before a fragment is sent
   * @returns the number of fragments written
   */
  send(to: Writer, window: number): number {
    const { flight } = this.host;
    const queue = this.#queue;
    const sent = this.#sent;
    sent.trim();
    let count = 0;
    let last = 0; // the sequence number of the chunk before
    chunk.flowId = this.id;
    while (flight.outstanding < window && this.#mayTake) {
      let fragment = sent.nextResend(!queue.first);
      const fresh = fragment === undefined;
      if (fresh) fragment = queue.first;
      if (!fragment) {
        if (this.#state !== "closing" || this.#finalSent) break;
        this.#numberFinal();
        continue;
      }
      const sequence = fragment.sequence || sent.lastSequence + 1;
      const follows = count > 0 && sequence === last + 1;
      chunk.sequence = sequence;
      if (!follows) {
        chunk.fsn = sent.forwardSequence(fragment);
        chunk.options = this.#options;
      }
      const overhead = follows ? NEXT_USER_DATA_OVERHEAD : userDataOverhead(chunk);
      const room = to.room - overhead;
      const length = fragment.end - fragment.start;
      if (length > room) {
        if (!fresh || room < MIN_PIECE) break;
        fragment = queue.split(room);
      } else if (fresh) {
        queue.shift();
      }
      if (fresh) sent.add(fragment);
      this.#write(to, fragment, follows);
      last = sequence;
      count++;
    }
    return count;
  }

  /** Processes an acknowledgement. RFC 7016 §3.6.2.4. */
  acknowledge(ack: Ack): void {
    const sent = this.#sent;
    this.#options = undefined;
    this.#window = ack.bufferBlocks * 1024;
    this.ackedBytes += sent.acknowledge(ack);
    this.handler?.onAcknowledged?.();
    if (!sent.first) {
      if (!sent.allAcknowledged) this.#repeatLast();
      else if (this.#finalSent) return this.#finish();
    }
    this.host.wake();
  }

  /** A fragment that was in flight has been declared lost. RFC 7016 §3.6.2.5. */
  onLost(fragment: OutgoingFragment): void {
    this.#sent.lost(fragment);
    this.lostFragments++;
    if (fragment.sequence === this.#probed) this.#probed = 0;
    if (!fragment.abandoned && !fragment.reliable) this.#abandon(fragment.message);
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
   * Sends an empty abandoned fragment with a sequence number of its own, which the peer acknowledges
   * at once. Until it is lost or acknowledged no other chunk contains the number, so that its
   * acknowledgement proves that this chunk has arrived.
   *
   * @returns the sequence number; 0 if the peer has not acknowledged the flow yet, or it has ended
   */
  probe(to: Writer): number {
    if (this.#state !== "open" || this.#options) return 0;
    const sent = this.#sent;
    const fragment = this.#takeFragment();
    fragment.abandoned = true;
    sent.trim();
    sent.add(fragment);
    chunk.flowId = this.id;
    chunk.sequence = fragment.sequence;
    chunk.fsn = sent.first === fragment ? fragment.sequence - 1 : sent.forwardSequence(fragment);
    chunk.options = undefined;
    this.#write(to, fragment, false);
    fragment.sentAbandoned = false; // keeps the forward sequence number below it
    return this.#probed = fragment.sequence;
  }

  /** Whether `ack` is the first acknowledgement of the latest {@link probe}; only a receiver of the probe can send it. */
  provesProbe(sequence: number, ack: Ack): boolean {
    return sequence !== 0 && sequence === this.#probed && ack.has(sequence);
  }

  /** The session has ended: releases all fragments and sends no more. */
  abort(): void {
    this.#state = "closed";
    this.#sent.clear();
    this.#queue.clear();
  }

  /** Whether the peer has room for more; a refused flow ignores its window. */
  get #mayTake(): boolean {
    return this.#window > this.#sent.outstanding || this.#refused;
  }

  get #eligible(): boolean {
    const waiting = this.#queue.first !== undefined;
    const first = this.#sent.first;
    return waiting || (first !== undefined && !first.inFlight) ||
      this.#sent.nextResend(!waiting) !== undefined ||
      (this.#state === "closing" && !this.#finalSent);
  }

  #takeFragment(): OutgoingFragment {
    const fragment = this.host.fragments.take();
    fragment.flow = this;
    return fragment;
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
    if (start === 0 && fragment.stamp >= 0 && !fragment.abandoned) {
      to.u32At(to.at - chunk.data.length + 1, fragment.stamp);
    }
    chunk.data = EMPTY;
    this.sentFragments++;
    this.#sent.wentOut(fragment, to.at - before);
  }

  /** Adds the end of the flow after all else was sent: Flash recognizes only one both final and abandoned. */
  #numberFinal(): void {
    const fragment = this.#takeFragment();
    fragment.final = fragment.abandoned = true;
    this.#sent.add(fragment);
    this.#sent.resend(fragment);
    this.#finalSent = true;
  }

  /** Abandons a message, its sent and its unsent part. RFC 7016 §3.6.2.7. */
  #abandon(message: number): void {
    if (this.#queue.first?.message === message) this.#abandonRest();
    this.#sent.abandon(message);
  }

  #abandonAll(): void {
    this.abandonUnsent();
    this.#abandonRest();
    this.#sent.abandonAll();
  }

  /**
   * Abandons the unsent part of a begun message. One sequence number is left out, so that the receiver
   * sees a gap before the next message.
   */
  #abandonRest(): void {
    if (!this.#queue.first?.begun) return;
    const rest = this.#queue.shift();
    rest.start = rest.end;
    rest.part = Part.whole;
    rest.abandoned = true;
    this.#sent.add(rest);
  }

  /** All was acknowledged or abandoned, but the peer does not know what was abandoned: tells it. */
  #repeatLast(): void {
    const fragment = this.#takeFragment();
    fragment.final = this.#finalSent;
    this.#sent.repeatLast(fragment);
  }

  #finish(): void {
    this.abort();
    this.host.forget(this);
    this.handler?.onClosed?.();
  }
}
