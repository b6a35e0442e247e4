import { equalBytes } from "../../bytes/equal.ts";

/** Maximum number of remembered metadata. */
const MAX_REMEMBERED = 16;
/** Maximum length of remembered metadata in bytes. */
const MAX_LENGTH = 64;
const recent: Uint8Array[] = [];

/**
 * A copy of a flow's metadata that all flows with equal metadata share: nearly every session has a flow
 * of the same kind.
 */
export function sharedMetadata(metadata: Uint8Array): Uint8Array {
  const known = recent.find((one) => equalBytes(one, metadata));
  if (known) return known;
  const copy = metadata.slice();
  if (copy.length > MAX_LENGTH) return copy;
  if (recent.length === MAX_REMEMBERED) recent.shift();
  recent.push(copy);
  return copy;
}
