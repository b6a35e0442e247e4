import type { Writer } from "../../bytes/writer.ts";
import { writeRangeAck } from "../wire/ack.ts";
import { writeChunk } from "../wire/chunk.ts";
import { flowException } from "../wire/flow_exception.ts";
import type { UserData } from "../wire/user_data.ts";
import type { BufferPool } from "./buffer_pool.ts";
import type { FlowReceiver } from "./handlers.ts";
import { Reassembly } from "./reassembly.ts";
import { SeenNumbers } from "./seen_numbers.ts";
import type { SendFlow } from "./send_flow.ts";

/** Maximum distance of a sequence number from the cumulative one; beyond it the session ends. */
const MAX_AHEAD = 100_000;
/** Memory for one of the two numbers of a run, in bytes. */
const NUMBER_BYTES = 8;
/** Maximum number of runs after a gap; a fragment that would start one more counts as lost. */
const MAX_RANGES = 128;

/** The part of a session that a receiving flow uses. */
export interface ReceiveHost {
  readonly buffers: BufferPool;
  /** Maximum length of a message in bytes. */
  readonly maxMessage: number;
  /**
   * Counts memory that the peer makes the session hold, in bytes; negative when
   * it is released. It only counts, so that callers can continue.
   */
  hold(bytes: number): void;
  /** An acknowledgement of the flow is due, at once or with the second packet from now. */
  acknowledge(flow: ReceiveFlow, atOnce: boolean): void;
  /** The peer exceeds a limit: the session is to end when the packet has been taken. */
  violated(): void;
  /** The flow is over. */
  complete(flow: ReceiveFlow): void;
}

/** A flow of messages from the peer. RFC 7016 §3.6.3. */
export class ReceiveFlow {
  /** Maximum number of bytes that the peer may have in flight; flows for media need some 100 kB more. */
  bufferCapacity = 127 * 1024;
  receivedFragments = 0;
  /** Fragments that the sender abandoned. */
  lostFragments = 0;
  /** The next flow whose acknowledgement is due; the session links them. */
  nextToAcknowledge: ReceiveFlow | undefined;
  toAcknowledge = false;
  receiver: FlowReceiver | undefined;
  #state: "open" | "rejected" | "complete" = "open";
  readonly #seen = new SeenNumbers();
  readonly #reassembly: Reassembly;
  #heldForRanges = 0;
  #final = Infinity;
  #exception = -1;
  #advertisedBlocks = 127;

  constructor(
    readonly id: number,
    /** Metadata of the flow, which tells its purpose. */
    readonly metadata: Uint8Array,
    /** The own flow that this one answers. */
    readonly association: SendFlow | undefined,
    readonly host: ReceiveHost,
  ) {
    this.#reassembly = new Reassembly(this);
  }

  get state(): "open" | "rejected" | "complete" {
    return this.#state;
  }

  /** Memory for numbers after a gap, in bytes; held after the end of the flow until it is forgotten. */
  get heldForRanges(): number {
    return this.#heldForRanges;
  }

  /** All numbers up to this one have arrived or were abandoned. */
  get cumulativeAck(): number {
    return this.#seen.cumulative;
  }

  /** Rejects the flow: drops all further fragments and asks the peer to end it. */
  reject(code = 0): void {
    if (this.#state !== "open") return;
    this.#state = "rejected";
    this.#exception = code;
    this.receiver = undefined;
    this.#reassembly.clear();
    this.host.acknowledge(this, true);
  }

  /** Takes a fragment. RFC 7016 §3.6.3.2, §3.6.3.3. */
  receive(chunk: UserData): void {
    const { sequence, fsn } = chunk;
    const seen = this.#seen;
    const gapBefore = seen.gap;
    const known = seen.has(sequence);
    if (sequence > seen.cumulative + MAX_AHEAD) {
      return this.host.violated();
    }
    let atOnce = known || chunk.abandoned || gapBefore || this.#state !== "open";
    if (chunk.final && this.#final === Infinity && sequence >= seen.cumulative) {
      this.#final = sequence;
      atOnce = true;
    }
    if (fsn > seen.cumulative) {
      this.lostFragments += seen.addUpTo(fsn) - (chunk.final && fsn === sequence ? 1 : 0);
    }
    const added = !known && sequence <= this.#final && seen.add(sequence, MAX_RANGES);
    if (added && !chunk.abandoned) {
      this.receivedFragments++;
      if (this.#state === "open") this.#reassembly.add(sequence, chunk.fragment, chunk.data);
    }
    if (seen.gap || this.#heldForRanges > 0) this.#holdRanges();
    if (seen.gap || this.#advertisedBlocks < 2 || this.#free < 1024) atOnce = true;
    this.host.acknowledge(this, atOnce);
    if (this.#state === "open") this.#reassembly.deliver(seen.cumulative);
    if (seen.cumulative >= this.#final) this.#complete();
  }

  /**
   * Writes the acknowledgement, and the exception before it if the flow is rejected.
   *
   * @returns false, and writes nothing, if there is no room
   */
  writeAcknowledgement(to: Writer): boolean {
    const start = to.at;
    if (this.#state === "rejected") {
      if (to.room < 24) return false;
      writeChunk(to, flowException, { flowId: this.id, code: this.#exception });
    }
    const blocks = Math.max(1, Math.ceil(this.#free / 1024));
    if (!writeRangeAck(to, this.id, blocks, this.#seen.cumulative, this.#seen.ranges)) {
      to.at = start;
      return false;
    }
    this.#advertisedBlocks = blocks;
    return true;
  }

  /** Delivers a whole message: a view, good until the call returns. */
  deliver(message: Uint8Array): void {
    this.receiver?.onMessage(message, this);
  }

  /** The session has ended. */
  abort(): void {
    this.receiver = undefined;
    this.#state = "complete";
    this.#reassembly.clear();
  }

  #holdRanges(): void {
    if (this.#state === "complete") return; // the session has ended
    const bytes = NUMBER_BYTES * this.#seen.ranges.length;
    const grown = bytes - this.#heldForRanges;
    this.#heldForRanges = bytes;
    if (grown !== 0) this.host.hold(grown);
  }

  get #free(): number {
    return this.bufferCapacity - this.#reassembly.waiting;
  }

  #complete(): void {
    if (this.#state === "complete") return;
    const receiver = this.receiver;
    this.#state = "complete";
    this.#reassembly.clear();
    this.receiver = undefined;
    this.host.complete(this);
    receiver?.onEnd?.(this);
  }
}
