// Types, header and codecs of chunks. RFC 7016 §2.3.
import type { Reader } from "../../bytes/reader.ts";
import type { Writer } from "../../bytes/writer.ts";

/** The first byte of every known chunk. RFC 7016 §2.3. */
export const ChunkType = {
  padding: 0x00,
  ping: 0x01,
  sessionClose: 0x0c,
  fiHello: 0x0f,
  userData: 0x10,
  nextUserData: 0x11,
  bufferProbe: 0x18,
  iHello: 0x30,
  iiKeying: 0x38,
  pingReply: 0x41,
  sessionCloseAck: 0x4c,
  /** Only sent by librtmfp: its reason to close. */
  closeReason: 0x4d,
  bitmapAck: 0x50,
  rangeAck: 0x51,
  flowException: 0x5e,
  rHello: 0x70,
  redirect: 0x71,
  riKeying: 0x78,
  cookieChange: 0x79,
  packetFragment: 0x7f,
  /** Only sent by rtmfp-cpp: congestion marks seen on packets. */
  ecnReport: 0xec,
  /** Padding with 0xff, also as the type of a chunk. */
  paddingOnes: 0xff,
} as const;

/**
 * One chunk, both ways. `read` gets only the payload and takes views into it; it throws
 * WireError when the payload breaks the format. `write` writes only the payload.
 */
export interface ChunkCodec<Chunk> {
  readonly type: number;
  write(to: Writer, chunk: Chunk): unknown;
  read(from: Reader): Chunk;
}

/** Bytes before the payload of a chunk: `type u8 | length u16`. */
export const CHUNK_HEADER = 3;

/**
 * Writes a whole chunk.
 *
 * @throws {WireError} if it does not fit, and then has written nothing
 */
export function writeChunk<Chunk>(to: Writer, codec: ChunkCodec<Chunk>, chunk: Chunk): void {
  const start = to.at;
  try {
    to.u8(codec.type).u16(0);
    codec.write(to, chunk);
  } catch (error) {
    to.at = start;
    throw error;
  }
  const end = to.at;
  to.at = start + 1;
  to.u16(end - start - CHUNK_HEADER);
  to.at = end;
}
