import type { Lua } from "../vm/lua.ts";
import type { ScriptError } from "../vm/script_error.ts";

/** A line of a script; no file is "" and line 0. */
export interface Place {
  readonly file: string;
  readonly line: number;
}

export const NOWHERE: Place = { file: "", line: 0 };

/** What Lua puts before messages: a chunk's name and a line. */
const POSITION = /^(\[string ".*?"\]|[^\s:][^:\n]*):(\d+): /;

/** The innermost line of a script that is running. */
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

/** Where a function is defined, as Lua tells it; functions that are not a script's have no place. */
export const placeOfDefinition = ({ source, line }: { source: string; line: number }): Place =>
  source.startsWith("@") ? { file: shortened(source.slice(1)), line } : NOWHERE;

/** Where an error happened: what its message begins with, else the innermost line of a script in its traceback. */
export function placeOfError({ message, traceback }: ScriptError): Place | undefined {
  const told = placeIn(message);
  if (told !== NOWHERE) return told;
  for (const line of traceback.split("\n")) {
    const place = placeIn(line.trim());
    if (place.file.endsWith(".lua")) return place;
  }
  return undefined;
}

/** Positions where a message begins, of messages that were raised again several; names of chunks have 59 bytes. */
const LEADING =
  /^(?:(?:\[string ".{0,60}?"\]|(?:[^\s:][^:\n]{0,60})?\.lua|\.\.\.[^:\n]{0,60}):\d{1,9}: )+/;
/** Positions within a text that something was put before. */
const INNER = /(?:\[string ".{0,60}?"\]|(?:\.\.\.|www\/|\/)[^:\n]{0,60}\.lua):\d{1,9}: /g;

/** The text of an error for clients: without file, line and traceback. API-062 */
export function withoutPositions({ plain }: ScriptError): string {
  const end = plain.indexOf("\nstack traceback:");
  const text = end < 0 ? plain : plain.slice(0, end);
  return text.replace(LEADING, "").replace(INNER, "");
}
