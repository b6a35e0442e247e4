// How the binary format writes numbers, names and lists.
// WebAssembly Core Specification 2.0, chapter 5.

/** Bytes of a module, or of a piece of one. */
export type Code = readonly number[];

/** Concatenates pieces, many times as fast as spreading them in a list. */
export const join = (...pieces: Code[]): number[] => ([] as number[]).concat(...pieces);

/** Unsigned LEB128 of an integer below 2^32. §5.2.2 */
export function unsigned(value: number): number[] {
  const bytes: number[] = [];
  for (; value >= 0x80; value = Math.floor(value / 0x80)) bytes.push((value & 0x7f) | 0x80);
  return [...bytes, value];
}

/** Signed LEB128 of a 32-bit integer. §5.2.2 */
export function signed(value: number): number[] {
  const bytes: number[] = [];
  for (; value < -0x40 || value >= 0x40; value >>= 7) bytes.push((value & 0x7f) | 0x80);
  return [...bytes, value & 0x7f];
}

/** A vector: how many items, then the items. §5.1.3 */
export const vector = (items: readonly Code[]): number[] => join(unsigned(items.length), ...items);

/** UTF-8, its length before it. §5.2.4 */
export function name(text: string): number[] {
  const bytes = new TextEncoder().encode(text);
  return [...unsigned(bytes.length), ...bytes];
}

/** A piece of a module with its length before it, as sections and bodies of functions have it. */
export const sized = (content: Code): number[] => join(unsigned(content.length), content);
