// Chunks that captures hold and the server ignores: they are read only to write them again.
import { type ChunkCodec, ChunkType } from "../../src/rtmfp/wire/chunk.ts";

/** Of librtmfp alone: why it closes. */
export const closeReason: ChunkCodec<number> = {
  type: ChunkType.closeReason,
  write: (to, reason) => to.u8(reason),
  read: (from) => from.u8(),
};

/** Of rtmfp-cpp alone: how many congestion marks it has seen, the low 8 bits. Not in the RFC. */
export const ecnReport: ChunkCodec<number> = {
  type: ChunkType.ecnReport,
  write: (to, count) => to.u8(count),
  read: (from) => from.u8(),
};
