import type { ChunkCodec } from "./chunk.ts";
import { ChunkType } from "./chunk.ts";

interface IHello {
  /** Endpoint discriminator: an option sequence, see `epd.ts`. */
  readonly epd: Uint8Array;
  /** Arbitrary bytes of the initiator; the answer repeats them. */
  readonly tag: Uint8Array;
}

/** Initiator Hello, which opens a handshake. RFC 7016 §2.3.2. */
export const iHello: ChunkCodec<IHello> = {
  type: ChunkType.iHello,
  write: (to, { epd, tag }) => to.vlu(epd.length).bytes(epd).bytes(tag),
  read: (from) => ({ epd: from.bytes(from.vlu()), tag: from.rest() }),
};
