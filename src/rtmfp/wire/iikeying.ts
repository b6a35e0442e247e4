import type { ChunkCodec } from "./chunk.ts";
import { ChunkType } from "./chunk.ts";

export interface IIKeying {
  /** Session id for packets to the initiator. */
  readonly initiatorSessionId: number;
  /** Of the RHello or the Cookie Change. */
  readonly cookie: Uint8Array;
  readonly certificate: Uint8Array;
  /** Session key initiator component: an option sequence. RFC 7425 §4.5. */
  readonly component: Uint8Array;
  /** The byte 0x58, which no implementation checks. */
  readonly signature: Uint8Array;
}

/** Initiator Initial Keying. RFC 7016 §2.3.7. */
export const iiKeying: ChunkCodec<IIKeying> = {
  type: ChunkType.iiKeying,
  write: (to, { initiatorSessionId, cookie, certificate, component, signature }) =>
    to.u32(initiatorSessionId)
      .vlu(cookie.length).bytes(cookie)
      .vlu(certificate.length).bytes(certificate)
      .vlu(component.length).bytes(component)
      .bytes(signature),
  read: (from) => ({
    initiatorSessionId: from.u32(),
    cookie: from.bytes(from.vlu()),
    certificate: from.bytes(from.vlu()),
    component: from.bytes(from.vlu()),
    signature: from.rest(),
  }),
};
