// Resolves the symbolic links of a path.

/**
 * The path of a file with all links resolved; a missing file is placed in the resolved folder.
 *
 * @param follow whether a link at the end of the path is followed
 * @param within folders, with `/` at the end, which may be links themselves
 * @returns an object with the path, or the reason if links lead out of all these folders, or to nothing
 * @throws {Error} of the system, such as `NotFound` if the folder is missing
 */
export function realPlace(
  path: string,
  within: readonly string[],
  follow: boolean,
): { readonly real: string } | string {
  const real = follow ? realFile(path) : besideOthers(path);
  if (real === undefined) return "Dangling link";
  if (within.some((folder) => real.startsWith(realFolder(folder)))) return { real };
  return "Permission denied: a symbolic link leads out of the folders that the script may use";
}

function realFile(path: string): string | undefined {
  try {
    return plain(Deno.realPathSync(path));
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    return isLink(path) ? undefined : besideOthers(path);
  }
}

/** The path of a name in the real path of its folder. */
function besideOthers(path: string): string {
  const cut = path.lastIndexOf("/");
  const folder = plain(Deno.realPathSync(path.slice(0, cut) || "/"));
  return `${folder.replace(/\/$/, "")}/${path.slice(cut + 1)}`;
}

function realFolder(folder: string): string {
  try {
    return `${plain(Deno.realPathSync(folder)).replace(/\/$/, "")}/`;
  } catch {
    return folder; // a missing folder contains no file
  }
}

export function isLink(path: string): boolean {
  try {
    return Deno.lstatSync(path).isSymlink;
  } catch {
    return false;
  }
}

const plain = (path: string): string => path.replaceAll("\\", "/");
