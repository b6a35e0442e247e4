// Acknowledgements of user data, in two encodings. RFC 7016 §2.3.13, §2.3.14.
import type { Reader } from "../../bytes/reader.ts";
import { vluLength, type Writer } from "../../bytes/writer.ts";
import { CHUNK_HEADER, ChunkType } from "./chunk.ts";

/**
 * Maximum number of ranges read, more than a packet of common size can hold. Further ranges are ignored:
 * their fragments are sent once more.
 */
export const MAX_RANGES = 4096;

/** An acknowledgement of one flow. Callers reuse one record. */
export class Ack {
  flowId = 0;
  /** Free room in the receiver's buffer, in blocks of 1024 bytes. */
  bufferBlocks = 0;
  /** All sequence numbers up to and including this one have arrived or are given up. */
  cumulativeAck = 0;
  /** Numbers that have arrived beyond {@link cumulativeAck}: `[first, last, first, last, …]`, ascending. */
  readonly ranges: number[] = [];

  /** Whether it acknowledges a sequence number. */
  has(sequence: number): boolean {
    if (sequence <= this.cumulativeAck) return true;
    const { ranges } = this;
    for (let i = 0; i < ranges.length; i += 2) {
      if (sequence >= ranges[i]! && sequence <= ranges[i + 1]!) return true;
    }
    return false;
  }
}

/**
 * Writes a whole Data Acknowledgement Ranges chunk, header and all, with as many of its ranges as
 * fit. Shape: `VLU flowId | VLU bufferBlocks | VLU cumulativeAck | (VLU holes-1 | VLU received-1)*`.
 *
 * @param ranges as {@link Ack.ranges}; each at least one number beyond the end of the one before
 *   (of `cumulativeAck` for the first)
 * @returns false if not even the part before the ranges fits: nothing is written then
 */
export function writeRangeAck(
  to: Writer,
  flowId: number,
  bufferBlocks: number,
  cumulativeAck: number,
  ranges: readonly number[],
): boolean {
  const fixed = vluLength(flowId) + vluLength(bufferBlocks) + vluLength(cumulativeAck);
  const start = to.at;
  let room = Math.min(to.room, CHUNK_HEADER + 0xffff) - CHUNK_HEADER - fixed;
  if (room < 0) return false;
  to.u8(ChunkType.rangeAck).u16(0).vlu(flowId).vlu(bufferBlocks).vlu(cumulativeAck);
  let last = cumulativeAck;
  for (let i = 0; i + 1 < ranges.length; i += 2) {
    const first = ranges[i]!;
    const end = ranges[i + 1]!;
    const holes = first - last - 2;
    const received = end - first;
    room -= vluLength(holes) + vluLength(received);
    if (room < 0) break;
    to.vlu(holes).vlu(received);
    last = end;
  }
  const end = to.at;
  to.at = start + 1;
  to.u16(end - start - CHUNK_HEADER);
  to.at = end;
  return true;
}

/**
 * Reads the payload of a Data Acknowledgement Ranges chunk. A range cut off at the end is left
 * out; the ranges before it are valid.
 *
 * @throws {WireError} if it is cut off before the ranges
 */
export function readRangeAck(from: Reader, ack: Ack): void {
  readFixed(from, ack);
  let last = ack.cumulativeAck;
  while (ack.ranges.length < 2 * MAX_RANGES && holdsVlu(from)) {
    const first = last + 2 + from.vlu();
    if (!holdsVlu(from)) return;
    last = first + from.vlu();
    if (last >= Number.MAX_SAFE_INTEGER) return; // no such number was ever sent
    ack.ranges.push(first, last);
  }
}

/** Whether a complete variable length integer is left; a test is cheaper than catching an error. */
function holdsVlu(from: Reader): boolean {
  const { input, at } = from;
  for (let i = at, end = at + from.left; i < end; i++) {
    if (input[i]! < 0x80) return true;
  }
  return false;
}

/**
 * Reads the payload of a Data Acknowledgement Bitmap chunk.
 *
 * @throws {WireError} if it is cut off before the bitmap
 */
export function readBitmapAck(from: Reader, ack: Ack): void {
  readFixed(from, ack);
  const { ranges } = ack;
  let sequence = ack.cumulativeAck + 2;
  let inside = false;
  // Larger numbers are never sent and are not exact.
  const isExact = () => sequence <= Number.MAX_SAFE_INTEGER - 8;
  while (from.left > 0 && ranges.length < 2 * MAX_RANGES && isExact()) {
    const byte = from.u8();
    if (byte === (inside ? 0xff : 0)) { // no run begins or ends in it
      sequence += 8;
      continue;
    }
    for (let bit = 0; bit < 8; bit++, sequence++) {
      const received: boolean = (byte & (1 << bit)) !== 0;
      if (received === inside) continue;
      ranges.push(received ? sequence : sequence - 1);
      inside = received;
    }
  }
  if (inside) ranges.push(sequence - 1);
}

function readFixed(from: Reader, ack: Ack): void {
  ack.ranges.length = 0;
  ack.flowId = from.vlu();
  ack.bufferBlocks = from.vlu();
  ack.cumulativeAck = from.vlu();
}
