// Charsets of readMultiByte and writeMultiByte. AMF-098.
import { fromUtf8, toUtf8 } from "../../bytes/text.ts";
import { ScriptError } from "../vm/script_error.ts";

/** Text in a charset to and from UTF-8. */
interface Charset {
  /** Bytes that encode no character become U+FFFD. */
  toUtf8(bytes: Uint8Array): Uint8Array;
  /** Characters that the charset lacks become `?`. */
  fromUtf8(bytes: Uint8Array): Uint8Array;
}

const REPLACEMENT = "\ufffd";

/** A charset of one byte per character; `text` holds its 256 characters. */
function singleByte(text: string): Charset {
  const codes = new Map([...text].map((character, code) => [character, code]));
  codes.delete(REPLACEMENT);
  return {
    toUtf8: (bytes) => toUtf8(Array.from(bytes, (code) => text[code]).join("")),
    fromUtf8: (bytes) =>
      Uint8Array.from(fromUtf8(bytes), (character) => codes.get(character) ?? 0x3f),
  };
}

/** The code points 0 to 255, some of them replaced by others. */
function latin(changes: Record<number, string>): string {
  let text = "";
  for (let code = 0; code < 256; code++) text += changes[code] ?? String.fromCharCode(code);
  return text;
}

/** Two bytes per code unit. A byte order mark decides their order in input; without it, `littleEndian` does. */
const utf16 = (littleEndian: boolean): Charset => ({
  toUtf8: (bytes) => {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    let little = littleEndian;
    let at = 0;
    if (bytes.length >= 2) {
      const mark = view.getUint16(0);
      if (mark === 0xfffe || mark === 0xfeff) {
        little = mark === 0xfffe;
        at = 2;
      }
    }
    let text = "";
    for (; at + 1 < bytes.length; at += 2) text += String.fromCharCode(view.getUint16(at, little));
    return toUtf8(at < bytes.length ? text + REPLACEMENT : text);
  },
  fromUtf8: (bytes) => {
    const text = fromUtf8(bytes);
    const view = new DataView(new ArrayBuffer(2 * text.length));
    for (let i = 0; i < text.length; i++) view.setUint16(2 * i, text.charCodeAt(i), littleEndian);
    return new Uint8Array(view.buffer);
  },
});

const ascii = Object.fromEntries(Array.from({ length: 128 }, (_, i) => [128 + i, REPLACEMENT]));

// Characters of ISO 8859-15 that differ from ISO 8859-1, and those of Windows in place of control characters.
const latin9 = {
  0xa4: "€",
  0xa6: "Š",
  0xa8: "š",
  0xb4: "Ž",
  0xb8: "ž",
  0xbc: "Œ",
  0xbd: "œ",
  0xbe: "Ÿ",
};
const windows = "€\x81‚ƒ„…†‡ˆ‰Š‹Œ\x8dŽ\x8f\x90‘’“”•–—˜™š›œ\x9džŸ";
const windows1252 = Object.fromEntries([...windows].map((character, i) => [0x80 + i, character]));

const utf8: Charset = {
  toUtf8: (bytes) => bytes,
  fromUtf8: (bytes) => bytes,
};
const charsets = {
  ascii: singleByte(latin(ascii)),
  latin1: singleByte(latin({})),
  latin9: singleByte(latin(latin9)),
  windows1252: singleByte(latin(windows1252)),
  utf16: utf16(false),
  utf16le: utf16(true),
};

const byName = new Map<string, Charset>([
  ["utf8", utf8],
  ["ascii", charsets.ascii],
  ["usascii", charsets.ascii],
  ["iso88591", charsets.latin1],
  ["latin1", charsets.latin1],
  ["iso885915", charsets.latin9],
  ["latin9", charsets.latin9],
  ["windows1252", charsets.windows1252],
  ["cp1252", charsets.windows1252],
  ["utf16", charsets.utf16],
  ["unicode", charsets.utf16],
  ["utf16be", charsets.utf16],
  ["utf16le", charsets.utf16le],
]);

/**
 * Finds a charset by name; ignores case, blanks, `-` and `_`.
 *
 * @throws {ScriptError} if the name is unknown
 */
export function charset(name: string): Charset {
  const found = byName.get(name.toLowerCase().replace(/[\s_-]+/g, ""));
  if (!found) throw new ScriptError(`Unknown charset: "${name}"`);
  return found;
}
