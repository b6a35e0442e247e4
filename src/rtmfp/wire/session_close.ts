import type { ChunkCodec } from "./chunk.ts";
import { ChunkType } from "./chunk.ts";

/** Session Close Request; it has no payload, and one that it has is ignored. RFC 7016 §2.3.17. */
export const sessionClose: ChunkCodec<void> = {
  type: ChunkType.sessionClose,
  write: () => {},
  read: () => {},
};

/** Session Close Acknowledgement, which also closes abruptly. RFC 7016 §2.3.18. */
export const sessionCloseAck: ChunkCodec<void> = {
  ...sessionClose,
  type: ChunkType.sessionCloseAck,
};
