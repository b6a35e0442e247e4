// Links between the files of the repository, as pages of the site have them.
import { pageOf, relative, resolve } from "./paths.ts";

/** Files and folders that links may lead to. */
export interface Targets {
  /** Markdown files that become pages, with the names of their headings. */
  readonly pages: ReadonlyMap<string, ReadonlySet<string>>;
  /** Whether a path is a file of the repository, or a folder. */
  isFile(path: string): boolean;
  isFolder(path: string): boolean;
}

export interface Linked {
  readonly html: string;
  /** Linked files that are not pages; the site gets copies of them. */
  readonly files: ReadonlySet<string>;
  /** Links without a target. */
  readonly broken: readonly string[];
}

/** Rewrites the links of a page for the site. `html` was made from the file at `path`. */
export function relink(html: string, path: string, targets: Targets): Linked {
  const files = new Set<string>();
  const broken: string[] = [];
  const own = pageOf(path);
  const linked = html.replaceAll(/ (href|src)="([^"]*)"/g, (all, name: string, link: string) => {
    if (/^[a-z][a-z0-9+.-]*:/i.test(link)) return all;
    const [place, fragment] = decodeURI(link.replaceAll("&amp;", "&")).split("#");
    const target = place === "" ? path : resolve(path, place);
    const readme = target === "" ? "README.md" : `${target}/README.md`;
    const page = targets.pages.has(target)
      ? target
      : targets.pages.has(readme)
      ? readme
      : undefined;
    if (page === undefined) {
      if (targets.isFolder(target) && fragment === undefined) return ""; // no page
      if (!targets.isFile(target)) broken.push(link);
      else files.add(target);
      return ` ${name}="${relative(own, target)}"`;
    }
    if (fragment !== undefined && !targets.pages.get(page)!.has(fragment)) broken.push(link);
    const there = page === path ? "" : relative(own, pageOf(page));
    return ` ${name}="${there}${fragment === undefined ? "" : `#${fragment}`}"`;
  });
  return { html: linked, files, broken };
}
