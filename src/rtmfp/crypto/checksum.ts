/**
 * The one's-complement checksum over `bytes[start..end)`: 16-bit big-endian words are added, an odd
 * last byte as its plain value, carries folded, the sum complemented. RFC 7425 §4.7.
 */
export function checksum(bytes: Uint8Array, start: number, end: number): number {
  let sum = 0; // of at most 32768 words, so it stays below 2^31
  const even = end - ((end - start) & 1);
  for (let i = start; i < even; i += 2) sum += (bytes[i] << 8) | bytes[i + 1];
  if (even < end) sum += bytes[even];
  sum = (sum & 0xffff) + (sum >>> 16);
  sum += sum >>> 16;
  return ~sum & 0xffff;
}
