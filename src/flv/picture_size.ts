// How large the pictures of an H.264 stream are, by its decoder configuration: ISO/IEC 14496-15
// §5.3.3.1 (AVCDecoderConfigurationRecord), and the sequence parameter set in it, ITU-T H.264 §7.3.2.1.1.
import { Reader } from "../bytes/reader.ts";

/** In pixels. */
export interface PictureSize {
  readonly width: number;
  readonly height: number;
}

/** Profiles whose parameter sets contain chroma format and scaling lists. */
const HIGH_PROFILES = new Set([100, 110, 122, 244, 44, 83, 86, 118, 128, 138, 139, 134, 135]);

/**
 * @param header FLV video body with an AVC sequence header, classic or enhanced
 * @returns undefined if it is not one or is invalid
 */
export function pictureSize(header: Uint8Array): PictureSize | undefined {
  const first = header[0] ?? 0;
  const isEnhanced = (first & 0x80) !== 0;
  const isAvc = isEnhanced
    ? String.fromCharCode(...header.subarray(1, 5)) === "avc1" && (first & 15) === 0
    : (first & 15) === 7 && header[1] === 0;
  if (!isAvc) return undefined;
  const record = header.subarray(5);
  if (record.length < 9) return undefined;
  const from = new Reader(record, 5);
  const sets = from.u8() & 31;
  const length = from.u16();
  if (sets === 0 || length > from.left) return undefined;
  const set = from.bytes(length);
  try {
    return sizeOf(new Bits(withoutEscapes(set.subarray(1))));
  } catch {
    return undefined; // cut off
  }
}

function sizeOf(bits: Bits): PictureSize | undefined {
  const profile = bits.read(8);
  bits.read(16); // constraints, level
  bits.unsigned(); // its id
  let chroma = 1;
  if (HIGH_PROFILES.has(profile)) {
    chroma = bits.unsigned();
    if (chroma === 3) bits.read(1); // separate colour planes
    bits.unsigned();
    bits.unsigned(); // bit depths
    bits.read(1);
    if (bits.read(1)) skipScaling(bits, chroma === 3 ? 12 : 8);
  }
  bits.unsigned(); // log2_max_frame_num
  const order = bits.unsigned();
  if (order === 0) bits.unsigned();
  else if (order === 1) {
    bits.read(1);
    bits.signed();
    bits.signed();
    for (let rest = bits.unsigned(); rest > 0; rest--) bits.signed();
  }
  bits.unsigned(); // reference frames
  bits.read(1);
  const blocksAcross = bits.unsigned() + 1;
  const unitsDown = bits.unsigned() + 1;
  const fieldsOfFrame = bits.read(1) ? 1 : 2; // 2: interlaced
  if (fieldsOfFrame === 2) bits.read(1);
  bits.read(1);
  let [width, height] = [blocksAcross * 16, unitsDown * 16 * fieldsOfFrame];
  if (bits.read(1)) { // cropped
    const unitX = chroma === 1 || chroma === 2 ? 2 : 1;
    const unitY = (chroma === 1 ? 2 : 1) * fieldsOfFrame;
    width -= (bits.unsigned() + bits.unsigned()) * unitX;
    height -= (bits.unsigned() + bits.unsigned()) * unitY;
  }
  return width > 0 && height > 0 && width <= 65_536 && height <= 65_536
    ? { width, height }
    : undefined;
}

/** Skips scaling lists. ITU-T H.264 §7.3.2.1.1.1. */
function skipScaling(bits: Bits, lists: number): void {
  for (let list = 0; list < lists; list++) {
    if (!bits.read(1)) continue;
    let [last, next] = [8, 8];
    for (let i = 0; i < (list < 6 ? 16 : 64); i++) {
      if (next !== 0) next = (last + bits.signed() + 256) % 256;
      if (next !== 0) last = next;
    }
  }
}

/** Removes the emulation prevention bytes: 0 0 3 stands for 0 0. */
function withoutEscapes(set: Uint8Array): Uint8Array {
  return set.filter((byte, i) => !(byte === 3 && set[i - 1] === 0 && set[i - 2] === 0 && i >= 2));
}

class Bits {
  #at = 0;
  constructor(readonly input: Uint8Array) {}

  /** @throws {RangeError} at the end of the input */
  read(count: number): number {
    let value = 0;
    for (; count > 0; count--) {
      const byte = this.input[this.#at >> 3];
      if (byte === undefined) throw new RangeError("Parameter set is cut off");
      value = value * 2 + (byte >> (7 - this.#at++ % 8) & 1);
    }
    return value;
  }

  /** Exponential Golomb code, ITU-T H.264 §9.1. */
  unsigned(): number {
    let zeros = 0;
    while (!this.read(1)) if (++zeros > 31) throw new RangeError("Code is too long");
    return 2 ** zeros - 1 + this.read(zeros);
  }

  signed(): number {
    const code = this.unsigned();
    return code % 2 ? (code + 1) / 2 : -code / 2;
  }
}
