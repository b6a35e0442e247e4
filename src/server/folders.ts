// Where the files of a server are: CFG-001, CFG-025, CFG-030, CFG-032.

export interface Folders {
  /** The folder of CumulusServer.ini: absolute, with a separator at its end, as all of these. */
  readonly home: string;
  /** CumulusServer.ini, or what `--ini` names. */
  readonly ini: string;
}

/**
 * Finds the folder of www, logs and CumulusServer.ini: `--dir`, or that of the file that `--ini`
 * names, or that of the program, or the current one if only that has www or CumulusServer.ini.
 *
 * @param program the folder of the program
 */
export function findFolders(
  options: { readonly dir?: string; readonly ini?: string },
  program: string,
  current = Deno.cwd(),
): Folders {
  const ini = options.ini === undefined ? undefined : absolute(options.ini, current);
  const found = [program, current].find((folder) =>
    exists(`${asFolder(folder)}CumulusServer.ini`) || exists(`${asFolder(folder)}www`)
  );
  const home = asFolder(
    absolute(options.dir ?? ini?.replace(/[^/\\]*$/, "") ?? found ?? program, current),
  );
  return { home, ini: ini ?? `${home}CumulusServer.ini` };
}

/** A path as seen from a folder. */
export function absolute(path: string, folder: string): string {
  if (/^([/\\]|[a-zA-Z]:)/.test(path)) return path;
  return asFolder(folder) + path.replace(/^(?:\.(?:[/\\]+|$))+/, ""); // "./a" is "a"
}

/** With a separator at the end. */
export function asFolder(path: string): string {
  return /[/\\]$/.test(path) ? path : `${path}/`;
}

/** Whether a path exists; true if the system refuses to say. */
export function exists(path: string): boolean {
  try {
    Deno.statSync(path);
    return true;
  } catch (error) {
    return !(error instanceof Deno.errors.NotFound);
  }
}

/** The system's reason for a failure, without its number and the path. */
export function systemReason(error: unknown): string {
  return (error as Error).message.replace(/ \(os error \d+\).*$/s, "");
}

/**
 * Why a file or folder could not be made: a sentence that names the folder which must be writable,
 * and the user that the server runs as.
 */
export function notWritable(path: string, error: unknown): string {
  let end = path.length;
  while (end > 0 && "/\\".includes(path.charAt(end - 1))) end--;
  let folder = path.slice(0, end);
  do {
    folder = folder.replace(/[/\\]?[^/\\]*$/, "") || "/";
  } while (folder !== "/" && !exists(folder));
  const uid = Deno.uid();
  const user = uid === null ? "" : ` (the server runs as uid ${uid})`;
  return `Cannot write ${path}: ${systemReason(error)} in ${folder}${user}`;
}
