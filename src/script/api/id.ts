import { toHex } from "../../bytes/hex.ts";
import { fromUtf8 } from "../../bytes/text.ts";
import type { Args } from "./values.ts";

/**
 * Reads the id of a client, peer or group: 64 hexadecimal digits of either case, or 32 bytes. API-203
 *
 * @returns the id as lower-case digits; undefined if it is invalid
 */
export function idOf(args: Args): string | undefined {
  const bytes = args.isText ? args.bytes() : new Uint8Array(args.skip() ?? 0);
  if (bytes.length === 32) return toHex(bytes);
  if (bytes.length !== 64) return undefined;
  const text = fromUtf8(bytes).toLowerCase();
  return /^[0-9a-f]{64}$/.test(text) ? text : undefined;
}
