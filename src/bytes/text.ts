// Text in bytes: UTF-8, where a byte that is not UTF-8 reads as U+FFFD.
const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

/** The UTF-8 bytes of a text. */
export const toUtf8 = (text: string): Uint8Array<ArrayBuffer> => encoder.encode(text);

/** The text of UTF-8 bytes; never throws. */
export const fromUtf8 = (bytes: Uint8Array): string => decoder.decode(bytes);
