// Paths of pages, below the root of the repository, with `/` on every system.
import { posix } from "node:path";
import { fileURLToPath } from "node:url";

/** With a slash at its end if the URL has one. */
export const fromFileUrl = (url: URL): string => fileURLToPath(url).replaceAll("\\", "/");

/** Where the page of a Markdown file stands: that of a README is the index of its folder. */
export const pageOf = (path: string): string =>
  path.replace(/(^|\/)README\.md$/, "$1index.html").replace(/\.md$/, ".html");

/** The path that a link of a file leads to; "" is the root. */
export function resolve(from: string, link: string): string {
  const path = posix.normalize(posix.join(posix.dirname(from), link)).replace(/\/$/, "");
  return path === "." ? "" : path;
}

/** The link from one path to another. */
export const relative = (from: string, to: string): string =>
  posix.relative(posix.dirname(from), to) || posix.basename(to);
