import type { ChunkCodec } from "./chunk.ts";
import { ChunkType } from "./chunk.ts";

/** Buffer Probe: the number of a flow whose receive window its sender asks for. RFC 7016 §2.3.15. */
export const bufferProbe: ChunkCodec<number> = {
  type: ChunkType.bufferProbe,
  write: (to, flowId) => to.vlu(flowId),
  read: (from) => from.vlu(),
};
