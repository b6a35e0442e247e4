// Text in bytes: UTF-8, where a byte that is not UTF-8 reads as U+FFFD.
const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

/** The UTF-8 bytes of a text. */
export const toUtf8 = (text: string): Uint8Array<ArrayBuffer> => encoder.encode(text);

/** Below this length V8 makes slices as copies. */
const MIN_SLICE = 13;

/**
 * A copy of the first `most` characters that keeps nothing else alive: a slice or match of a text holds the
 * whole text in memory for as long as it is held itself. Surrogates without their partner become U+FFFD.
 */
export function ownText(text: string, most = Infinity): string {
  if (text.length < MIN_SLICE && text.length <= most) return text;
  return decoder.decode(encoder.encode(text.slice(0, most)));
}

/** The text of UTF-8 bytes; never throws. */
export const fromUtf8 = (bytes: Uint8Array): string => decoder.decode(bytes);
