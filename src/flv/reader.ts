import { concat } from "../bytes/concat.ts";
import { Reader } from "../bytes/reader.ts";
import { FlvError, type FlvTag, SIGNATURE, TAG_HEADER, TagType, TRAILER } from "./tags.ts";

/**
 * Parses a file piece by piece, so that its size does not matter.
 *
 * The length after each tag is not compared: no player compares it, and some recorders write a wrong one.
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
   * @throws {FlvError} if the file is not FLV, is encrypted, or holds a tag of unknown type
   */
  push(bytes: Uint8Array): FlvTag[] {
    const input = this.#kept.length === 0 ? bytes.slice() : concat([this.#kept, bytes]);
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
    const header = new Reader(input);
    while (input.length - at >= TAG_HEADER) {
      header.reset(input, at);
      const type = header.u8();
      const length = header.u24();
      if (type !== TagType.audio && type !== TagType.video && type !== TagType.data) {
        throw new FlvError(this.#unknownTag(type, at));
      }
      const end = at + TAG_HEADER + length;
      if (end + TRAILER > input.length) break;
      // The fourth byte of the timestamp is its highest.
      const timestamp = (header.u24() | header.u8() << 24) >>> 0;
      tags.push({ type, timestamp, data: input.subarray(at + TAG_HEADER, end) });
      at = end + TRAILER;
    }
    this.#kept = input.slice(at);
    this.#offset += at;
    return tags;
  }

  /**
   * Ends the file.
   *
   * @returns the last tag, if the file ends behind its data, without the length after it
   * @throws {FlvError} if the file ends inside its header or inside a tag
   */
  end(): FlvTag[] {
    if (!this.#started) throw new FlvError("Cannot read an FLV header: the file is too short");
    if (this.#kept.length === 0) return [];
    const kept = this.#kept;
    const missing = kept.length < TAG_HEADER
      ? 0
      : TAG_HEADER + new Reader(kept, 1).u24() + TRAILER - kept.length;
    if (missing > 0 && missing <= TRAILER) {
      const tags = this.push(new Uint8Array(missing));
      if (tags.length > 0) return tags;
    }
    throw new FlvError(
      `The file breaks off ${this.#kept.length} bytes into the tag at ${this.#offset}`,
    );
  }

  /** Offset of the first tag; undefined while too few bytes are there to know. */
  #readHeader(input: Uint8Array): number | undefined {
    if (input.length >= 3 && new Reader(input).u24() !== SIGNATURE) {
      throw new FlvError('Cannot read an FLV header: the file does not begin with "FLV"');
    }
    if (input.length < 9) return undefined;
    const from = new Reader(input, 4);
    const flags = from.u8();
    this.#hasAudio = (flags & 4) !== 0;
    this.#hasVideo = (flags & 1) !== 0;
    const length = from.u32();
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
