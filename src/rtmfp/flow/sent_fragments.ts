import type { Ack } from "../wire/ack.ts";
import type { Flight } from "./flight.ts";
import type { FragmentPool, OutgoingFragment } from "./fragment.ts";

/** State that the fragments of all flows of a session share. */
export interface SentHost {
  readonly flight: Flight;
  readonly fragments: FragmentPool;
}

/**
 * The fragments of a flow that have sequence numbers, in order, until the peer has them or they
 * are abandoned; and selection of the one to send again. RFC 7016 §3.6.2.4 to §3.6.2.7.
 */
export class SentFragments {
  /** Bytes of chunks in flight. */
  outstanding = 0;
  /** The highest sequence number assigned; 0: none. */
  lastSequence = 0;
  #cumulativeAck = 0;
  #first: OutgoingFragment | undefined;
  #last: OutgoingFragment | undefined;
  /** No fragment before this one has to be sent again. */
  #resend: OutgoingFragment | undefined;
  readonly #host: SentHost;

  constructor(host: SentHost) {
    this.#host = host;
  }

  get first(): OutgoingFragment | undefined {
    return this.#first;
  }

  /** Whether the peer has acknowledged all numbers. */
  get allAcknowledged(): boolean {
    return this.#cumulativeAck >= this.lastSequence;
  }

  /** The first fragment that has neither arrived nor been abandoned. */
  get firstPending(): OutgoingFragment | undefined {
    let fragment = this.#first;
    while (fragment?.abandoned) fragment = fragment.next;
    return fragment;
  }

  /** Assigns the next number to a fragment and appends it. */
  add(fragment: OutgoingFragment): void {
    fragment.sequence = ++this.lastSequence;
    fragment.next = undefined;
    if (this.#last) this.#last.next = fragment;
    else this.#first = fragment;
    this.#last = fragment;
  }

  /** A fragment was sent in a chunk of `size` bytes. */
  wentOut(fragment: OutgoingFragment, size: number): void {
    fragment.sentAbandoned = fragment.abandoned;
    this.outstanding += size;
    this.#host.flight.sent(fragment, size);
  }

  /**
   * The first fragment to send again.
   *
   * @param quiet no new data waits that would tell the peer about abandoned fragments
   */
  nextResend(quiet: boolean): OutgoingFragment | undefined {
    let fragment = this.#resend;
    while (fragment && !this.#toResend(fragment, quiet)) fragment = fragment.next;
    return this.#resend = fragment;
  }

  /** A fragment in flight was lost: it is sent again unless abandoned. */
  lost(fragment: OutgoingFragment): void {
    this.outstanding -= fragment.size;
    this.resend(fragment);
  }

  /** Has {@link nextResend} consider a fragment again. */
  resend(fragment: OutgoingFragment): void {
    if (!this.#resend || fragment.sequence < this.#resend.sequence) this.#resend = fragment;
  }

  /** Drops abandoned fragments from the front, as long as a later fragment tells the peer about them. */
  trim(): void {
    let first = this.#first;
    while (first && first.abandoned && !first.inFlight && first.next) {
      if (first === this.#resend) this.#resend = first.next;
      this.#first = first.next;
      this.#host.fragments.give(first);
      first = this.#first;
    }
    if (first && !first.inFlight) this.#resend = first;
  }

  /** Forward sequence number of the chunk that carries `fragment`: up to it nothing is sent again. */
  forwardSequence(fragment: OutgoingFragment): number {
    const first = this.#first;
    if (!first) return this.lastSequence; // `fragment` gets the next number
    const told = first === fragment || !first.inFlight || first.sentAbandoned;
    return first.abandoned && !first.final && told ? first.sequence : first.sequence - 1;
  }

  /**
   * Drops the acknowledged fragments. RFC 7016 §3.6.2.4.
   *
   * @returns the number of message bytes acknowledged
   */
  acknowledge(ack: Ack): number {
    const { flight, fragments } = this.#host;
    const { ranges } = ack;
    const cumulative = Math.min(ack.cumulativeAck, this.lastSequence);
    if (cumulative > this.#cumulativeAck) this.#cumulativeAck = cumulative;
    let arrived = 0;
    let previous: OutgoingFragment | undefined;
    let fragment = this.#first;
    let range = 0;
    while (fragment) {
      const { sequence, next } = fragment;
      if (sequence > cumulative) {
        while (range < ranges.length && ranges[range + 1]! < sequence) range += 2;
        if (range >= ranges.length) break;
        if (sequence < ranges[range]! || !fragment.everSent) {
          previous = fragment;
          fragment = next;
          continue;
        }
      }
      if (fragment.inFlight) {
        this.outstanding -= fragment.size;
        flight.acked(fragment);
      }
      if (!fragment.abandoned) arrived += fragment.end - fragment.start;
      if (fragment === this.#resend) this.#resend = next;
      if (previous) previous.next = next;
      else this.#first = next;
      if (!next) this.#last = previous;
      fragments.give(fragment);
      fragment = next;
    }
    this.trim();
    return arrived;
  }

  /** Abandons the sent fragments of a message. RFC 7016 §3.6.2.7. */
  abandon(message: number): void {
    for (let fragment = this.#first; fragment; fragment = fragment.next) {
      if (fragment.message === message && !fragment.final) fragment.abandoned = true;
    }
    this.#resend = this.#first;
  }

  abandonAll(): void {
    for (let fragment = this.#first; fragment; fragment = fragment.next) {
      fragment.abandoned = true;
    }
    this.#resend = this.#first;
  }

  /** All was acknowledged or abandoned, but the peer does not know what was abandoned: `fragment` tells it. */
  repeatLast(fragment: OutgoingFragment): void {
    fragment.abandoned = true;
    fragment.sequence = this.lastSequence;
    this.#first = this.#last = this.#resend = fragment;
  }

  /** The flow has ended: releases all fragments. */
  clear(): void {
    const { fragments, flight } = this.#host;
    for (let fragment = this.#first; fragment;) {
      const next: OutgoingFragment | undefined = fragment.next;
      if (fragment.inFlight) flight.remove(fragment);
      fragments.give(fragment);
      fragment = next;
    }
    this.#first = this.#last = this.#resend = undefined;
    this.outstanding = 0;
  }

  /** Whether to send a fragment again; an abandoned one only if no other chunk would tell the peer. */
  #toResend(fragment: OutgoingFragment, quiet: boolean): boolean {
    if (fragment.inFlight) return false;
    return !fragment.abandoned || fragment.final || (quiet && fragment === this.#first);
  }
}
