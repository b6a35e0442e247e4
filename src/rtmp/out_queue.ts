import { concat } from "../bytes/concat.ts";
import { ChunkWriter, type OutgoingMessage } from "./chunk_writer.ts";
import { ControlType } from "./control.ts";
import { RtmpError } from "./rtmp_error.ts";

/** Number of finished entries at the front after which the array is compacted. */
const DONE = 64;
/** Maximum number of waiting control messages; one more closes the connection of a far end that does not read. */
const MAX_URGENT = 64;

/** The waiting messages of one kind on one message stream. */
export interface Lane {
  /** Audio or video: whole messages may be dropped. */
  readonly media: boolean;
  /** Bytes of messages of which nothing was handed out. */
  queuedBytes: number;
  /** Number of these messages. */
  queuedMessages: number;
  /** A message has been handed out up to its last byte. */
  onHandedOut(message: OutgoingMessage): void;
}

/** A waiting message. */
interface Waiting {
  readonly message: OutgoingMessage;
  readonly lane: Lane;
  /** Time at which it was queued, in milliseconds. */
  readonly since: number;
}

/**
 * Messages for one far end, as references: chunks are made only when they are handed out, so that a
 * frame for many listeners is in memory once. Only whole messages are dropped. RTMP-709, RTMP-760.
 */
export class OutQueue {
  readonly #writer = new ChunkWriter();
  /** Bytes of the handshake, which go before all chunks. */
  #raw: Uint8Array | undefined;
  /** Protocol control, which is sent before other messages. */
  readonly #urgent: OutgoingMessage[] = [];
  readonly #queue: (Waiting | undefined)[] = [];
  #first = 0;
  /** The message being written. */
  #current: Waiting | undefined;
  #handedOut = 0;
  #queuedBytes = 0;
  /** Number of messages other than media of which nothing was handed out. */
  #commands = 0;
  /** The handshake is complete: queued messages may be sent. */
  open = false;

  /** Bytes handed out since the start. */
  get handedOut(): number {
    return this.#handedOut;
  }

  /** Bytes of messages of which nothing was handed out. */
  get queuedBytes(): number {
    return this.#queuedBytes;
  }

  /** Whether messages other than media wait, which must not be delayed. */
  get pressing(): boolean {
    return this.#raw !== undefined || this.#urgent.length > 0 || this.#commands > 0;
  }

  get empty(): boolean {
    return this.#raw === undefined && this.#urgent.length === 0 && this.#writer.idle &&
      this.#first === this.#queue.length;
  }

  /** Time (ms) since which the oldest message of a lane waits untouched; undefined: there is none. */
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
   * Queues protocol control; a new acknowledgement replaces a waiting one.
   * @throws {RtmpError} if too many wait
   */
  urgent(message: OutgoingMessage): void {
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
  send(message: OutgoingMessage, lane: Lane, since: number): void {
    const { length } = message.payload;
    this.#queue.push({ message, lane, since });
    this.#queuedBytes += length;
    lane.queuedBytes += length;
    lane.queuedMessages++;
    if (!lane.media) this.#commands++;
  }

  /**
   * Drops the messages of a lane of which nothing was handed out.
   * @returns their number
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
   * Writes as many waiting bytes as fit into a block.
   * @returns the number of bytes written
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
      if (this.#urgent.length === 0) this.#urgent.length = 0; // frees the memory of its items
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
