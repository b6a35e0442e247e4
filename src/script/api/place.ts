import type { Lua } from "../vm/lua.ts";
import type { ScriptError } from "../vm/script_error.ts";

/** A line of a script. */
export interface Place {
  readonly file: string;
  readonly line: number;
}

/** No line of a script. */
export const NOWHERE: Place = { file: "", line: 0 };

/** Matches the position that Lua puts before messages: a chunk's name and a line. */
const POSITION = /^(\[string ".*?"\]|[^\s:][^:\n]*):(\d+): /;

/** The innermost running line of a script. */
export function placeOf(lua: Lua): Place {
  for (let level = 1; level < 6; level++) {
    const place = placeIn(lua.where(level));
    if (place !== NOWHERE) return place;
  }
  return NOWHERE;
}

/** The position that a message begins with. API-052: the file with its folder. */
function placeIn(message: string): Place {
  const [, chunk, line] = POSITION.exec(message) ?? [];
  return chunk === undefined ? NOWHERE : { file: shortened(chunk), line: Number(line) };
}

const shortened = (chunk: string): string => chunk.split("/").slice(-2).join("/");

/** Place of a definition from {@link Lua.definition}; {@link NOWHERE} for functions that are not a script's. */
export const placeOfDefinition = ({ source, line }: { source: string; line: number }): Place =>
  source.startsWith("@") ? { file: shortened(source.slice(1)), line } : NOWHERE;

/** Place of an error: from the start of its message, else the innermost line of a script in its traceback. */
export function placeOfError({ message, traceback }: ScriptError): Place | undefined {
  const first = placeIn(message);
  if (first !== NOWHERE) return first;
  for (const line of traceback.split("\n")) {
    const place = placeIn(line.trim());
    if (place.file.endsWith(".lua")) return place;
  }
  return undefined;
}

/** Matches the positions at the start of a message; one that was raised again has several. Names have 59 bytes. */
const LEADING =
  /^(?:(?:\[string ".{0,60}?"\]|(?:[^\s:][^:\n]{0,60})?\.lua|\.\.\.[^:\n]{0,60}):\d{1,9}: )+/;
/** Matches positions inside a message. */
const INNER = /(?:\[string ".{0,60}?"\]|(?:\.\.\.|www\/|\/)[^:\n]{0,60}\.lua):\d{1,9}: /g;

/** The text of an error for clients: without file, line and traceback. API-062 */
export function withoutPositions({ plain }: ScriptError): string {
  const end = plain.indexOf("\nstack traceback:");
  const text = end < 0 ? plain : plain.slice(0, end);
  return text.replace(LEADING, "").replace(INNER, "");
}
