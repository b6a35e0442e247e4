// Bytes as hexadecimal text, and back.

/** Lower-case hexadecimal digits, two a byte. */
export const toHex = (bytes: Uint8Array): string => bytes.toHex();

/**
 * Reads hexadecimal digits of either case; blanks between them are skipped.
 *
 * @throws {RangeError} on any other character or an odd number of digits
 */
export function fromHex(text: string): Uint8Array<ArrayBuffer> {
  const digits = text.replace(/\s+/g, "");
  if (digits.length % 2 !== 0 || /[^0-9a-fA-F]/.test(digits)) {
    throw new RangeError(`Cannot read "${text.slice(0, 40)}" as hexadecimal`);
  }
  const bytes = new Uint8Array(digits.length / 2);
  for (let i = 0; i < bytes.length; i++) bytes[i] = parseInt(digits.slice(2 * i, 2 * i + 2), 16);
  return bytes;
}
