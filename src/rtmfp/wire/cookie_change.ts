import type { ChunkCodec } from "./chunk.ts";
import { ChunkType } from "./chunk.ts";

interface CookieChange {
  /** The cookie of the IIKeying that is answered. */
  readonly oldCookie: Uint8Array;
  /** The one to send the IIKeying with again. */
  readonly newCookie: Uint8Array;
}

/** RHello Cookie Change: the cookie was made for another address. RFC 7016 §2.3.6. */
export const cookieChange: ChunkCodec<CookieChange> = {
  type: ChunkType.cookieChange,
  write: (to, { oldCookie, newCookie }) =>
    to.vlu(oldCookie.length).bytes(oldCookie).bytes(newCookie),
  read: (from) => ({ oldCookie: from.bytes(from.vlu()), newCookie: from.rest() }),
};
