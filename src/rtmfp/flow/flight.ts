import type { OutgoingFragment } from "./fragment.ts";

/** Number of negative acknowledgements at which a fragment counts as lost. RFC 7016 §3.6.2.5. */
const NAKS = 3;

/**
 * The fragments in flight of all flows of a session, in the order of transmission, from which it finds the lost ones. RFC 7016 §3.6.2.5, §3.6.2.6.
 */
export class Flight {
  /** Bytes in flight. */
  outstanding = 0;
  /** Bytes acknowledged since the session began. */
  delivered = 0;
  /** Fragments that were declared lost since the session began. */
  lost = 0;
  #first: OutgoingFragment | undefined;
  #last: OutgoingFragment | undefined;
  #tsn = 0;
  #highestAcked = 0;

  /** A fragment was sent in a chunk of `size` bytes. */
  sent(fragment: OutgoingFragment, size: number): void {
    fragment.everSent = true;
    fragment.inFlight = true;
    fragment.naks = 0;
    fragment.size = size;
    fragment.tsn = ++this.#tsn;
    fragment.earlierInFlight = this.#last;
    if (this.#last) this.#last.laterInFlight = fragment;
    else this.#first = fragment;
    this.#last = fragment;
    this.outstanding += size;
  }

  /** The peer acknowledged a fragment in flight. */
  acked(fragment: OutgoingFragment): void {
    if (fragment.tsn > this.#highestAcked) this.#highestAcked = fragment.tsn;
    this.delivered += fragment.size;
    this.remove(fragment);
  }

  /** Removes a fragment without counting it as lost or delivered. */
  remove(fragment: OutgoingFragment): void {
    const { earlierInFlight, laterInFlight } = fragment;
    if (earlierInFlight) earlierInFlight.laterInFlight = laterInFlight;
    else this.#first = laterInFlight;
    if (laterInFlight) laterInFlight.earlierInFlight = earlierInFlight;
    else this.#last = earlierInFlight;
    fragment.earlierInFlight = fragment.laterInFlight = undefined;
    fragment.inFlight = false;
    this.outstanding -= fragment.size;
  }

  /**
   * Call after all acknowledgements of a packet: each fragment that was sent before the latest
   * acknowledged one gets a negative acknowledgement; the third one makes it lost.
   *
   * @returns -1 if there was none, otherwise how many fragments are lost now
   */
  countNaks(): number {
    const highest = this.#highestAcked;
    let lost = -1;
    let fragment = this.#first;
    if (highest === 0) return lost;
    this.#highestAcked = 0;
    while (fragment && fragment.tsn < highest) {
      const later: OutgoingFragment | undefined = fragment.laterInFlight;
      if (lost < 0) lost = 0;
      if (++fragment.naks >= NAKS) {
        this.#lose(fragment);
        lost++;
      }
      fragment = later;
    }
    return lost;
  }

  /**
   * Counts all fragments in flight as lost, after a time-out.
   *
   * @returns whether any was in flight
   */
  loseAll(): boolean {
    const any = this.#first !== undefined;
    while (this.#first) this.#lose(this.#first);
    return any;
  }

  #lose(fragment: OutgoingFragment): void {
    this.remove(fragment);
    this.lost++;
    fragment.flow!.onLost(fragment);
  }
}
