import { TAG_HEADER, TagType, TRAILER } from "../flv/tags.ts";
import type { FrameKind } from "../media/frame.ts";

/** A tag of an FLV file. */
export interface Tag {
  readonly kind: FrameKind;
  readonly body: Uint8Array;
  /** Milliseconds modulo 2^32. */
  readonly time: number;
}

/**
 * FLV tags in one block, reused for one viewer after the other. Viewers of the same frames differ only in their
 * times, as each viewer's times begin at 0: then only the times are written.
 */
export class TagBlock {
  #bytes: Uint8Array;
  /** The bodies of the tags in the block. */
  #bodies: Uint8Array[] = [];
  #end = 0;

  /**
   * @param from offset of the tags: the bytes before it, and as many at the end, are free for the caller
   * @param size bytes of tags that fit without a larger allocation
   */
  constructor(readonly from: number, readonly size: number) {
    this.#bytes = new Uint8Array(size + 2 * from);
  }

  /** The block, as the last {@link write} left it. */
  get bytes(): Uint8Array {
    return this.#bytes;
  }

  /**
   * Writes tags.
   *
   * @param head bytes before the tags
   * @param length bytes of head and tags
   * @returns the end of the tags in the block
   */
  write(head: Uint8Array, tags: readonly Tag[], length: number): number {
    if (head.length === 0 && this.#holds(tags)) {
      let at = this.from;
      for (const { body, time } of tags) {
        this.#time(at, time);
        at += tagLength(body);
      }
      return this.#end;
    }
    const size = Math.max(this.size, length) + 2 * this.from;
    if (this.#bytes.length !== size) this.#bytes = new Uint8Array(size);
    this.#bytes.set(head, this.from);
    this.#bodies = [];
    let at = this.from + head.length;
    for (const tag of tags) {
      this.#bodies.push(tag.body);
      at = this.#tag(at, tag);
    }
    if (head.length > 0) this.#bodies = []; // the tags of other viewers begin at another offset
    return this.#end = at;
  }

  #holds(tags: readonly Tag[]): boolean {
    const bodies = this.#bodies;
    let at = 0;
    for (const { body } of tags) if (bodies[at++] !== body) return false;
    return bodies.length === at;
  }

  #tag(at: number, { kind, body, time }: Tag): number {
    const bytes = this.#bytes;
    bytes[at] = TagType[kind];
    put24(bytes, at + 1, body.length);
    this.#time(at, time);
    put24(bytes, at + 8, 0); // stream id
    bytes.set(body, at + TAG_HEADER);
    const end = at + TAG_HEADER + body.length;
    const whole = TAG_HEADER + body.length;
    bytes[end] = whole >>> 24;
    put24(bytes, end + 1, whole);
    return end + TRAILER;
  }

  /** Writes the time of the tag at `at`: its lower 24 bits, then its upper eight. */
  #time(at: number, time: number): void {
    put24(this.#bytes, at + 4, time);
    this.#bytes[at + 7] = time >>> 24;
  }
}

/** Bytes of a tag with this body, including the length after it. */
export const tagLength = (body: Uint8Array): number => TAG_HEADER + body.length + TRAILER;

function put24(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value >>> 16;
  bytes[at + 1] = value >>> 8;
  bytes[at + 2] = value;
}
