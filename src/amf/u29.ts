import type { Reader } from "../bytes/reader.ts";
import type { Writer } from "../bytes/writer.ts";

/** The smallest and the largest number that AMF3 writes as an integer. AMF3 specification §3.6. */
export const MIN_INTEGER = -0x10000000;
export const MAX_INTEGER = 0x0fffffff;

/**
 * Reads an unsigned integer of 29 bits: three times 7 bits, then 8. AMF3 specification §1.3.1.
 *
 * @throws {WireError} if the input ends inside the integer
 */
export function readU29(from: Reader): number {
  let value = 0;
  for (let i = 0; i < 3; i++) {
    const byte = from.u8();
    if (byte < 0x80) return (value << 7) | byte;
    value = (value << 7) | (byte & 0x7f);
  }
  return (value << 8) | from.u8();
}

/** Writes the low 29 bits of `value` in as few bytes as they take. */
export function writeU29(to: Writer, value: number): void {
  value &= 0x1fffffff;
  if (value < 0x80) to.u8(value);
  else if (value < 0x4000) to.u16((value << 1) & 0x7f00 | 0x8000 | value & 0x7f);
  else if (value < 0x200000) {
    to.u24((value << 2) & 0x7f0000 | 0x808000 | (value << 1) & 0x7f00 | value & 0x7f);
  } else to.u32((value << 2) & 0x7f000000 | (value << 1) & 0x7f0000 | value & 0x7fff | 0x80808000);
}

/** The signed number that 29 bits stand for. */
export const toSigned29 = (value: number): number => (value << 3) >> 3;
