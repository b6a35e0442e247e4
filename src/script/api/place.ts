import type { Lua } from "../vm/lua.ts";

/** A line of a script; no file is "" and line 0. */
export interface Place {
  readonly file: string;
  readonly line: number;
}

const NOWHERE: Place = { file: "", line: 0 };

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
export function placeIn(message: string): Place {
  const match = POSITION.exec(message);
  if (!match) return NOWHERE;
  return { file: match[1].split("/").slice(-2).join("/"), line: Number(match[2]) };
}

/** The innermost line of a script in a traceback. */
export function placeInTraceback(traceback: string): Place {
  for (const line of traceback.split("\n")) {
    const place = placeIn(line.trim());
    if (place.file.endsWith(".lua")) return place;
  }
  return NOWHERE;
}

/** A message without the position that Lua put before it. API-062 */
export const withoutPosition = (message: string): string =>
  message.replace(/^(?:\[string ".*?"\]|(?:[^\s:][^:\n]*)?\.lua|\.\.\.[^:\n]*):\d+: /, "");
