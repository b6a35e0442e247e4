// Skips what Lua skips at the start of a file only: luaL_loadfilex of the Lua 5.4 Reference Manual, §5.1.

const LINE_FEED = 10, HASH = 0x23;

/**
 * A file without its byte order mark (UTF-8), and without the text of a first line that begins with `#`. The end
 * of that line stays, so that lines keep their numbers.
 */
export function sourceOfFile(file: Uint8Array): Uint8Array {
  const marked = file[0] === 0xef && file[1] === 0xbb && file[2] === 0xbf;
  const source = marked ? file.subarray(3) : file;
  if (source[0] !== HASH) return source;
  const end = source.indexOf(LINE_FEED);
  return end < 0 ? source.subarray(source.length) : source.subarray(end);
}
