// FLV files: a header, then tags, each followed by its own length.
// Adobe Flash Video File Format Specification 10.1, annex E.
import { Writer } from "../bytes/writer.ts";

/** Tag types; messages with the same payload have the same types (RFC 7425 §5.1.2). */
export const TagType = { audio: 8, video: 9, data: 18 } as const;
export type TagType = typeof TagType[keyof typeof TagType];

export interface FlvTag {
  readonly type: TagType;
  /** Milliseconds, 32 bits. */
  readonly timestamp: number;
  /** The body: codec byte and data, or AMF0 values. */
  readonly data: Uint8Array;
}

/** A file is not FLV, or breaks off; the message says where. */
export class FlvError extends Error {
  override name = "FlvError";
}

/** Bytes before a tag's data, and after it. */
export const TAG_HEADER = 11;
export const TRAILER = 4;
export const SIGNATURE = 0x464c56; // "FLV"

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
