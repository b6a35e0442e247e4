// The web door's own pages, which are part of the program: WEB-704.
import mpegts from "mpegts.js/dist/mpegts.js" with { type: "text" };
import client from "../../clients/js/cumulus.js" with { type: "text" };
import baseStyle from "./page/base.css" with { type: "text" };
import frontStyle from "./page/front.css" with { type: "text" };
import frontPage from "./page/front.html" with { type: "text" };
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

/** The page that plays a stream: the stream's name is in the page's address. */
export const player: Page = page(HTML, playerPage);
/** The page that lists live streams. */
export const list: Page = page(HTML, listPage);

/** Sample applications with a page, and their descriptions. The front page does not show the names of others. */
export const SAMPLES: ReadonlyMap<string, string> = new Map([
  ["chat", "a chat: open it in two windows"],
  ["board", "a drawing board that all visitors share"],
  ["vod", "recordings"],
]);
const NO_SAMPLES =
  "<p>The sample pages (a chat, a drawing board, recordings) are not installed. A " +
  "release has them as <code>www.tar.gz</code>: unpack it beside <code>CumulusServer.ini</code>. It has a <code>www/main.lua</code>, too.</p>";

/**
 * The page at `/` of a server whose root application has no page, and that lists no streams.
 *
 * @param samples names of {@link SAMPLES} that are installed
 */
export function front(samples: readonly string[]): Page {
  const items = samples.map((name) =>
    `<li><a href="/${name}/">/${name}/</a>: ${SAMPLES.get(name)}</li>`
  );
  const pages = items.length > 0 ? `<ul>${items.join("")}</ul>` : NO_SAMPLES;
  return page(HTML, frontPage.replace("{pages}", pages));
}

/** Files by path. No application can have the path `/-/`. */
export const files: ReadonlyMap<string, Page> = new Map([
  ["/cumulus.js", page(SCRIPT, client)],
  ["/-/mpegts.js", page(SCRIPT, mpegts)],
  ["/-/player.js", page(SCRIPT, playerScript)],
  ["/-/player.css", page(STYLE, playerStyle)],
  ["/-/front.css", page(STYLE, baseStyle + frontStyle)],
  ["/-/list.js", page(SCRIPT, listScript)],
  ["/-/list.css", page(STYLE, baseStyle + listStyle)],
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
