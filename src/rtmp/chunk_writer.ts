// Writes messages as chunks. RTMP 1.0 §5.3, RTMP-107, RTMP-115.
import { Reader } from "../bytes/reader.ts";
import { DEFAULT_CHUNK_SIZE } from "./chunk_reader.ts";
import { ControlType } from "./control.ts";

const EXTENDED = 0xffffff;
/** Maximum length of a header: basic header of 1 byte, message header of 11, extended time of 4. */
const MAX_HEADER = 16;

/** A message to send. */
export interface OutgoingMessage {
  /** Chunk stream, 2 to 63. */
  readonly chunkStream: number;
  readonly type: number;
  /** Milliseconds modulo 2^32. */
  readonly timestamp: number;
  /** Message stream id. */
  readonly stream: number;
  readonly payload: Uint8Array;
}

/** Fields of the last header on a chunk stream; a linked list, as few chunk streams are used. */
interface LastHeader {
  readonly chunkStream: number;
  stream: number;
  timestamp: number;
  readonly next: LastHeader | undefined;
}

/**
 * Writes one message after the other into blocks of any size. A new message has a header of format 0
 * or 1, never 2 or 3: readers disagree on what format 3 adds to the time. RTMP-107.
 */
export class ChunkWriter {
  /** Payload bytes per chunk; writing Set Chunk Size changes it. */
  #chunkSize = DEFAULT_CHUNK_SIZE;
  #last: LastHeader | undefined;
  #message: OutgoingMessage | undefined;
  /** Number of its payload bytes written, and of bytes left in its chunk. */
  #written = 0;
  #left = 0;
  /** The header of the message is written. */
  #begun = false;
  #extended = false;

  /** Whether no message is being written. */
  get idle(): boolean {
    return this.#message === undefined;
  }

  /** Takes the next message; only when {@link idle}. */
  begin(message: OutgoingMessage): void {
    this.#message = message;
    this.#written = 0;
    this.#left = 0;
    this.#begun = false;
  }

  /**
   * Writes as much of the message as fits into a block, from offset `at` on.
   * @returns the offset after it
   */
  write(block: Uint8Array, at: number): number {
    const message = this.#message;
    if (!message) return at;
    const { payload } = message;
    for (;;) {
      if (this.#left === 0) {
        if (this.#begun && this.#written === payload.length) {
          this.#end(message);
          return at;
        }
        if (block.length - at < MAX_HEADER) return at;
        at = this.#header(message, block, at);
        this.#left = Math.min(this.#chunkSize, payload.length - this.#written);
        continue;
      }
      const count = Math.min(this.#left, block.length - at);
      if (count === 0) return at;
      const isAll = count === payload.length;
      block.set(isAll ? payload : payload.subarray(this.#written, this.#written + count), at);
      at += count;
      this.#written += count;
      this.#left -= count;
    }
  }

  #end({ type, payload }: OutgoingMessage): void {
    this.#message = undefined;
    if (type === ControlType.setChunkSize) this.#chunkSize = new Reader(payload).u32();
  }

  #header(message: OutgoingMessage, block: Uint8Array, at: number): number {
    const { chunkStream, type, timestamp, stream, payload } = message;
    if (this.#begun) {
      block[at++] = 0xc0 | chunkStream;
      return this.#extended ? put32(block, at, timestamp) : at;
    }
    this.#begun = true;
    const last = this.#lastOf(chunkStream);
    const delta = last ? timestamp - last.timestamp : -1;
    const full = !last || last.stream !== stream || delta < 0 || delta >= EXTENDED;
    const time = full ? timestamp : delta;
    this.#extended = time >= EXTENDED;
    if (last) {
      last.stream = stream;
      last.timestamp = timestamp;
    } else this.#last = { chunkStream, stream, timestamp, next: this.#last };
    block[at++] = (full ? 0 : 0x40) | chunkStream;
    at = put24(block, at, this.#extended ? EXTENDED : time);
    at = put24(block, at, payload.length);
    block[at++] = type;
    if (full) { // little-endian, unlike all others
      block[at++] = stream;
      block[at++] = stream >>> 8;
      block[at++] = stream >>> 16;
      block[at++] = stream >>> 24;
    }
    return this.#extended ? put32(block, at, time) : at;
  }

  #lastOf(chunkStream: number): LastHeader | undefined {
    let last = this.#last;
    while (last && last.chunkStream !== chunkStream) last = last.next;
    return last;
  }
}

function put24(block: Uint8Array, at: number, value: number): number {
  block[at] = value >>> 16;
  block[at + 1] = value >>> 8;
  block[at + 2] = value;
  return at + 3;
}

function put32(block: Uint8Array, at: number, value: number): number {
  block[at] = value >>> 24;
  return put24(block, at + 1, value);
}
