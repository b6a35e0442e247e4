// Flows of the load generator: only what RFC 7016 §3.6 requires, at the lowest cost.
import { Fragment, UserData } from "../../src/rtmfp/wire/user_data.ts";
import type { Ack } from "../../src/rtmfp/wire/ack.ts";
import { writeFlowOptions } from "../../src/rtmfp/wire/flow_options.ts";

/** Bytes of a fragment, so that a packet has at most 1,192 bytes. */
const PIECE = 1100;
/** Milliseconds until unacknowledged data is sent again. */
const RESEND_TIMEOUT = 300;
/** Number of acknowledgements of later fragments after which a fragment counts as lost. */
const MAX_NAKS = 3;

/** A fragment that is not acknowledged. */
export interface Sent {
  readonly sequence: number;
  readonly part: Fragment;
  readonly data: Uint8Array;
  /** When it was last sent (ms, `performance.now()`). */
  at: number;
  /** Acknowledgements of later fragments since then. */
  naks: number;
}

/** A sending flow. It sends at once, without congestion control. */
export class OutFlow {
  readonly #options: Uint8Array;
  #known = false;
  #next = 1;
  #sent: Sent[] = [];
  /** Fragments sent again. */
  resent = 0;

  constructor(
    readonly id: number,
    metadata: Uint8Array,
    association: number | undefined,
    readonly transmit: (flow: OutFlow, sent: Sent) => void,
  ) {
    this.#options = writeFlowOptions({ metadata, association });
  }

  /** Sends a message at once, and keeps the bytes, which must not change. */
  write(message: Uint8Array, now: number): void {
    for (let at = 0; at === 0 || at < message.length; at += PIECE) {
      const last = at + PIECE >= message.length;
      const part = at === 0
        ? last ? Fragment.whole : Fragment.begin
        : last
        ? Fragment.end
        : Fragment.middle;
      const data = message.subarray(at, at + PIECE);
      const sent = { sequence: this.#next++, part, data, at: now, naks: 0 };
      this.#sent.push(sent);
      this.transmit(this, sent);
    }
  }

  /** Sets the fields of `chunk` for a fragment. */
  fill(chunk: UserData, { sequence, part, data }: Sent): UserData {
    chunk.flowId = this.id;
    chunk.sequence = sequence;
    chunk.fsn = (this.#sent[0]?.sequence ?? this.#next) - 1;
    chunk.fragment = part;
    chunk.abandoned = false;
    chunk.final = false;
    chunk.options = this.#known ? undefined : this.#options;
    chunk.data = data;
    return chunk;
  }

  acknowledge({ cumulativeAck, ranges }: Ack, now: number): void {
    this.#known = true;
    const highest = ranges.at(-1) ?? cumulativeAck;
    let range = 0;
    this.#sent = this.#sent.filter(({ sequence }) => {
      if (sequence <= cumulativeAck) return false;
      while (range < ranges.length && ranges[range + 1]! < sequence) range += 2;
      return !(range < ranges.length && ranges[range]! <= sequence);
    });
    for (const sent of this.#sent) {
      if (sent.sequence > highest) break;
      if (++sent.naks >= MAX_NAKS) this.#again(sent, now);
    }
  }

  /** Resends data after {@link RESEND_TIMEOUT}. @returns when to call again (ms, `performance.now()`) */
  tick(now: number): number {
    const [oldest] = this.#sent;
    if (!oldest) return Infinity;
    for (const sent of this.#sent.slice(0, 16)) {
      if (now - sent.at >= RESEND_TIMEOUT) this.#again(sent, now);
    }
    return oldest.at + RESEND_TIMEOUT;
  }

  #again(sent: Sent, now: number): void {
    sent.at = now;
    sent.naks = 0;
    this.resent++;
    this.transmit(this, sent);
  }
}

/** Receives the fragments of a flow in order; `data` is valid during the call. */
export type Sink = (part: Fragment, data: Uint8Array) => void;

/** A receiving flow: passes on data that is in order at once, and keeps data that came early. */
export class InFlow {
  /** The last sequence number up to which each fragment has arrived or was abandoned. */
  cumulative = 0;
  /** Ranges received beyond {@link cumulative}, as {@link Ack.ranges}. */
  readonly ranges: number[] = [];
  /** An acknowledgement is due. */
  pending = false;
  /** Early fragments; null: abandoned by the sender. */
  readonly #early = new Map<number, { part: Fragment; data: Uint8Array } | null>();
  #final = Infinity;

  constructor(readonly id: number, readonly sink: Sink) {}

  get finished(): boolean {
    return this.cumulative >= this.#final;
  }

  /** @returns whether the acknowledgement must not wait */
  receive({ sequence, fsn, fragment, abandoned, final, data }: UserData): boolean {
    if (final) this.#final = sequence;
    if (sequence === this.cumulative + 1 && this.#early.size === 0 && !abandoned) {
      this.cumulative = sequence;
      this.sink(fragment, data);
      return final;
    }
    if (sequence > this.cumulative && !this.#early.has(sequence)) {
      this.#early.set(sequence, abandoned ? null : { part: fragment, data: data.slice() });
    }
    this.#advance(fsn);
    return true;
  }

  #advance(fsn: number): void {
    while (true) {
      const next = this.cumulative + 1;
      const early = this.#early.get(next);
      if (early === undefined && next > fsn) break;
      this.#early.delete(next);
      if (early) this.sink(early.part, early.data);
      this.cumulative = next;
    }
    this.ranges.length = 0;
    if (this.#early.size === 0) return;
    for (const sequence of [...this.#early.keys()].sort((a, b) => a - b)) {
      const { ranges } = this;
      if (ranges.length > 0 && ranges[ranges.length - 1] === sequence - 1) {
        ranges[ranges.length - 1] = sequence;
      } else {
        ranges.push(sequence, sequence);
      }
    }
  }
}

/** @returns a sink that assembles messages, for flows with little data */
export function assembling(deliver: (message: Uint8Array) => void): Sink {
  let parts: Uint8Array[] = [];
  return (part, data) => {
    if (part === Fragment.whole) return deliver(data);
    if (part === Fragment.begin) parts = [];
    parts.push(data.slice());
    if (part !== Fragment.end) return;
    const message = new Uint8Array(parts.reduce((length, { length: more }) => length + more, 0));
    let at = 0;
    for (const piece of parts) {
      message.set(piece, at);
      at += piece.length;
    }
    deliver(message);
  };
}
