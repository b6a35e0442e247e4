// Finds bytes in bytes, in a time that grows with the sum of both lengths; that of Lua's own `string.find` can grow
// with their product. Knuth, Morris, Pratt: Fast pattern matching in strings, SIAM Journal on Computing 6 (1977).

/**
 * @param first first position to look at, as in scripts: 1 is the first byte, -1 the last one, 0 the same as 1
 * @returns index of the part, from 0; -1 if it is not there
 */
export function locate(text: Uint8Array, part: Uint8Array, first: number): number {
  const start = first < 0 ? Math.max(0, text.length + first) : Math.max(0, first - 1);
  if (start + part.length > text.length) return -1;
  if (part.length === 0) return start;
  const borders = bordersOf(part);
  let matched = 0;
  for (let i = start; i < text.length; i++) {
    while (matched > 0 && text[i] !== part[matched]) matched = borders[matched - 1]!;
    if (text[i] === part[matched]) matched++;
    if (matched === part.length) return i + 1 - matched;
  }
  return -1;
}

/** For each beginning of the part, the length of the longest shorter one that also ends it. */
function bordersOf(part: Uint8Array): Int32Array {
  const borders = new Int32Array(part.length);
  let length = 0;
  for (let i = 1; i < part.length; i++) {
    while (length > 0 && part[i] !== part[length]) length = borders[length - 1]!;
    if (part[i] === part[length]) length++;
    borders[i] = length;
  }
  return borders;
}
