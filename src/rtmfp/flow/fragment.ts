import { Fragment as Part } from "../wire/user_data.ts";
import type { SendFlow } from "./send_flow.ts";

const EMPTY = new Uint8Array(0);

/**
 * A piece of a message that is to be sent, or was and is not acknowledged yet. Before anything of
 * a message is sent it is one of these; what is sent of it is split off. RFC 7016 §3.6.2.
 *
 * The records link themselves into the lists they are in and are used again.
 */
export class OutgoingFragment {
  flow: SendFlow | undefined;
  /** The message, shared by all flows that send it; the piece is `bytes[start..end)`. */
  bytes: Uint8Array = EMPTY;
  start = 0;
  end = 0;
  part: Part = Part.whole;
  /** Counts the messages of the flow: the same in all pieces of one. */
  message = 0;
  /** From 1; 0 as long as it is not sent. */
  sequence = 0;
  reliable = true;
  startBy = Infinity;
  finishBy = Infinity;
  /** The pieces before this one have been split off. */
  begun = false;
  abandoned = false;
  /** It went out as abandoned. */
  sentAbandoned = false;
  /** The end of the flow. */
  final = false;
  everSent = false;
  inFlight = false;
  /** How many later transmissions were acknowledged before it. */
  naks = 0;
  /** Bytes of the chunk it went out in. */
  size = 0;
  /** The number of its last transmission in the session. */
  tsn = 0;
  /** The next one of the flow. */
  next: OutgoingFragment | undefined;
  earlierInFlight: OutgoingFragment | undefined;
  laterInFlight: OutgoingFragment | undefined;
}

/** Records that nobody uses now. */
export class FragmentPool {
  #free: OutgoingFragment | undefined;
  #count = 0;

  /** @param most how many to keep at most */
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
    fragment.sequence = fragment.message = 0;
    fragment.reliable = true;
    fragment.startBy = fragment.finishBy = Infinity;
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
}
