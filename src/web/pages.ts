// The pages of the web door itself, which are part of the program: WEB-704.
import mpegts from "mpegts.js/dist/mpegts.js" with { type: "text" };
import client from "../../clients/js/cumulus.js" with { type: "text" };
import listStyle from "./page/list.css" with { type: "text" };
import listPage from "./page/list.html" with { type: "text" };
import listScript from "./page/list.js" with { type: "text" };
import playerStyle from "./page/player.css" with { type: "text" };
import playerPage from "./page/player.html" with { type: "text" };
import playerScript from "./page/player.js" with { type: "text" };

export interface Page {
  readonly type: string;
  readonly text: string;
  readonly etag: string;
}

const HTML = "text/html; charset=utf-8";
const SCRIPT = "text/javascript; charset=utf-8";
const STYLE = "text/css; charset=utf-8";

/** The page that plays a stream: its own address names it. */
export const player: Page = page(HTML, playerPage);
/** The page that lists live streams. */
export const list: Page = page(HTML, listPage);

/** Files by path. No application has the path `/-/`. */
export const files: ReadonlyMap<string, Page> = new Map([
  ["/cumulus.js", page(SCRIPT, client)],
  ["/-/mpegts.js", page(SCRIPT, mpegts)],
  ["/-/player.js", page(SCRIPT, playerScript)],
  ["/-/player.css", page(STYLE, playerStyle)],
  ["/-/list.js", page(SCRIPT, listScript)],
  ["/-/list.css", page(STYLE, listStyle)],
]);

function page(type: string, text: string): Page {
  return { type, text, etag: `"${fnv(text)}"` };
}

/** A hash that changes with the text: FNV-1a, 32 bits. */
function fnv(text: string): string {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return (hash >>> 0).toString(16);
}
