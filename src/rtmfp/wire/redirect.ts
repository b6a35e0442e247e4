import type { Reader } from "../../bytes/reader.ts";
import { type OriginAddress, readAddress, writeAddress } from "./address.ts";
import type { ChunkCodec } from "./chunk.ts";
import { ChunkType } from "./chunk.ts";

interface Redirect {
  /** The tag of the IHello that is answered. */
  readonly tag: Uint8Array;
  /** Addresses to try instead; an empty list means the source address of this chunk. */
  readonly addresses: readonly OriginAddress[];
}

/** Responder Redirect, the other answer to an IHello. RFC 7016 §2.3.5. */
export const redirect: ChunkCodec<Redirect> = {
  type: ChunkType.redirect,
  write(to, { tag, addresses }) {
    to.vlu(tag.length).bytes(tag);
    for (const address of addresses) writeAddress(to, address);
  },
  read: (from) => ({ tag: from.bytes(from.vlu()), addresses: readAddresses(from) }),
};

function readAddresses(from: Reader): OriginAddress[] {
  const addresses: OriginAddress[] = [];
  while (from.left > 0) addresses.push(readAddress(from));
  return addresses;
}
