// Codecs of chunks that occur in captures and that the server ignores.
import { type ChunkCodec, ChunkType } from "../../src/rtmfp/wire/chunk.ts";

/** Reason of a close; only librtmfp sends it. */
export const closeReason: ChunkCodec<number> = {
  type: ChunkType.closeReason,
  write: (to, reason) => to.u8(reason),
  read: (from) => from.u8(),
};

/** Low 8 bits of the number of congestion marks; only rtmfp-cpp sends it. Not in the RFC. */
export const ecnReport: ChunkCodec<number> = {
  type: ChunkType.ecnReport,
  write: (to, count) => to.u8(count),
  read: (from) => from.u8(),
};
