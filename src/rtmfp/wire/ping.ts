import type { ChunkCodec } from "./chunk.ts";
import { ChunkType } from "./chunk.ts";

/** Ping, with a message for the answer to repeat. RFC 7016 §2.3.9. */
export const ping: ChunkCodec<Uint8Array> = {
  type: ChunkType.ping,
  write: (to, message) => to.bytes(message),
  read: (from) => from.rest(),
};

/** Ping Reply, with the message of the ping. RFC 7016 §2.3.10. */
export const pingReply: ChunkCodec<Uint8Array> = { ...ping, type: ChunkType.pingReply };
