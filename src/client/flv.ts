// FLV files: a header, then tags, each followed by its own length.
// Adobe Flash Video File Format Specification 10.1, annex E.
import { Writer } from "../bytes/writer.ts";

/** Tag types; they are also the types of RTMFP's media messages (RFC 7425 §5.1.2). */
export const TagType = { audio: 8, video: 9, data: 18 } as const;
export type TagType = typeof TagType[keyof typeof TagType];

export interface FlvTag {
  readonly type: TagType;
  /** Milliseconds, 32 bits. */
  readonly timestamp: number;
  /** What follows the tag header: codec byte and data, or AMF0 values. */
  readonly data: Uint8Array;
}

/** A file is not FLV, or breaks off; the message says where. */
export class FlvError extends Error {
  override name = "FlvError";
}

/** Bytes in front of a tag's data, and those after it. */
const TAG_HEADER = 11;
const TRAILER = 4;
const SIGNATURE = 0x464c56; // "FLV"

/**
 * Takes a file apart piece by piece, so that its size does not matter.
 *
 * The length after each tag is not compared: no player does, and recorders get it wrong.
 */
export class FlvReader {
  #kept = new Uint8Array(0);
  /** Offset in the file of the first byte kept. */
  #offset = 0;
  #started = false;
  #hasAudio = false;
  #hasVideo = false;

  /** Whether the header announces audio; true only once the header was read. */
  get hasAudio(): boolean {
    return this.#hasAudio;
  }

  /** Whether the header announces video; true only once the header was read. */
  get hasVideo(): boolean {
    return this.#hasVideo;
  }

  /** Bytes of a tag that is not complete yet. */
  get left(): number {
    return this.#kept.length;
  }

  /**
   * Takes the next bytes of the file.
   *
   * @returns the tags they complete; their data stays as it is
   * @throws {FlvError} if the file is none of FLV, encrypted, or holds a tag of unknown type
   */
  push(bytes: Uint8Array): FlvTag[] {
    const input = this.#kept.length === 0 ? bytes.slice() : joined(this.#kept, bytes);
    let at = 0;
    if (!this.#started) {
      const length = this.#readHeader(input);
      if (length === undefined || length > input.length) {
        this.#kept = input;
        return [];
      }
      this.#started = true;
      at = length;
    }
    const tags: FlvTag[] = [];
    while (input.length - at >= TAG_HEADER) {
      const type = input[at];
      const length = u24(input, at + 1);
      if (type !== TagType.audio && type !== TagType.video && type !== TagType.data) {
        throw new FlvError(this.#unknownTag(type, at));
      }
      const end = at + TAG_HEADER + length;
      if (end + TRAILER > input.length) break;
      // The fourth byte of the timestamp is its highest.
      const timestamp = (u24(input, at + 4) | (input[at + 7] << 24)) >>> 0;
      tags.push({ type, timestamp, data: input.subarray(at + TAG_HEADER, end) });
      at = end + TRAILER;
    }
    this.#kept = input.slice(at);
    this.#offset += at;
    return tags;
  }

  /**
   * Says that no more bytes come.
   *
   * @throws {FlvError} if the file ends inside its header or inside a tag
   */
  end(): void {
    if (!this.#started) throw new FlvError("Cannot read an FLV header: the file is too short");
    if (this.#kept.length === 0) return;
    throw new FlvError(
      `The file breaks off ${this.#kept.length} bytes into the tag at ${this.#offset}`,
    );
  }

  /** Offset of the first tag; undefined while too few bytes are there to know. */
  #readHeader(input: Uint8Array): number | undefined {
    if (input.length >= 3 && u24(input, 0) !== SIGNATURE) {
      throw new FlvError('Cannot read an FLV header: the file does not begin with "FLV"');
    }
    if (input.length < 9) return undefined;
    this.#hasAudio = (input[4] & 4) !== 0;
    this.#hasVideo = (input[4] & 1) !== 0;
    const length = new DataView(input.buffer, input.byteOffset).getUint32(5);
    if (length < 9) throw new FlvError(`Cannot read an FLV header of ${length} bytes`);
    return length + TRAILER;
  }

  #unknownTag(type: number, at: number): string {
    const what = (type & 0x20) !== 0 && [8, 9, 18].includes(type & 0x1f)
      ? "is encrypted"
      : `has the unknown type ${type}`;
    return `The tag at ${this.#offset + at} ${what}`;
  }
}

/** The header of a file and the length in front of its first tag: 13 bytes. */
export function flvHeader(hasAudio: boolean, hasVideo: boolean): Uint8Array {
  const flags = (hasAudio ? 4 : 0) | (hasVideo ? 1 : 0);
  return new Writer(13).u24(SIGNATURE).u8(1).u8(flags).u32(9).u32(0).view();
}

/**
 * A tag and its length after it.
 *
 * @throws {FlvError} if the data is longer than the 16 MiB a tag holds
 */
export function flvTag({ type, timestamp, data }: FlvTag): Uint8Array {
  if (data.length > 0xffffff) throw new FlvError(`Cannot write a tag of ${data.length} bytes`);
  return new Writer(TAG_HEADER + data.length + TRAILER)
    .u8(type).u24(data.length)
    .u24(timestamp).u8(timestamp >>> 24)
    .u24(0) // stream ID, always 0
    .bytes(data)
    .u32(TAG_HEADER + data.length).view();
}

function u24(bytes: Uint8Array, at: number): number {
  return (bytes[at] << 16) | (bytes[at + 1] << 8) | bytes[at + 2];
}

function joined(first: Uint8Array, second: Uint8Array): Uint8Array<ArrayBuffer> {
  const both = new Uint8Array(first.length + second.length);
  both.set(first);
  both.set(second, first.length);
  return both;
}
