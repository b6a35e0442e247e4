import { vluLength, type Writer } from "../../src/bytes/writer.ts";
import { WireError } from "../../src/bytes/wire_error.ts";
import { CHUNK_HEADER, ChunkType } from "../../src/rtmfp/wire/chunk.ts";

/**
 * Writes a whole Data Acknowledgement Bitmap chunk with its header. Bit 0 of the first byte stands
 * for `cumulativeAck + 2`. The server writes range acknowledgements instead.
 *
 * @param ranges as for `writeRangeAck`
 * @throws {WireError} if it does not fit
 */
export function writeBitmapAck(
  to: Writer,
  flowId: number,
  bufferBlocks: number,
  cumulativeAck: number,
  ranges: readonly number[],
): void {
  const base = cumulativeAck + 2;
  const bits = ranges.length > 1 ? ranges[ranges.length - 1] - base + 1 : 0;
  const bytes = Math.ceil(bits / 8);
  const fixed = vluLength(flowId) + vluLength(bufferBlocks) + vluLength(cumulativeAck);
  if (to.room < CHUNK_HEADER + fixed + bytes || fixed + bytes > 0xffff) {
    throw new WireError(`Cannot write a bitmap of ${bytes} bytes: ${to.room} left`);
  }
  to.u8(ChunkType.bitmapAck).u16(fixed + bytes).vlu(flowId).vlu(bufferBlocks).vlu(cumulativeAck);
  for (let byte = 0, range = 0; byte < bytes; byte++) {
    let value = 0;
    for (let bit = 0; bit < 8; bit++) {
      const sequence = base + byte * 8 + bit;
      if (sequence > ranges[range + 1]) range += 2;
      if (sequence >= ranges[range]) value |= 1 << bit;
    }
    to.u8(value);
  }
}
