import type { ChunkCodec } from "./chunk.ts";
import { ChunkType } from "./chunk.ts";

interface RIKeying {
  /** Session id for packets to the responder. */
  readonly responderSessionId: number;
  /** Session key responder component: an option sequence. RFC 7425 §4.5. */
  readonly component: Uint8Array;
  /** The byte 0x58, which no implementation checks. */
  readonly signature: Uint8Array;
}

/** Responder Initial Keying, the answer to an IIKeying. RFC 7016 §2.3.8. */
export const riKeying: ChunkCodec<RIKeying> = {
  type: ChunkType.riKeying,
  write: (to, { responderSessionId, component, signature }) =>
    to.u32(responderSessionId).vlu(component.length).bytes(component).bytes(signature),
  read: (from) => ({
    responderSessionId: from.u32(),
    component: from.bytes(from.vlu()),
    signature: from.rest(),
  }),
};
