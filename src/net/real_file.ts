/**
 * The real path of a regular file that lies inside a folder, links followed.
 *
 * @param name with `/` between its segments
 * @returns undefined if it is outside of the folder, or not a regular file
 * @throws {Error} if it is missing or not accessible; see `isAbsent`
 */
export async function realFile(folder: string, name: string): Promise<string | undefined> {
  const real = await Deno.realPath(`${folder}/${name}`); // first: most requested names are absent
  const home = await Deno.realPath(folder);
  if (!real.startsWith(home + (Deno.build.os === "windows" ? "\\" : "/"))) return undefined;
  const { isFile } = await Deno.stat(real); // a pipe would not open before somebody writes to it
  return isFile ? real : undefined;
}
