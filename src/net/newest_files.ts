import { join } from "node:path";
import type { ListedRecording } from "../media/recordings.ts";
import { isAbsent } from "./absent.ts";

/** Files that are looked at together. */
const AT_ONCE = 8;

/**
 * The newest regular files right in a folder whose names end with a suffix, which is left out; the newest first. All are
 * looked at, and no more than twice as many kept as are asked for.
 *
 * @throws {Error} if the folder cannot be read
 */
export async function newestFiles(
  folder: string,
  suffix: string,
  count: number,
): Promise<readonly ListedRecording[]> {
  let files: ListedRecording[] = [];
  const newest = () => files.sort((a, b) => b.modified - a.modified).slice(0, count);
  let names: string[] = [];
  const look = async () => {
    const looked = await Promise.all(names.map((name) => fileOf(folder, name, suffix)));
    names = [];
    for (const file of looked) if (file) files.push(file);
    if (files.length > 2 * count) files = newest();
  };
  for await (const { name, isFile } of Deno.readDir(folder)) {
    if (!isFile || !name.endsWith(suffix)) continue;
    names.push(name);
    if (names.length >= AT_ONCE) await look();
  }
  await look();
  return newest();
}

/** Undefined: it was removed meanwhile. */
async function fileOf(folder: string, name: string, suffix: string) {
  try {
    const { size, mtime } = await Deno.stat(join(folder, name));
    return { name: name.slice(0, -suffix.length), size, modified: mtime?.getTime() ?? 0 };
  } catch (error) {
    if (isAbsent(error)) return undefined;
    throw error;
  }
}
