import { ChunkWriter, type Outgoing } from "./chunk_writer.ts";
import { ControlType } from "./control.ts";
import { RtmpError } from "./rtmp_error.ts";

/** What a message that waits costs besides its bytes. */
const MESSAGE = 100;
/** When so many places are done with, the others move up. */
const DONE = 64;
/** Control messages that wait: a far end that reads none, and asks for more, is let go. */
const MAX_URGENT = 64;

/** Type of video messages, which {@link OutQueue.abandon} counts. */
const VIDEO = 9;

/** What waits of one message stream. */
export class Lane {
  /** Bytes of audio and video that was not begun, with what it costs to keep it. */
  queuedBytes = 0;
  /** The same of all else. */
  queuedDataBytes = 0;

  /** @param onWritten a frame of media has been handed out up to its last byte */
  constructor(readonly onWritten?: (message: Outgoing) => void) {}
}

/** A message that waits for its turn. */
interface Waiting extends Outgoing {
  readonly lane: Lane;
  /** Audio or video, which is worth less the later it comes. */
  readonly media: boolean;
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
  readonly #raw: Uint8Array[] = [];
  /** Protocol control, which overtakes what waits. */
  readonly #urgent: Outgoing[] = [];
  readonly #queue: (Waiting | undefined)[] = [];
  #first = 0;
  /** The one that is being written. */
  #current: Waiting | undefined;
  #handedOut = 0;

  /** Bytes handed out since the start. */
  get handedOut(): number {
    return this.#handedOut;
  }

  get empty(): boolean {
    return this.#raw.length === 0 && this.#urgent.length === 0 && this.#writer.idle &&
      this.#first === this.#queue.length;
  }

  /** Since when the oldest message waits that is not handed out whole; undefined: none waits. */
  get waitingSince(): number | undefined {
    if (this.#current) return this.#current.since;
    for (let i = this.#first; i < this.#queue.length; i++) {
      const waiting = this.#queue[i];
      if (waiting) return waiting.since;
    }
    return undefined;
  }

  raw(bytes: Uint8Array): void {
    this.#raw.push(bytes);
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

  /** Queues a message, whose payload nobody changes any more. */
  send(message: Outgoing, lane: Lane, media: boolean, since: number): void {
    const { chunkStream, type, timestamp, stream, payload } = message;
    this.#queue.push({ chunkStream, type, timestamp, stream, payload, lane, media, since });
    if (media) lane.queuedBytes += payload.length + MESSAGE;
    else lane.queuedDataBytes += payload.length + MESSAGE;
  }

  /**
   * Gives up the media of a lane that was not begun to be written.
   * @returns how many video frames that were
   */
  abandon(lane: Lane): number {
    let frames = 0;
    for (let i = this.#first; i < this.#queue.length; i++) {
      const waiting = this.#queue[i];
      if (!waiting?.media || waiting.lane !== lane) continue;
      this.#leave(waiting);
      this.#queue[i] = undefined;
      if (waiting.type === VIDEO) frames++;
    }
    return frames;
  }

  /**
   * Writes what waits into a block as far as it fits.
   * @returns how many bytes were written
   */
  fill(block: Uint8Array): number {
    let at = this.#fillRaw(block);
    while (this.#raw.length === 0) {
      at = this.#writer.write(block, at);
      if (!this.#writer.idle) break; // the block is full
      const done = this.#current;
      this.#current = undefined;
      if (done?.media) done.lane.onWritten?.(done);
      if (!this.#next()) break;
    }
    this.#handedOut += at;
    return at;
  }

  #fillRaw(block: Uint8Array): number {
    let at = 0;
    while (this.#raw.length > 0 && at < block.length) {
      const bytes = this.#raw[0];
      const part = bytes.subarray(0, block.length - at);
      block.set(part, at);
      at += part.length;
      if (part.length === bytes.length) this.#raw.shift();
      else this.#raw[0] = bytes.subarray(part.length);
    }
    return at;
  }

  /** Begins the next message; false if none waits. */
  #next(): boolean {
    const urgent = this.#urgent.shift();
    if (urgent) {
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
      this.#writer.begin(waiting);
      return true;
    }
    return false;
  }

  #leave({ lane, media, payload }: Waiting): void {
    if (media) lane.queuedBytes -= payload.length + MESSAGE;
    else lane.queuedDataBytes -= payload.length + MESSAGE;
  }
}
