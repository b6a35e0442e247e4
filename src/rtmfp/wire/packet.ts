// Packets: a header, then chunks, then padding. RFC 7016 §2.2.4.
import { Reader } from "../../bytes/reader.ts";
import { WireError } from "../../bytes/wire_error.ts";
import type { Writer } from "../../bytes/writer.ts";
import { CHUNK_HEADER, ChunkType } from "./chunk.ts";

/** Role of the sender of a packet, the low two bits of the flags; 0 is forbidden. */
export const Mode = { initiator: 1, responder: 2, startup: 3 } as const;
export type Mode = typeof Mode[keyof typeof Mode];

/** The other bits of the flags. */
export const PacketFlag = {
  /** The packet carries real-time user data. */
  timeCritical: 0x80,
  /** Its sender receives time-critical packets on other sessions. */
  timeCriticalReverse: 0x40,
  timestamp: 0x08,
  timestampEcho: 0x04,
} as const;

/** The time of a packet: `now` (milliseconds) in ticks of 4 ms, the low 16 bits. RFC 7016 §2.2.4. */
export function timestampOf(now: number): number {
  return Math.floor(now / 4) % 0x10000;
}

/**
 * Writes a header. Shape: `flags u8 | timestamp u16 if TS | timestampEcho u16 if TSE`.
 *
 * @param flags a {@link Mode}, with the time-critical flags where they apply
 * @param timestamp ticks of 4 ms; librtmfp and other clients cannot read a packet without it
 * @param timestampEcho ticks of 4 ms
 */
export function writePacketHeader(
  to: Writer,
  flags: number,
  timestamp: number | undefined,
  timestampEcho?: number,
): Writer {
  if (timestamp !== undefined) flags |= PacketFlag.timestamp;
  if (timestampEcho !== undefined) flags |= PacketFlag.timestampEcho;
  to.u8(flags);
  if (timestamp !== undefined) to.u16(timestamp);
  if (timestampEcho !== undefined) to.u16(timestampEcho);
  return to;
}

/**
 * Reads a packet: first the header, then one chunk at a time. Callers reuse it for the next packet; it
 * allocates nothing.
 *
 *     for (packet.open(bytes); packet.next();) handle(packet.type, packet.payload);
 */
export class PacketReader {
  mode: Mode = Mode.startup;
  timeCritical = false;
  timeCriticalReverse = false;
  /** Ticks of 4 ms. */
  timestamp: number | undefined;
  /** Ticks of 4 ms. */
  timestampEcho: number | undefined;
  /** The type of the chunk that {@link next} has found. */
  type = 0;
  /** Its payload, to be read before the following `next`. */
  readonly payload: Reader = new Reader(new Uint8Array(0));
  readonly #from: Reader = new Reader(new Uint8Array(0));

  /**
   * Reads the header of the packet that stands in `bytes`, padding included.
   *
   * @throws {WireError} if it is cut off or in the forbidden mode 0
   */
  open(bytes: Uint8Array, start = 0, end = bytes.length): this {
    const from = this.#from.reset(bytes, start, end);
    const flags = from.u8();
    const mode = flags & 3;
    if (mode === 0) throw new WireError("Cannot read a packet of mode 0");
    this.mode = mode as Mode;
    this.timeCritical = (flags & PacketFlag.timeCritical) !== 0;
    this.timeCriticalReverse = (flags & PacketFlag.timeCriticalReverse) !== 0;
    this.timestamp = flags & PacketFlag.timestamp ? from.u16() : undefined;
    this.timestampEcho = flags & PacketFlag.timestampEcho ? from.u16() : undefined;
    return this;
  }

  /**
   * Goes to the next chunk and skips padding. A rest shorter than a chunk header, or a chunk longer
   * than the rest, is padding too.
   *
   * @returns false at the end
   */
  next(): boolean {
    const from = this.#from;
    while (from.left >= CHUNK_HEADER) {
      const type = from.u8();
      const length = from.u16();
      if (length > from.left) return false;
      const at = from.at;
      from.skip(length);
      if (type === ChunkType.padding || type === ChunkType.paddingOnes) continue;
      this.type = type;
      this.payload.reset(from.input, at, at + length);
      return true;
    }
    return false;
  }
}
