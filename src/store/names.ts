// Names of recordings, which clients choose, and their files. VOD-060.

const MAX_SEGMENTS = 8;
/** Maximum characters of a segment, and bytes of the whole name. */
const MAX_SEGMENT = 128;
const MAX_BYTES = 255;
/** Letters and digits of any script, `_ - . space`; no control or format characters. */
const SEGMENT = /^[\p{L}\p{M}\p{N}_\-. ]+$/u;
/** Names that Windows reserves for devices, with any suffix. */
const DEVICE = /^(?:con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³])(?: *\.|$)/i;

/**
 * The file of a recording: `flv:a/b`, `a/b.flv` and `a/b` are `a/b.flv`.
 *
 * @returns its path in the folder of recordings, with `/`; undefined for invalid
 *   names, such as those of other containers (`mp4:`, `mp3:`)
 */
export function recordingFile(text: string): string | undefined {
  const name = text.replace(/^flv:/, "").replace(/\.flv$/i, "").normalize("NFC");
  if (new TextEncoder().encode(name).length > MAX_BYTES) return undefined;
  const segments = name.split("/");
  if (segments.length > MAX_SEGMENTS || !segments.every(isSegment)) return undefined;
  return `${name}.flv`;
}

function isSegment(segment: string): boolean {
  if (segment.length > MAX_SEGMENT || !SEGMENT.test(segment)) return false;
  if (/^[. ]|[. ]$/.test(segment) || segment.includes("..")) return false;
  return !DEVICE.test(segment);
}
