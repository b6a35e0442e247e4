// Which files a script may use. DECISIONS 20.
import type { Api } from "./api.ts";

/** Resolves `.`, `..` and relative paths. The result has only `/` as separator. */
function normalPath(path: string, folder: string): string {
  const text = path.replaceAll("\\", "/");
  const absolute = text.startsWith("/") || /^[a-z]:\//i.test(text) ? text : folder + text;
  const [root] = /^(?:[a-z]:)?\//i.exec(absolute)!;
  const parts: string[] = [];
  for (const part of absolute.slice(root.length).split("/")) {
    if (part === "..") parts.pop();
    else if (part !== "" && part !== ".") parts.push(part);
  }
  return root + parts.join("/");
}

/** A file that a script may use: its absolute path, and the folders of which one must contain its real path. */
export interface AllowedFile {
  readonly full: string;
  readonly within: readonly string[];
}

/**
 * Checks whether the running script may use a file.
 *
 * @returns the reason of a refusal, which names the key of the configuration
 */
export function resolvePath(api: Api, path: string): AllowedFile | { readonly refusal: string } {
  const { host, running } = api;
  if (path === "") return { refusal: "No such file or directory" };
  if (path.includes("\0")) return { refusal: "Invalid argument" };
  const own = running?.folder ?? host.www;
  const full = normalPath(path, own);
  const within = host.folders ?? [own];
  if (within.some((folder) => full.startsWith(folder))) return { full, within };
  const allowed = host.folders
    ? "no folder of [script] files contains it"
    : "without [script] files, an application may use only its own folder";
  return { refusal: `Permission denied: ${allowed}` };
}
