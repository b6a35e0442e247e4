// Names of shared objects, which clients choose, and their files. SO-081.
import { toUtf8 } from "../bytes/text.ts";

const MAX_SEGMENTS = 8;
/** Maximum bytes of a file's name: most systems allow 255, and the server appends `.broken-…` and `.tmp`. */
const MAX_SEGMENT = 200;
/** Characters that a file's name keeps; systems that do not distinguish "A" and "a" keep only "a". */
const PLAIN = Deno.build.os === "linux" ? /[A-Za-z0-9_\- ]/ : /[a-z0-9_\- ]/;
/** Names that Windows reserves for devices. */
const DEVICE = /^(?:con|prn|aux|nul|com\d|lpt\d)$/i;

/**
 * The file of an object, in the folder of its application.
 *
 * @param instance rest of the clients' path after the application's path: `""`, `/room`
 * @param name name of the object; `/` separates folders
 * @param suffix suffix of the file: no folder ends with it
 * @returns a path with `/`; undefined if it would be too long or too deep
 */
export function objectFile(instance: string, name: string, suffix: string): string | undefined {
  const folders = name.split("/");
  const file = folders.pop()!;
  const segments = [...folders.map(encode), encode(file) + suffix];
  if (instance !== "") segments.unshift(encode(instance)); // its "/" becomes "%2F", which never occurs in a name
  if (segments.length > MAX_SEGMENTS) return undefined;
  return segments.some(({ length }) => length > MAX_SEGMENT) ? undefined : segments.join("/");
}

/** Encodes a segment so that no character has a meaning for file systems; different segments stay different. */
function encode(segment: string): string {
  if (segment === "") return "%"; // no other segment becomes this
  const last = segment.length - 1;
  let text = "";
  let at = 0;
  for (const character of segment) {
    const isEnd = at === 0 || at === last;
    const plain = PLAIN.test(character) && !(character === " " && isEnd);
    text += plain ? character : percent(character);
    at += character.length;
  }
  return DEVICE.test(text) ? percent(text.charAt(0)) + text.slice(1) : text;
}

const percent = (character: string): string =>
  [...toUtf8(character)].map((byte) => `%${byte.toString(16).toUpperCase().padStart(2, "0")}`)
    .join("");
