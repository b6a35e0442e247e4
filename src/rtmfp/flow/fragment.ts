import { Fragment as Part } from "../wire/user_data.ts";
import type { SendFlow } from "./send_flow.ts";

const EMPTY = new Uint8Array(0);

/**
 * A piece of a message that waits to be sent or acknowledged. A message starts as one of these;
 * the part that fits a packet is split off when it is sent. RFC 7016 §3.6.2.
 *
 * The records are links of the lists they are in, and are reused.
 */
export class OutgoingFragment {
  flow: SendFlow | undefined;
  /** The message, shared by all flows that send it; the piece is `bytes[start..end)`. */
  bytes: Uint8Array = EMPTY;
  start = 0;
  end = 0;
  part: Part = Part.whole;
  /** Replaces the u32 after the first byte of the message when sent; -1: sends the message as it is. */
  stamp = -1;
  /** Number of the message in its flow; the same in all its pieces. */
  message = 0;
  /** Sequence number from 1; 0 until it is sent. */
  sequence = 0;
  reliable = true;
  /** The pieces before this one have been split off. */
  begun = false;
  abandoned = false;
  /** It was sent as abandoned. */
  sentAbandoned = false;
  /** It ends the flow. */
  final = false;
  everSent = false;
  inFlight = false;
  /** Number of later transmissions that were acknowledged before it. */
  naks = 0;
  /** Length in bytes of the chunk it was sent in. */
  size = 0;
  /** The number of its last transmission in the session. */
  tsn = 0;
  /** The next one of the flow. */
  next: OutgoingFragment | undefined;
  earlierInFlight: OutgoingFragment | undefined;
  laterInFlight: OutgoingFragment | undefined;
}

/** Number of cached views of messages, 2^8. */
const PARTS = 256;
/** Maximum length (bytes) of a message whose views are cached. */
const MAX_CACHED_LENGTH = 32_768;

/** Pool of free records, and cache of views of messages. */
export class FragmentPool {
  #free: OutgoingFragment | undefined;
  #count = 0;
  readonly #messages: Uint8Array[] = new Array(PARTS).fill(EMPTY);
  readonly #starts: number[] = new Array(PARTS).fill(0);
  readonly #parts: Uint8Array[] = new Array(PARTS).fill(EMPTY);

  /** @param most maximum number of free records */
  constructor(readonly most = 65_536) {}

  take(): OutgoingFragment {
    const fragment = this.#free;
    if (!fragment) return new OutgoingFragment();
    this.#free = fragment.next;
    this.#count--;
    fragment.next = undefined;
    return fragment;
  }

  give(fragment: OutgoingFragment): void {
    if (this.#count >= this.most) return;
    fragment.flow = undefined;
    fragment.bytes = EMPTY;
    fragment.start = fragment.end = 0;
    fragment.part = Part.whole;
    fragment.stamp = -1;
    fragment.sequence = fragment.message = 0;
    fragment.reliable = true;
    fragment.begun =
      fragment.abandoned =
      fragment.sentAbandoned =
      fragment.final =
        false;
    fragment.everSent = fragment.inFlight = false;
    fragment.naks = 0;
    fragment.earlierInFlight = fragment.laterInFlight = undefined;
    fragment.next = this.#free;
    this.#free = fragment;
    this.#count++;
  }

  /**
   * The view `message[start..end)`. A message to many listeners is cut at the same places for most of
   * them, and making a view takes longer than copying its bytes.
   */
  part(message: Uint8Array, start: number, end: number): Uint8Array {
    const place = Math.imul(start + 7 * end, 0x9e3779b1) >>> 24;
    const known = this.#parts[place]!;
    if (
      this.#messages[place] === message && this.#starts[place] === start &&
      known.length === end - start
    ) return known;
    const part = message.subarray(start, end);
    if (message.length > MAX_CACHED_LENGTH) return part;
    this.#messages[place] = message;
    this.#starts[place] = start;
    return this.#parts[place] = part;
  }
}
