// Metadata of flows, which state their purpose. RFC 7425 §5.1.1, rtmfp-wire §3.5 and §3.8.
import { Reader } from "../../bytes/reader.ts";
import { Writer } from "../../bytes/writer.ts";
import { WireError } from "../../bytes/wire_error.ts";

const T = 0x54;
const C = 0x43;
const G = 0x47;
const STREAM_ID = 0x04;
const NETWORK_ORDER = 0x01;

/** A flow of messages: of a NetConnection (stream 0) or a NetStream. */
interface TcMetadata {
  readonly stream: number;
  /** The receiver may process messages in the order of arrival. */
  readonly networkOrder: boolean;
}

/** Shape: `'T' 'C' | flags u8 | stream id VLU`. */
export function writeTcMetadata(stream: number, networkOrder = false): Uint8Array<ArrayBuffer> {
  const flags = STREAM_ID | (networkOrder ? NETWORK_ORDER : 0);
  return new Writer(8).u8(T).u8(C).u8(flags).vlu(stream).copy();
}

/** Reads {@link writeTcMetadata}; undefined for metadata of another kind. */
export function readTcMetadata(metadata: Uint8Array): TcMetadata | undefined {
  const [t, c, flags] = metadata;
  if (t !== T || c !== C || flags === undefined || !(flags & STREAM_ID)) return undefined;
  try {
    const stream = new Reader(metadata, 3).vlu();
    return { stream, networkOrder: (flags & NETWORK_ORDER) !== 0 };
  } catch (error) {
    if (error instanceof WireError) return undefined;
    throw error;
  }
}

/** Metadata of the flows of a NetGroup. */
export const GROUP_METADATA: Uint8Array = Uint8Array.of(G, C);

export function isGroupMetadata(metadata: Uint8Array): boolean {
  return metadata.length === 2 && metadata[0] === G && metadata[1] === C;
}
