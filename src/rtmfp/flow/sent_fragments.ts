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
 * are given up; and which of them is to go out again. RFC 7016 §3.6.2.4 to §3.6.2.7.
 */
export class SentFragments {
  /** Bytes of chunks in flight. */
  outstanding = 0;
  /** The highest number that was given; 0: none. */
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

  /** Whether the peer knows of all numbers. */
  get allAcknowledged(): boolean {
    return this.#cumulativeAck >= this.lastSequence;
  }

  /** The first that has neither arrived nor been given up. */
  get firstPending(): OutgoingFragment | undefined {
    let fragment = this.#first;
    while (fragment?.abandoned) fragment = fragment.next;
    return fragment;
  }

  /** Gives a fragment the next number and a place behind all others. */
  add(fragment: OutgoingFragment): void {
    fragment.sequence = ++this.lastSequence;
    fragment.next = undefined;
    if (this.#last) this.#last.next = fragment;
    else this.#first = fragment;
    this.#last = fragment;
  }

  /** A fragment goes out in a chunk of `size` bytes. */
  wentOut(fragment: OutgoingFragment, size: number): void {
    fragment.sentAbandoned = fragment.abandoned;
    this.outstanding += size;
    this.#host.flight.sent(fragment, size);
  }

  /**
   * The first fragment that has to go out again.
   *
   * @param quiet no new data waits that would tell the peer about abandoned fragments
   */
  nextResend(quiet: boolean): OutgoingFragment | undefined {
    let fragment = this.#resend;
    while (fragment && !this.#toResend(fragment, quiet)) fragment = fragment.next;
    return this.#resend = fragment;
  }

  /** A fragment that was in flight goes out again, if it is not abandoned. */
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

  /** Up to which number nothing is sent again, as told in the chunk that carries `fragment`. */
  forwardSequence(fragment: OutgoingFragment): number {
    const first = this.#first;
    if (!first) return this.lastSequence; // `fragment` gets the next number
    const told = first === fragment || !first.inFlight || first.sentAbandoned;
    return first.abandoned && !first.final && told ? first.sequence : first.sequence - 1;
  }

  /**
   * Drops the acknowledged fragments. RFC 7016 §3.6.2.4.
   *
   * @returns how many bytes of messages have arrived
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

  /** All was acknowledged or given up, and the peer does not know of the latter: `fragment` tells it. */
  repeatLast(fragment: OutgoingFragment): void {
    fragment.abandoned = true;
    fragment.sequence = this.lastSequence;
    this.#first = this.#last = this.#resend = fragment;
  }

  /** The flow has ended: gives everything back. */
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

  /** An abandoned fragment is passed over, unless nothing else would tell the peer. */
  #toResend(fragment: OutgoingFragment, quiet: boolean): boolean {
    if (fragment.inFlight) return false;
    return !fragment.abandoned || fragment.final || (quiet && fragment === this.#first);
  }
}
