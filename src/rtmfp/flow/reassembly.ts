import { Fragment as Part } from "../wire/user_data.ts";
import type { ReceiveFlow } from "./receive_flow.ts";

/** Memory that a waiting fragment takes besides its data, in bytes. */
const RECORD = 200;

/** A fragment that waits for one before it. */
interface Waiting {
  readonly part: Part;
  readonly data: Uint8Array;
}

/**
 * Puts the fragments of a flow in order and messages together. RFC 7016 §3.6.3.3.
 *
 * A message in one fragment is passed on as a view. The fragments of a longer one are appended to a
 * buffer as they arrive; only fragments that arrive too early are kept separately.
 */
export class Reassembly {
  /** Bytes of fragments that wait for an earlier one. */
  waiting = 0;
  /** By sequence number, in order of arrival. */
  #early: Map<number, Waiting> | undefined;
  /** The sequence number after the last fragment taken in order. */
  #next = 1;
  /** The incomplete message; its first #length bytes have arrived. */
  #message: Uint8Array | undefined;
  #length = 0;
  readonly #flow: ReceiveFlow;

  constructor(flow: ReceiveFlow) {
    this.#flow = flow;
  }

  /** Takes a fragment that was not seen before; `data` is a view, good until the call returns. */
  add(sequence: number, part: Part, data: Uint8Array): void {
    if (sequence < this.#next) return;
    if (sequence === this.#next && !this.#early) return this.#take(sequence, part, data);
    const size = data.length + RECORD;
    this.waiting += data.length;
    this.#flow.host.hold(size);
    (this.#early ??= new Map()).set(sequence, { part, data: data.slice() });
  }

  /** All numbers up to `cumulative` have arrived or are abandoned: delivers what waited for them. */
  deliver(cumulative: number): void {
    const early = this.#early;
    if (early) {
      for (const sequence of numbersTo(cumulative, this.#next, early)) {
        const waiting = early.get(sequence);
        if (!waiting) continue; // abandoned, or the message before ended the flow
        const { part, data } = waiting;
        early.delete(sequence);
        this.waiting -= data.length;
        this.#flow.host.hold(-data.length - RECORD);
        this.#take(sequence, part, data);
      }
      if (early.size === 0 && this.#early === early) this.#early = undefined;
    }
    if (this.#next <= cumulative) { // the rest of the message was abandoned
      this.#drop();
      this.#next = cumulative + 1;
    }
  }

  /** Drops everything. */
  clear(): void {
    this.#drop();
    const early = this.#early;
    if (early) {
      for (const { data } of early.values()) this.#flow.host.hold(-data.length - RECORD);
      early.clear();
      this.#early = undefined;
    }
    this.waiting = 0;
  }

  /** Takes the next fragment in order: none will come before it. */
  #take(sequence: number, part: Part, data: Uint8Array): void {
    const follows = sequence === this.#next;
    this.#next = sequence + 1;
    if (!follows || part === Part.whole || part === Part.begin) this.#drop();
    if (part === Part.whole) {
      this.#flow.deliver(data);
    } else if (part === Part.begin) {
      this.#append(data);
    } else if (this.#message) {
      this.#append(data);
      if (part === Part.end && this.#message) this.#finish();
    } // else its beginning was abandoned
  }

  #append(data: Uint8Array): void {
    const { host } = this.#flow;
    const length = this.#length + data.length;
    if (length > host.maxMessage) {
      this.#drop();
      return this.#flow.reject();
    }
    let message = this.#message;
    if (!message || length > message.length) {
      const larger = host.buffers.take(Math.max(length, 2 * (message?.length ?? 2048)));
      if (message) larger.set(message.subarray(0, this.#length));
      const grown = larger.length - (message?.length ?? 0);
      if (message) host.buffers.give(message);
      this.#message = message = larger;
      host.hold(grown);
    }
    message.set(data, this.#length);
    this.#length = length;
  }

  #finish(): void {
    const message = this.#message!;
    const length = this.#length;
    this.#message = undefined;
    this.#length = 0;
    this.#flow.host.hold(-message.length);
    this.#flow.deliver(message.subarray(0, length));
    this.#flow.host.buffers.give(message);
  }

  #drop(): void {
    const message = this.#message;
    if (!message) return;
    this.#message = undefined;
    this.#length = 0;
    this.#flow.host.hold(-message.length);
    this.#flow.host.buffers.give(message);
  }
}

/** Ascending numbers from `first` up to `cumulative`, including those of all waiting fragments. */
function numbersTo(
  cumulative: number,
  first: number,
  early: ReadonlyMap<number, Waiting>,
): Iterable<number> {
  if (cumulative - first < 4 * early.size) return range(first, cumulative);
  return [...early.keys()].filter((number) => number <= cumulative).sort((a, b) => a - b);
}

function* range(first: number, last: number): Generator<number> {
  for (let number = first; number <= last; number++) yield number;
}
