// Chunks that captures hold and the server ignores: they are read only to write them again.
import { type ChunkCodec, ChunkType } from "../../src/rtmfp/wire/chunk.ts";

/** Only librtmfp sends it: the reason of a close. */
export const closeReason: ChunkCodec<number> = {
  type: ChunkType.closeReason,
  write: (to, reason) => to.u8(reason),
  read: (from) => from.u8(),
};

/** Only rtmfp-cpp sends it: low 8 bits of its number of congestion marks. Not in the RFC. */
export const ecnReport: ChunkCodec<number> = {
  type: ChunkType.ecnReport,
  write: (to, count) => to.u8(count),
  read: (from) => from.u8(),
};
