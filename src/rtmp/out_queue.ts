import { concat } from "../bytes/concat.ts";
import { ChunkWriter, type Outgoing } from "./chunk_writer.ts";
import { ControlType } from "./control.ts";
import { RtmpError } from "./rtmp_error.ts";

/** Number of finished entries at the front after which the array is compacted. */
const DONE = 64;
/** Control messages that wait: a far end that reads none, and asks for more, is let go. */
const MAX_URGENT = 64;

/** Messages of one kind on one message stream, as far as they wait. */
export interface Lane {
  /** Audio or video: whole messages may be given up. */
  readonly media: boolean;
  /** Bytes of messages that were not begun. */
  queuedBytes: number;
  /** Messages that were not begun. */
  queuedMessages: number;
  /** A message has been handed out up to its last byte. */
  onHandedOut(message: Outgoing): void;
}

/** A message that waits for its turn. */
interface Waiting {
  readonly message: Outgoing;
  readonly lane: Lane;
  /** When it was queued, in milliseconds. */
  readonly since: number;
}

/**
 * Messages on their way to one far end, as references: chunks are made of them only as they are
 * handed out, so that a frame that waits for many listeners is kept once. Whole messages are given
 * up, never a part of one. RTMP-709, RTMP-760.
 */
export class OutQueue {
  readonly #writer = new ChunkWriter();
  /** Bytes of the handshake, which go before all chunks. */
  #raw: Uint8Array | undefined;
  /** Protocol control, which overtakes what waits. */
  readonly #urgent: Outgoing[] = [];
  readonly #queue: (Waiting | undefined)[] = [];
  #first = 0;
  /** The one that is being written. */
  #current: Waiting | undefined;
  #handedOut = 0;
  #queuedBytes = 0;
  /** Messages besides media that were not begun. */
  #commands = 0;
  /** The handshake is complete: queued messages may be sent. */
  open = false;

  /** Bytes handed out since the start. */
  get handedOut(): number {
    return this.#handedOut;
  }

  /** Bytes of messages that were not begun. */
  get queuedBytes(): number {
    return this.#queuedBytes;
  }

  /** Whether something besides media waits, which must not be held up. */
  get pressing(): boolean {
    return this.#raw !== undefined || this.#urgent.length > 0 || this.#commands > 0;
  }

  get empty(): boolean {
    return this.#raw === undefined && this.#urgent.length === 0 && this.#writer.idle &&
      this.#first === this.#queue.length;
  }

  /** Since when the oldest of a lane waits that was not begun; undefined: none does. */
  waitingSince(lane: Lane): number | undefined {
    if (lane.queuedMessages === 0) return undefined;
    for (let i = this.#first; i < this.#queue.length; i++) {
      const waiting = this.#queue[i];
      if (waiting?.lane === lane) return waiting.since;
    }
    return undefined;
  }

  /** Time since which the oldest message other than media has waited or is being written. */
  get reliableSince(): number | undefined {
    if (this.#current && !this.#current.lane.media) return this.#current.since;
    for (let i = this.#first; i < this.#queue.length; i++) {
      const waiting = this.#queue[i];
      if (waiting && !waiting.lane.media) return waiting.since;
    }
    return undefined;
  }

  raw(bytes: Uint8Array): void {
    this.#raw = this.#raw ? concat([this.#raw, bytes]) : bytes;
  }

  /**
   * Queues protocol control; of acknowledgements that wait only the last is kept.
   * @throws {RtmpError} if too many wait
   */
  urgent(message: Outgoing): void {
    const urgent = this.#urgent;
    if (message.type === ControlType.acknowledgement) {
      const at = urgent.findIndex(({ type }) => type === message.type);
      if (at >= 0) {
        urgent[at] = message;
        return;
      }
    }
    if (urgent.length >= MAX_URGENT) {
      throw new RtmpError("not reading", "Cannot keep more control messages for a far end");
    }
    urgent.push(message);
  }

  /** Queues a message; the caller must not change its payload afterwards. */
  send(message: Outgoing, lane: Lane, since: number): void {
    const { length } = message.payload;
    this.#queue.push({ message, lane, since });
    this.#queuedBytes += length;
    lane.queuedBytes += length;
    lane.queuedMessages++;
    if (!lane.media) this.#commands++;
  }

  /**
   * Gives up the messages of a lane that were not begun.
   * @returns how many
   */
  abandon(lane: Lane): number {
    const count = lane.queuedMessages;
    for (let i = this.#first; i < this.#queue.length; i++) {
      const waiting = this.#queue[i];
      if (waiting?.lane !== lane) continue;
      this.#leave(waiting);
      this.#queue[i] = undefined;
    }
    return count;
  }

  /**
   * Writes what waits into a block as far as it fits.
   * @returns how many bytes were written
   */
  fill(block: Uint8Array): number {
    const before = this.#handedOut;
    let at = this.#fillRaw(block);
    while (this.open && this.#raw === undefined) {
      at = this.#writer.write(block, at);
      if (!this.#writer.idle) break; // the block is full
      const done = this.#current;
      this.#current = undefined;
      this.#handedOut = before + at;
      done?.lane.onHandedOut(done.message);
      if (!this.#next()) break;
    }
    this.#handedOut = before + at;
    return at;
  }

  #fillRaw(block: Uint8Array): number {
    const raw = this.#raw;
    if (!raw) return 0;
    const part = raw.subarray(0, block.length);
    block.set(part);
    this.#raw = part.length < raw.length ? raw.subarray(part.length) : undefined;
    return part.length;
  }

  /** Begins the next message; false if none waits. */
  #next(): boolean {
    const urgent = this.#urgent.shift();
    if (urgent) {
      if (this.#urgent.length === 0) this.#urgent.length = 0; // frees the room of its items
      this.#writer.begin(urgent);
      return true;
    }
    const queue = this.#queue;
    while (this.#first < queue.length) {
      const waiting = queue[this.#first];
      queue[this.#first++] = undefined;
      if (this.#first === queue.length) this.#first = queue.length = 0;
      else if (this.#first >= DONE) {
        queue.copyWithin(0, this.#first);
        queue.length -= this.#first;
        this.#first = 0;
      }
      if (!waiting) continue;
      this.#leave(waiting);
      this.#current = waiting;
      this.#writer.begin(waiting.message);
      return true;
    }
    return false;
  }

  #leave({ lane, message: { payload } }: Waiting): void {
    this.#queuedBytes -= payload.length;
    lane.queuedBytes -= payload.length;
    lane.queuedMessages--;
    if (!lane.media) this.#commands--;
  }
}
