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
  const match = POSITION.exec(message);
  if (!match) return NOWHERE;
  return { file: shortened(match[1]), line: Number(match[2]) };
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

/** A message without the position that Lua put before it. API-062 */
export const withoutPosition = (message: string): string =>
  message.replace(/^(?:\[string ".*?"\]|(?:[^\s:][^:\n]*)?\.lua|\.\.\.[^:\n]*):\d+: /, "");
