// Reads chunks into messages. RTMP 1.0 §5.3, RTMP-101 to RTMP-119.
import { ControlType, type RtmpMessage } from "./control.ts";
import { RtmpError } from "./rtmp_error.ts";

/** Length of the message header in bytes by format of the chunk. */
const HEADER_LENGTHS = [11, 7, 3, 0] as const;
/** Marks a time that follows the header in 32 bits. */
const EXTENDED = 0xffffff;
/** Chunk size (bytes) until Set Chunk Size, and the minimum accepted. RTMP-108, RTMP-117. */
export const DEFAULT_CHUNK_SIZE = 128;
const MAX_CHUNK_SIZE = 1 << 24;

/** Maximum number of chunk streams, and maximum length (bytes) of command and of control messages. RTMP-118. */
const MAX_CHUNK_STREAMS = 64;
const MAX_COMMAND_BYTES = 1 << 20;
const MAX_CONTROL_BYTES = 1 << 10;

/** Maximum bytes of a message of media, and of all incomplete messages together. */
export interface MessageLimits {
  readonly message: number;
  readonly partial: number;
}

/** Limits of a client before `connect`, after it, and once it publishes. RTMP-018, RTMP-118. */
export const LIMITS = {
  stranger: { message: 64 << 10, partial: 128 << 10 },
  connected: { message: 4 << 20, partial: 8 << 20 },
  streaming: { message: 16 << 20, partial: 32 << 20 },
} as const satisfies Record<string, MessageLimits>;

/** A body of at most this length (bytes) is allocated at once; a longer one grows with received data. */
const SMALL_BODY = 4096;

const AUDIO = 8;
const VIDEO = 9;
const NO_BODY = new Uint8Array(0);

/** State of a chunk stream: its last header, and its incomplete message. */
class ChunkStream {
  type = 0;
  length = 0;
  stream = 0;
  timestamp = 0;
  /** Added to the time of a new message of format 3; 0 after format 0. RTMP-107. */
  delta = 0;
  /** The extended time of the last header; undefined if it had none. */
  extended: number | undefined;
  body: Uint8Array = NO_BODY;
  filled = 0;
  /** A message is incomplete. */
  open = false;

  /** @param next next in the list of all: for the few of a client, a map would take twice the memory */
  constructor(readonly id: number, readonly next: ChunkStream | undefined) {}
}

/**
 * The header being read: at most 3 + 11 + 4 bytes. All readers share these bytes; a reader keeps its own
 * between two pieces of input.
 */
const HEAD_BYTES = new Uint8Array(18);
const HEAD = new DataView(HEAD_BYTES.buffer);

/**
 * Reassembles messages. Takes bytes in pieces of any size; memory grows with received data, never with
 * the length that a header claims. RTMP-119.
 */
export class ChunkReader {
  #chunkSize = DEFAULT_CHUNK_SIZE;
  limits: MessageLimits = LIMITS.streaming;
  /** Number of incomplete messages dropped because another began on their chunk stream. RTMP-110. */
  discarded = 0;
  #streams: ChunkStream | undefined;
  #streamCount = 0;
  /** Bytes allocated for all incomplete messages. */
  #partial = 0;
  /** Bytes of an incomplete header at the end of the last input. */
  #head: Uint8Array | undefined;
  /** Number of bytes of the header in {@link HEAD_BYTES}. */
  #have = 0;
  /** The chunk stream whose chunk is being read. */
  #current: ChunkStream | undefined;
  /** Number of payload bytes left of the chunk. */
  #left = 0;
  /** Number of bytes after a header of format 3 that equal the extended time so far; -1: not compared. */
  #probed = -1;
  #probeBegins = false;

  constructor(readonly deliver: (message: RtmpMessage) => void) {}

  /**
   * The far end's chunk size in bytes; applies from the next chunk on, also within a message.
   * @throws {RtmpError} below 128
   */
  set chunkSize(size: number) {
    if (size < DEFAULT_CHUNK_SIZE) {
      throw new RtmpError("chunk", `Cannot take chunks of ${size} bytes (at least 128)`);
    }
    this.#chunkSize = Math.min(size, MAX_CHUNK_SIZE);
  }

  /** Bytes of incomplete messages. */
  get partialBytes(): number {
    return this.#partial;
  }

  /** Drops the incomplete message on a chunk stream. RTMP-202. */
  abort(id: number): void {
    const stream = this.#streamOf(id);
    if (!stream?.open) return;
    this.#drop(stream);
  }

  /** @throws {RtmpError} for invalid bytes, or from {@link deliver} */
  receive(bytes: Uint8Array): void {
    let at = 0;
    if (this.#head) HEAD_BYTES.set(this.#head);
    while (at < bytes.length) {
      if (this.#left > 0) at = this.#takePayload(bytes, at);
      else if (this.#probed >= 0) at = this.#probe(bytes, at);
      else at = this.#takeHeader(bytes, at);
    }
    this.#head = this.#have > 0 ? HEAD_BYTES.slice(0, this.#have) : undefined;
  }

  #takeHeader(bytes: Uint8Array, at: number): number {
    while (at < bytes.length) {
      HEAD.setUint8(this.#have++, bytes[at++]!);
      if (this.#have < this.#headerLength()) continue;
      this.#have = 0;
      this.#onHeader();
      break;
    }
    return at;
  }

  /** Length of the header as far as its first bytes determine it. */
  #headerLength(): number {
    const head = HEAD;
    const first = head.getUint8(0);
    const basic = basicLength(first);
    const format = formatOf(first);
    const length = basic + HEADER_LENGTHS[format];
    if (format === 3 || this.#have < basic + 3) return length;
    return u24(head, basic) === EXTENDED ? length + 4 : length;
  }

  #onHeader(): void {
    const head = HEAD;
    const first = head.getUint8(0);
    const format = formatOf(first);
    const at = basicLength(first);
    const stream = this.#chunkStream( // little-endian in the longest form
      at === 1 ? first & 63 : 64 + (at === 2 ? head.getUint8(1) : head.getUint16(1, true)),
      format,
    );
    this.#current = stream;
    if (format === 3) {
      this.#probeBegins = !stream.open;
      if (stream.extended !== undefined) this.#probed = 0;
      else this.#onContinuation();
      return;
    }
    if (stream.open) {
      this.#drop(stream);
      this.discarded++;
    }
    const field = u24(head, at);
    stream.extended = field === EXTENDED ? head.getUint32(at + HEADER_LENGTHS[format]) : undefined;
    const time = stream.extended ?? field;
    if (format < 2) {
      stream.length = u24(head, at + 3);
      stream.type = head.getUint8(at + 6);
    }
    if (format === 0) {
      stream.stream = head.getUint32(at + 7, true); // little-endian, unlike the rest of the message header
      stream.timestamp = time;
      stream.delta = 0;
    } else {
      stream.delta = time;
      stream.timestamp = (stream.timestamp + time) >>> 0;
    }
    this.#begin(stream);
  }

  /**
   * Format 3 after an extended time: Adobe, ffmpeg and SRS repeat the time in each such chunk,
   * librtmp (OBS) does not. 4 bytes that equal it are the time, all others payload. RTMP-114.
   */
  #probe(bytes: Uint8Array, at: number): number {
    const stream = this.#current!;
    const expected = stream.extended!;
    while (at < bytes.length && this.#probed < 4) {
      if (bytes[at] !== (expected >>> (24 - 8 * this.#probed) & 0xff)) return this.#noTime(at);
      this.#probed++;
      at++;
    }
    if (this.#probed === 4) {
      this.#probed = -1;
      this.#onContinuation();
    }
    return at;
  }

  /** The bytes compared with the time are payload. */
  #noTime(at: number): number {
    const { extended } = this.#current!;
    const taken = new Uint8Array(4);
    new DataView(taken.buffer).setUint32(0, extended!);
    const again = taken.subarray(0, this.#probed);
    this.#probed = -1;
    this.#onContinuation();
    this.receive(again);
    return at;
  }

  /** A chunk of format 3: more of the message, or a new one like the last. RTMP-106. */
  #onContinuation(): void {
    const stream = this.#current!;
    if (this.#probeBegins) {
      stream.timestamp = (stream.timestamp + stream.delta) >>> 0;
      this.#begin(stream);
    } else this.#left = Math.min(this.#chunkSize, stream.length - stream.filled);
  }

  #begin(stream: ChunkStream): void {
    const limit = this.#limitOf(stream.type);
    if (stream.length > limit) {
      throw new RtmpError(
        "message length",
        `Cannot take a message of type ${stream.type} and ${stream.length} bytes (at most ${limit})`,
      );
    }
    stream.open = true;
    stream.filled = 0;
    this.#left = Math.min(this.#chunkSize, stream.length);
    if (stream.length === 0) this.#complete(stream); // RTMP-109
  }

  #limitOf(type: number): number {
    const { message } = this.limits;
    if (type === AUDIO || type === VIDEO || type === ControlType.aggregate) return message;
    return type <= ControlType.setPeerBandwidth
      ? MAX_CONTROL_BYTES
      : Math.min(message, MAX_COMMAND_BYTES);
  }

  #takePayload(bytes: Uint8Array, at: number): number {
    const stream = this.#current!;
    const count = Math.min(this.#left, bytes.length - at);
    this.#reserve(stream, stream.filled + count);
    stream.body.set(bytes.subarray(at, at + count), stream.filled);
    stream.filled += count;
    this.#left -= count;
    if (stream.filled === stream.length) this.#complete(stream);
    return at + count;
  }

  #reserve(stream: ChunkStream, needed: number): void {
    const { body, length, filled } = stream;
    if (needed <= body.length) return;
    const room = Math.min(length, Math.max(needed, 2 * body.length, SMALL_BODY));
    this.#partial += room - body.length;
    if (this.#partial > this.limits.partial) {
      throw new RtmpError("partial messages", "Cannot keep more incomplete messages");
    }
    const larger = new Uint8Array(room);
    larger.set(body.subarray(0, filled));
    stream.body = larger;
  }

  #complete(stream: ChunkStream): void {
    const { type, timestamp, body: payload } = stream;
    this.#drop(stream);
    this.deliver({ type, timestamp, stream: stream.stream, payload });
  }

  #drop(stream: ChunkStream): void {
    this.#partial -= stream.body.length;
    stream.body = NO_BODY;
    stream.open = false;
  }

  #chunkStream(id: number, format: number): ChunkStream {
    const known = this.#streamOf(id);
    if (known) return known;
    if (format > 1) { // RTMP-105
      throw new RtmpError("chunk", `Chunk stream ${id} begins with type ${format}`);
    }
    if (this.#streamCount >= MAX_CHUNK_STREAMS) {
      throw new RtmpError(
        "chunk streams",
        `Cannot take more than ${MAX_CHUNK_STREAMS} chunk streams`,
      );
    }
    this.#streamCount++;
    return this.#streams = new ChunkStream(id, this.#streams);
  }

  #streamOf(id: number): ChunkStream | undefined {
    let stream = this.#streams;
    while (stream && stream.id !== id) stream = stream.next;
    return stream;
  }
}

/** Length of the basic header in bytes, by its first byte. RTMP-101. */
const basicLength = (first: number): number => (first & 63) === 0 ? 2 : (first & 63) === 1 ? 3 : 1;

/** Format of the chunk's header, by the first byte of the basic header. RTMP-101. */
const formatOf = (first: number): 0 | 1 | 2 | 3 => (first >> 6 & 3) as 0 | 1 | 2 | 3;

const u24 = (bytes: DataView, at: number): number =>
  bytes.getUint16(at) << 8 | bytes.getUint8(at + 2);
