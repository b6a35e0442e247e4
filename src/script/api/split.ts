import { ScriptError } from "../vm/script_error.ts";

/** Maximum number of tokens, below the maximum number of results of a Lua function. */
const MAX_TOKENS = 200_000;
const SPACE = new Set([9, 10, 11, 12, 13, 32]);

/**
 * The tokens of `cumulus:split`. API-135
 *
 * @param separators each of these bytes is a separator
 * @param option 1: without empty tokens; 2: without blanks around tokens; 3: both
 */
export function split(text: Uint8Array, separators: Uint8Array, option: number): Uint8Array[] {
  if (text.length === 0) return [];
  const separates = new Uint8Array(256);
  for (const byte of separators) separates[byte] = 1;
  const tokens: Uint8Array[] = [];
  let start = 0;
  for (let i = 0; i <= text.length; i++) {
    const byte = text[i]; // undefined after the last token
    if (byte !== undefined && !separates[byte]) continue;
    const token = option & 2 ? trimmed(text.subarray(start, i)) : text.subarray(start, i);
    if (token.length > 0 || !(option & 1)) tokens.push(token);
    if (tokens.length > MAX_TOKENS) throw new ScriptError("too many tokens to split into");
    start = i + 1;
  }
  return tokens;
}

function trimmed(bytes: Uint8Array): Uint8Array {
  const isText = (byte: number) => !SPACE.has(byte);
  const start = bytes.findIndex(isText);
  return start < 0 ? bytes.subarray(0, 0) : bytes.subarray(start, bytes.findLastIndex(isText) + 1);
}
