import { type OriginAddress, readAddress, writeAddress } from "./address.ts";
import type { ChunkCodec } from "./chunk.ts";
import { ChunkType } from "./chunk.ts";

export interface FIHello {
  /** As in the IHello that is forwarded. */
  readonly epd: Uint8Array;
  /** Address at which the initiator awaits an answer. */
  readonly replyAddress: OriginAddress;
  /** As in the IHello that is forwarded. */
  readonly tag: Uint8Array;
}

/** Forwarded Initiator Hello, sent inside the session with the endpoint sought. RFC 7016 §2.3.3. */
export const fiHello: ChunkCodec<FIHello> = {
  type: ChunkType.fiHello,
  write(to, { epd, replyAddress, tag }) {
    writeAddress(to.vlu(epd.length).bytes(epd), replyAddress).bytes(tag);
  },
  read: (from) => ({
    epd: from.bytes(from.vlu()),
    replyAddress: readAddress(from),
    tag: from.rest(),
  }),
};
