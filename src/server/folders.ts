// Where the files of a server are: CFG-001, CFG-025, CFG-030, CFG-032.

export interface Folders {
  /** Absolute path of the folder of www, logs and CumulusServer.ini, with a separator at its end. */
  readonly home: string;
  /** Absolute path of CumulusServer.ini, or of the file that `--ini` names. */
  readonly ini: string;
}

/**
 * Finds the folder of www, logs and CumulusServer.ini: `--dir`, else the folder of the file that `--ini`
 * names, else the folder of the program, or the current one if only that has www or CumulusServer.ini.
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

/** Makes a path absolute, relative to a folder. */
export function absolute(path: string, folder: string): string {
  if (/^([/\\]|[a-zA-Z]:)/.test(path)) return path;
  return asFolder(folder) + path.replace(/^(?:\.(?:[/\\]+|$))+/, ""); // "./a" is "a"
}

/** A path with a separator at its end. */
export function asFolder(path: string): string {
  return /[/\\]$/.test(path) ? path : `${path}/`;
}

/** Whether a path exists; true if the system refuses the check. */
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
 * Message about a file or folder that could not be created: names the folder that must be writable, and the user
 * that the server runs as.
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
