import type { ChunkCodec } from "./chunk.ts";
import { ChunkType } from "./chunk.ts";

/** How many congestion marks rtmfp-cpp has seen, the low 8 bits. An experiment, not in the RFC. */
export const ecnReport: ChunkCodec<number> = {
  type: ChunkType.ecnReport,
  write: (to, count) => to.u8(count),
  read: (from) => from.u8(),
};
