/** Bytes of a file, from the first to the last. */
export interface ByteRange {
  readonly first: number;
  readonly last: number;
}

/**
 * Reads a Range header that asks for one range. RFC 9110 §14.
 *
 * @returns undefined: the whole file, also for invalid headers and for several ranges; "none": the range
 *   contains no byte of the file
 */
export function readRange(header: string | null, size: number): ByteRange | "none" | undefined {
  const match = /^bytes=(\d*)-(\d*)$/i.exec(header?.trim() ?? "");
  if (!match || (match[1] === "" && match[2] === "")) return undefined;
  const [, from, to] = match;
  const end = size - 1;
  if (from === "") {
    const count = Number(to);
    return count === 0 || size === 0 ? "none" : { first: Math.max(0, size - count), last: end };
  }
  const first = Number(from);
  const last = to === "" ? end : Math.min(end, Number(to));
  if (to !== "" && Number(to) < first) return undefined;
  return first > end ? "none" : { first, last };
}
