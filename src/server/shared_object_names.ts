// Names of shared objects, which clients write, and the files they stand for. SO-081.
import { toUtf8 } from "../bytes/text.ts";

const MAX_SEGMENTS = 8;
/** Bytes of the name of a file, which most systems bound by 255; `.broken-…` and `.tmp` come behind. */
const MAX_SEGMENT = 200;
/** What stands in a file's name as it is; where systems take "A" for "a", one of the two is written otherwise. */
const PLAIN = Deno.build.os === "linux" ? /[A-Za-z0-9_\- ]/ : /[a-z0-9_\- ]/;
/** Names that Windows keeps for devices. */
const DEVICE = /^(?:con|prn|aux|nul|com\d|lpt\d)$/i;

/**
 * The file of an object, in the folder of its application.
 *
 * @param instance rest of the clients' path after that of the application: `""`, `/room`
 * @param name of the object; `/` parts folders
 * @param suffix of the file: no folder ends with it
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

/** A segment in which nothing means anything to a file system; two are never alike. */
function encode(segment: string): string {
  if (segment === "") return "%"; // which is not what any other one becomes
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
