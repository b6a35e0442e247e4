import type { ChunkCodec } from "./chunk.ts";
import { ChunkType } from "./chunk.ts";

/** Session Close Request. It has no payload; readers ignore one. RFC 7016 §2.3.17. */
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
