import type { ChunkCodec } from "./chunk.ts";
import { ChunkType } from "./chunk.ts";

interface RHello {
  /** The tag of the IHello that is answered. */
  readonly tag: Uint8Array;
  /** The IIKeying repeats it; librtmfp accepts only 64 bytes. */
  readonly cookie: Uint8Array;
  readonly certificate: Uint8Array;
}

/** Responder Hello, the answer to an IHello. RFC 7016 §2.3.4. */
export const rHello: ChunkCodec<RHello> = {
  type: ChunkType.rHello,
  write: (to, { tag, cookie, certificate }) =>
    to.vlu(tag.length).bytes(tag).vlu(cookie.length).bytes(cookie).bytes(certificate),
  read: (from) => ({
    tag: from.bytes(from.vlu()),
    cookie: from.bytes(from.vlu()),
    certificate: from.rest(),
  }),
};
