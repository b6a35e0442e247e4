// Percent-encoded UTF-8, as in URLs. RFC 3986 §2.1.

/** The least code point that a sequence of n bytes may encode, by n. */
const MIN_CODE = [0, 0, 0x80, 0x800, 0x10000];

/**
 * Decodes `%XX`. Takes time in proportion to the text even if it is malformed: `decodeURIComponent` throws,
 * which takes a hundred times as long.
 *
 * @returns undefined if an escape is incomplete, or the decoded bytes are not UTF-8
 */
export function percentDecoded(text: string): string | undefined {
  let decoded = "";
  let from = 0;
  for (let at = text.indexOf("%"); at >= 0; at = text.indexOf("%", from)) {
    decoded += text.slice(from, at);
    const first = byteAt(text, at);
    const length = first < 0x80
      ? 1
      : first < 0xc2
      ? 0
      : first < 0xe0
      ? 2
      : first < 0xf0
      ? 3
      : first < 0xf5
      ? 4
      : 0;
    if (first < 0 || length === 0) return undefined;
    let code = length === 1 ? first : first & (0xff >> (length + 1));
    for (let i = 1; i < length; i++) {
      const byte = byteAt(text, at + 3 * i);
      if ((byte & 0xc0) !== 0x80) return undefined; // also where there is none
      code = code << 6 | byte & 0x3f;
    }
    const surrogate = code >= 0xd800 && code < 0xe000;
    if (code < MIN_CODE[length]! || code > 0x10ffff || surrogate) return undefined;
    decoded += String.fromCodePoint(code);
    from = at + 3 * length;
  }
  return from === 0 ? text : decoded + text.slice(from);
}

/** The byte that `%XX` at `at` stands for; -1 if there is none. */
function byteAt(text: string, at: number): number {
  if (text.charCodeAt(at) !== 0x25) return -1;
  const high = digit(text.charCodeAt(at + 1));
  const low = digit(text.charCodeAt(at + 2));
  return high < 0 || low < 0 ? -1 : high << 4 | low;
}

function digit(code: number): number {
  if (code >= 0x30 && code <= 0x39) return code - 0x30;
  const letter = code | 0x20;
  return letter >= 0x61 && letter <= 0x66 ? letter - 0x57 : -1;
}
