// The site: which files become pages, what is around them, and the index of the search.
import MiniSearch from "minisearch";
import { relink } from "./links.ts";
import { render, type Rendered } from "./markdown.ts";
import { fromFileUrl, pageOf, relative } from "./paths.ts";

/** Files and folders of Markdown that become pages. */
const SOURCES = [
  "README.md",
  "ARCHITECTURE.md",
  "CONTRIBUTING.md",
  "CHANGELOG.md",
  "SECURITY.md",
  "docs",
  "deploy",
  "clients/js",
  "bench/README.md",
];
/** Pages of those who work on the server are found by their contents, not by the search. */
const NOT_SEARCHED = /^(docs\/spec\/|bench\/|CHANGELOG|CONTRIBUTING|ARCHITECTURE)/;
/** How the search sees words; the page that searches has the same. */
const SEARCH = {
  fields: ["section", "page", "text"],
  storeFields: ["section", "page", "text", "href"],
};
/** Characters of a section that the search shows. */
const EXCERPT = 180;
const OWN = new URL("./page/", import.meta.url);

/** A group of the contents, as docs/README.md has them. */
interface Group {
  readonly title: string;
  readonly pages: { readonly path: string; readonly text: string }[];
}

/**
 * @param root of the repository, with a slash at its end
 * @param out a folder, which is emptied first
 * @throws {Error} that names every link which leads nowhere
 */
export async function buildSite(
  root: string,
  out: string,
): Promise<{ pages: number; files: number }> {
  const sources = SOURCES.flatMap((path) => markdownIn(root, path));
  const pages = new Map<string, Rendered>(
    sources.map((path) => [path, render(Deno.readTextFileSync(root + path))]),
  );
  const targets = {
    pages: new Map(
      [...pages].map(([path, { sections }]) => [path, new Set(sections.map(({ id }) => id))]),
    ),
    isFile: (path: string) => stat(root + path)?.isFile ?? false,
    isFolder: (path: string) => stat(root + path)?.isDirectory ?? false,
  };
  const files = new Set<string>();
  const broken: string[] = [];
  const contents = contentsOf(pages.get("docs/README.md")?.html ?? "");
  const made = new Map<string, string>();
  for (const [path, page] of pages) {
    const linked = relink(page.html, path, targets);
    for (const file of linked.files) files.add(file);
    for (const link of linked.broken) broken.push(`${path}: ${link}`);
    made.set(pageOf(path), frame(path, page.title, linked.html, contents));
  }
  if (broken.length > 0) throw new Error(`Links that lead nowhere:\n  ${broken.join("\n  ")}`);

  await Deno.remove(out, { recursive: true }).catch(() => {});
  for (const [path, html] of made) write(`${out}/${path}`, html);
  for (const file of files) write(`${out}/${file}`, Deno.readFileSync(root + file));
  for (const name of ["style.css", "search.js"]) {
    write(`${out}/${name}`, Deno.readTextFileSync(new URL(name, OWN)));
  }
  write(`${out}/minisearch.js`, Deno.readTextFileSync(fromFileUrl(umdOfMiniSearch())));
  write(`${out}/search-index.js`, `globalThis.SEARCH_INDEX = ${JSON.stringify(indexOf(pages))};\n`);
  return { pages: made.size, files: files.size };
}

/** The form of MiniSearch that a page loads by a `script` element, from disk, too. */
const umdOfMiniSearch = (): URL => new URL("../umd/index.js", import.meta.resolve("minisearch"));

/** An index of all sections, as JSON in a script: a page from disk can read no file. */
function indexOf(pages: ReadonlyMap<string, Rendered>): unknown {
  const search = new MiniSearch({ idField: "href", ...SEARCH });
  for (const [path, { title, sections }] of pages) {
    if (NOT_SEARCHED.test(path)) continue;
    for (const { id, title: section, text } of sections) {
      search.add({ href: `${pageOf(path)}#${id}`, page: title, section, text });
    }
  }
  const index = JSON.parse(JSON.stringify(search));
  for (const stored of Object.values(index.storedFields) as { text: string }[]) {
    if (stored.text.length > EXCERPT) stored.text = `${stored.text.slice(0, EXCERPT)}…`;
  }
  return { options: SEARCH, index };
}

/** The lists of docs/README.md, each below the paragraph before it. */
function contentsOf(html: string): Group[] {
  const groups: Group[] = [];
  for (const [, before, list] of html.matchAll(/([^]*?)<ul>([^]*?)<\/ul>/g)) {
    const title = /<p>([^<,:]*)(?:(?!<p>)[^])*<\/p>\s*$/.exec(before)?.[1] ?? "Documentation";
    const pages: Group["pages"] = [];
    for (const [, link, text] of list.matchAll(/<a href="([^"#]*\.md)[^"]*">([^<]*)<\/a>/g)) {
      if (pages.some(({ path }) => path === link)) continue;
      pages.push({ path: link, text: text[0].toUpperCase() + text.slice(1) });
    }
    groups.push({ title, pages });
  }
  return groups;
}

/** A whole page around the HTML of a file. */
function frame(path: string, title: string, html: string, contents: readonly Group[]): string {
  const own = pageOf(path);
  const at = (target: string) => relative(own, target);
  const groups = contents.map(({ title, pages }) => {
    const items = pages.map(({ path: link, text }) => {
      const page = pageOf(new URL(link, "file:///docs/").pathname.slice(1));
      return `<li><a href="${at(page)}"${
        page === own ? ' aria-current="page"' : ""
      }>${text}</a></li>`;
    });
    return `<h2>${title}</h2><ul>${items.join("")}</ul>`;
  });
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${escape(title)} – CumulusServer</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="${at("style.css")}">
</head>
<body data-root="${at("index.html").replace(/index\.html$/, "")}">
<header>
<a class="home" href="${at("index.html")}">CumulusServer</a>
<a href="${at("docs/index.html")}">Documentation</a>
<form role="search"><input id="search" type="search" placeholder="Search" aria-label="Search" autocomplete="off"></form>
</header>
<div id="found" hidden></div>
<div class="columns">
<nav aria-label="Contents"><details><summary>Contents</summary>${groups.join("")}</details></nav>
<main>
${html}</main>
</div>
<script src="${at("minisearch.js")}" defer></script>
<script src="${at("search-index.js")}" defer></script>
<script src="${at("search.js")}" defer></script>
</body>
</html>
`;
}

const escape = (text: string): string =>
  text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll('"', "&quot;");

/** The Markdown files below a path. */
function markdownIn(root: string, path: string): string[] {
  const found = stat(root + path);
  if (!found) return [];
  if (found.isFile) return [path];
  return [...Deno.readDirSync(root + path)].sort((a, b) => a.name < b.name ? -1 : 1).flatMap(
    ({ name, isDirectory }) =>
      isDirectory || name.endsWith(".md") ? markdownIn(root, `${path}/${name}`) : [],
  );
}

function write(path: string, content: string | Uint8Array): void {
  Deno.mkdirSync(path.replace(/\/[^/]*$/, ""), { recursive: true });
  if (typeof content === "string") Deno.writeTextFileSync(path, content);
  else Deno.writeFileSync(path, content);
}

function stat(path: string): Deno.FileInfo | undefined {
  try {
    return Deno.statSync(path);
  } catch {
    return undefined;
  }
}
