import { WireError } from "../../bytes/wire_error.ts";
import type { ChunkCodec } from "./chunk.ts";
import { ChunkType } from "./chunk.ts";

export interface PacketFragment {
  /** Fragments with higher numbers follow. */
  readonly more: boolean;
  /** The same in all fragments of a packet. */
  readonly packetId: number;
  /** From 0. */
  readonly fragmentNumber: number;
  /** At least one byte of the plain packet, header and all. */
  readonly bytes: Uint8Array;
}

const MORE = 0x80;

/** Packet Fragment: a piece of a startup packet too long for the network. RFC 7016 §2.3.1, §3.4. */
export const packetFragment: ChunkCodec<PacketFragment> = {
  type: ChunkType.packetFragment,
  write: (to, { more, packetId, fragmentNumber, bytes }) =>
    to.u8(more ? MORE : 0).vlu(packetId).vlu(fragmentNumber).bytes(bytes),
  read(from) {
    const fragment = {
      more: (from.u8() & MORE) !== 0,
      packetId: from.vlu(),
      fragmentNumber: from.vlu(),
      bytes: from.rest(),
    };
    if (fragment.bytes.length === 0) throw new WireError("Cannot use an empty packet fragment");
    return fragment;
  },
};
