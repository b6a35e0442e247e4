import { fromUtf8 } from "../bytes/text.ts";

/** Maximum length in bytes of a text that is kept. */
const MAX_KEPT_LENGTH = 24;
const known: (string | undefined)[] = new Array(512).fill(undefined);

/**
 * The text of UTF-8 bytes from `start` up to `end`.
 *
 * Messages name the same commands and members over and over, and comparing a short text with one
 * made before is far quicker than decoding it, so up to 512 short texts are kept.
 */
export function readText(bytes: Uint8Array, start: number, end: number): string {
  const length = end - start;
  if (length === 0) return "";
  if (length > MAX_KEPT_LENGTH) return fromUtf8(bytes.subarray(start, end));
  let hash = length;
  for (let i = start; i < end; i++) hash = Math.imul(hash, 31) + bytes[i]! | 0;
  const place = (hash ^ hash >>> 9) & 511;
  const candidate = known[place];
  if (candidate !== undefined && equals(candidate, bytes, start, length)) return candidate;
  const text = fromUtf8(bytes.subarray(start, end));
  if (text.length === length) known[place] = text; // no byte was part of a longer character
  return text;
}

/** Of texts in ASCII: a byte above 0x7f equals no character of one. */
function equals(text: string, bytes: Uint8Array, start: number, length: number): boolean {
  if (text.length !== length) return false;
  for (let i = 0; i < length; i++) if (text.charCodeAt(i) !== bytes[start + i]) return false;
  return true;
}
