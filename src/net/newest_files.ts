import { join } from "node:path";
import type { ListedRecording } from "../media/recordings.ts";
import { isAbsent } from "./absent.ts";

/** Number of files examined in parallel. */
const PARALLEL = 8;

/**
 * The newest regular files directly in a folder whose names end with a suffix, newest first; the names are without the
 * suffix. Examines all files, and keeps at most twice as many as requested in memory.
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
    if (names.length >= PARALLEL) await look();
  }
  await look();
  return newest();
}

/** @returns undefined if the file was removed meanwhile */
async function fileOf(folder: string, name: string, suffix: string) {
  try {
    const { size, mtime } = await Deno.stat(join(folder, name));
    return { name: name.slice(0, -suffix.length), size, modified: mtime?.getTime() ?? 0 };
  } catch (error) {
    if (isAbsent(error)) return undefined;
    throw error;
  }
}
