// Protocol control messages, types 1 to 6, and aggregates. RTMP 1.0 §5.4, §7.1; RTMP-201 to 215.
import { Reader } from "../bytes/reader.ts";
import { Writer } from "../bytes/writer.ts";
import { MessageType } from "../tc/format/messages.ts";

/**
 * Message types of RTMP only. User control is a type of all transports; it is here because the link
 * answers its pings.
 */
export const ControlType = {
  setChunkSize: 1,
  abort: 2,
  acknowledgement: 3,
  userControl: MessageType.userControl,
  windowAckSize: 5,
  setPeerBandwidth: 6,
  aggregate: 22,
} as const;

/** Chunk stream of protocol control. RTMP-103. */
export const CONTROL_CHUNK_STREAM = 2;

/** Limit type of Set Peer Bandwidth: dynamic. RTMP-205. */
const DYNAMIC = 2;

export const writeU32 = (value: number): Uint8Array => new Writer(4).u32(value).copy();

export const writePeerBandwidth = (bytes: number): Uint8Array =>
  new Writer(5).u32(bytes).u8(DYNAMIC).copy();

/** A message assembled from chunks. */
export interface RtmpMessage {
  readonly type: number;
  /** Milliseconds modulo 2^32. */
  readonly timestamp: number;
  /** Message stream id; 0 is the connection. */
  readonly stream: number;
  /** Owned by the receiver of the message. */
  readonly payload: Uint8Array;
}

/**
 * Splits an aggregate: `type u8 | length u24 | time u24 | time's high byte u8 | stream u24 |
 * payload | back pointer u32`, repeated. Shifts times so that the first one equals the aggregate's, and
 * sets the aggregate's stream. A truncated or nested aggregate ends it.
 * RTMP-513.
 */
export function* readAggregate(aggregate: RtmpMessage): Generator<RtmpMessage> {
  const from = new Reader(aggregate.payload);
  let shift: number | undefined;
  while (from.left >= 11) {
    const type = from.u8();
    const length = from.u24();
    const low = from.u24();
    const time = (from.u8() * 0x1000000 + low) >>> 0;
    from.skip(3);
    if (length > from.left || type === ControlType.aggregate) return;
    const payload = from.bytes(length).slice();
    if (from.left >= 4) from.skip(4); // some clients omit the last back pointer
    shift ??= (aggregate.timestamp - time) | 0;
    yield { type, timestamp: (time + shift) >>> 0, stream: aggregate.stream, payload };
  }
}
