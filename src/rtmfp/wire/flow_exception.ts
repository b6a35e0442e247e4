import type { ChunkCodec } from "./chunk.ts";
import { ChunkType } from "./chunk.ts";

interface FlowException {
  readonly flowId: number;
  /** 0 unless an application gave another code. */
  readonly code: number;
}

/** Flow Exception Report: the receiver rejects a flow. RFC 7016 §2.3.16. */
export const flowException: ChunkCodec<FlowException> = {
  type: ChunkType.flowException,
  write: (to, { flowId, code }) => to.vlu(flowId).vlu(code),
  read: (from) => ({ flowId: from.vlu(), code: from.vlu() }),
};
