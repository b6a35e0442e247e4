import { Fragment as Part } from "../wire/user_data.ts";
import type { FragmentPool, OutgoingFragment } from "./fragment.ts";

/**
 * The messages of a flow that wait for room in a packet. They are whole and have no sequence numbers yet, except that pieces of the first may have been
 * split off. RFC 7016 §3.6.2.2.
 */
export class MessageQueue {
  /** Bytes that wait. */
  bytes = 0;
  /** Messages that wait; the first counts until its last piece is taken. */
  messages = 0;
  #first: OutgoingFragment | undefined;
  #last: OutgoingFragment | undefined;
  readonly #fragments: FragmentPool;

  constructor(fragments: FragmentPool) {
    this.#fragments = fragments;
  }

  /** The next message, or its unsent rest. */
  get first(): OutgoingFragment | undefined {
    return this.#first;
  }

  add(message: OutgoingFragment): void {
    if (this.#last) this.#last.next = message;
    else this.#first = message;
    this.#last = message;
    this.bytes += message.end - message.start;
    this.messages++;
  }

  /** Cuts `length` bytes off the first message. */
  split(length: number): OutgoingFragment {
    const rest = this.#first!;
    const piece = this.#fragments.take();
    piece.flow = rest.flow;
    piece.bytes = rest.bytes;
    piece.start = rest.start;
    piece.end = rest.start += length;
    piece.message = rest.message;
    piece.stamp = rest.stamp;
    piece.reliable = rest.reliable;
    piece.part = rest.begun ? Part.middle : Part.begin;
    rest.begun = true;
    rest.part = Part.end;
    this.bytes -= length;
    return piece;
  }

  /** Removes the first message, or its unsent rest. */
  shift(): OutgoingFragment {
    const message = this.#first!;
    this.#first = message.next;
    if (!this.#first) this.#last = undefined;
    this.bytes -= message.end - message.start;
    this.messages--;
    return message;
  }

  /**
   * Drops the messages of which nothing was sent.
   *
   * @returns their number
   */
  dropUnbegun(): number {
    const begun = this.#first?.begun ? this.#first : undefined;
    let dropped = begun ? begun.next : this.#first;
    let count = 0;
    while (dropped) {
      const next: OutgoingFragment | undefined = dropped.next;
      this.bytes -= dropped.end - dropped.start;
      this.#fragments.give(dropped);
      dropped = next;
      count++;
    }
    this.messages -= count;
    this.#first = this.#last = begun;
    if (begun) begun.next = undefined;
    return count;
  }

  /** Drops all messages; calls no handler. */
  clear(): void {
    for (let message = this.#first; message;) {
      const next: OutgoingFragment | undefined = message.next;
      this.#fragments.give(message);
      message = next;
    }
    this.#first = this.#last = undefined;
    this.bytes = this.messages = 0;
  }
}
