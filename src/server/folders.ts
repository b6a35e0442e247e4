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
  return /^([/\\]|[a-zA-Z]:)/.test(path) ? path : asFolder(folder) + path;
}

/** With a separator at the end. */
export function asFolder(path: string): string {
  return /[/\\]$/.test(path) ? path : `${path}/`;
}

function exists(path: string): boolean {
  try {
    Deno.statSync(path);
    return true;
  } catch {
    return false;
  }
}
