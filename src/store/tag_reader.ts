import { Reader } from "../bytes/reader.ts";
import { TAG_HEADER, TagType, TRAILER } from "../flv/tags.ts";

/** A tag of a file, and its position there. */
export interface StoredTag {
  readonly type: TagType;
  /** Milliseconds as the file has them, signed. VOD-102. */
  readonly time: number;
  /** A view of the block; truncated if the {@link TagReader} needs only the beginning. */
  readonly data: Uint8Array;
  /** Offset of the tag in the file, and of the byte after its trailer. */
  readonly position: number;
  readonly end: number;
}

/**
 * Of a tag with more than this number of bytes of data, only the first bytes are read where those suffice: no codec
 * header is so large.
 */
const LARGE_TAG = 64 * 1024;
/** Number of bytes read of a large tag. */
const BEGINNING = 64;
const ENCRYPTED = 0x20;
const RESERVED = 0xc0;
const NOTHING = new Uint8Array(0);
/** Bytes of the header of a file that the reader needs. */
export const FILE_HEADER = 9;

/**
 * The offset of the first tag.
 *
 * @param bytes the first {@link FILE_HEADER} bytes of the file
 * @returns undefined if the file is not FLV. VOD-101.
 */
export function firstTagOffset(bytes: Uint8Array): number | undefined {
  if (bytes.length < FILE_HEADER) return undefined;
  if (bytes[0] !== 0x46 || bytes[1] !== 0x4c || bytes[2] !== 0x56) return undefined;
  const offset = new DataView(bytes.buffer, bytes.byteOffset).getUint32(5);
  return Math.max(FILE_HEADER, offset) + TRAILER;
}

/**
 * Finds the tags of a file in blocks of it, forward by the lengths in their headers: those after the tags are often
 * wrong. It skips encrypted tags and unknown types; bytes that cannot be a tag, such as the zeros that a crash
 * leaves, end the file. VOD-102, VOD-104.
 */
export class TagReader {
  #block: Uint8Array = NOTHING;
  readonly #header = new Reader(NOTHING);
  /** Offset of the block in the file. */
  #start = 0;
  #position: number;
  #needed = TAG_HEADER;
  #ended = false;

  /** @param position offset of a tag in the file */
  constructor(position: number) {
    this.#position = position;
  }

  /** Offset in the file of the next tag, and of the next block. */
  get position(): number {
    return this.#position;
  }

  /** Minimum bytes of the next block, unless the file ends before. */
  get needed(): number {
    return this.#needed;
  }

  /** Whether the bytes after the last tag are not a tag. */
  get ended(): boolean {
    return this.#ended;
  }

  /** Moves to another tag; the caller reads its block next. */
  moveTo(position: number): void {
    this.#block = NOTHING;
    this.#start = this.#position = position;
    this.#needed = TAG_HEADER;
    this.#ended = false;
  }

  /** Takes the bytes of the file at {@link position}; they must not change any more. */
  setBlock(bytes: Uint8Array): void {
    this.#block = bytes;
    this.#start = this.#position;
  }

  /**
   * The next tag of the block.
   *
   * @param whole false: the beginning of large audio and video tags suffices
   * @returns undefined if the block has no further tag
   */
  next(whole = true): StoredTag | undefined {
    while (!this.#ended) {
      const at = this.#position - this.#start;
      const block = this.#block;
      this.#needed = TAG_HEADER;
      if (block.length - at < TAG_HEADER) return undefined;
      const header = this.#header.reset(block, at);
      const first = header.u8();
      const type = first & 0x1f;
      if ((first & RESERVED) !== 0 || type === 0) {
        this.#ended = true;
        return undefined;
      }
      const length = header.u24();
      const time = header.u24() | header.u8() << 24;
      const position = this.#position;
      const end = position + TAG_HEADER + length + TRAILER;
      const from = at + TAG_HEADER;
      const isMedia = type === TagType.audio || type === TagType.video;
      if ((first & ENCRYPTED) !== 0 || (!isMedia && type !== TagType.data)) {
        this.#position = end;
        continue;
      }
      const wanted = !whole && isMedia && length > LARGE_TAG ? BEGINNING : length;
      if (block.length - from < wanted) {
        this.#needed = TAG_HEADER + wanted;
        return undefined;
      }
      this.#position = end;
      const data = block.subarray(from, Math.min(from + length, block.length));
      return { type: type as TagType, time, data, position, end };
    }
    return undefined;
  }
}
