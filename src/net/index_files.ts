// Indexes of recordings, each kept beside its recording: `film.flv.idx` of `film.flv`. All work is asynchronous, and failures are ignored: an index can be built again.
import { dirname, join } from "node:path";

const SUFFIX = ".idx";
const TEMPORARY = ".tmp";
/** Name of an index file, also of one that a crash left half written; the group is its recording. */
const INDEX = /^(.*\.flv)\.idx(?:\.tmp)?$/s;
/** Milliseconds between two searches of a folder for indexes without recording. */
const SWEEP_INTERVAL = 600_000;

/** Reads and writes index files. @param limit maximum length of an index in bytes */
export class IndexFiles {
  readonly #limit: number;
  /** Indexes that are being written. */
  readonly #writing = new Set<string>();
  /** Time (ms) of the last search of a folder. */
  readonly #swept = new Map<string, number>();

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** The index of a recording; undefined if none can be read. @param key the real path of the recording */
  async read(key: string): Promise<Uint8Array | undefined> {
    const path = key + SUFFIX;
    try {
      const { isFile, size } = await Deno.lstat(path);
      if (!isFile || size > this.#limit) return undefined;
      return await Deno.readFile(path);
    } catch {
      return undefined;
    }
  }

  /** Writes an index under a temporary name, then renames it. Does nothing while the same index is being written. */
  async write(key: string, bytes: Uint8Array): Promise<void> {
    const path = key + SUFFIX;
    if (this.#writing.has(path)) return;
    this.#writing.add(path);
    try {
      await remove(path + TEMPORARY); // left by a crash, or a link
      await Deno.writeFile(path + TEMPORARY, bytes, { createNew: true });
      await Deno.rename(path + TEMPORARY, path);
      await this.#sweep(dirname(key));
    } catch {
      // The folder is read-only, or the disk is full.
    } finally {
      this.#writing.delete(path);
    }
  }

  /** Removes indexes whose recordings are gone. */
  async #sweep(folder: string): Promise<void> {
    const now = Date.now();
    if (now - (this.#swept.get(folder) ?? -Infinity) < SWEEP_INTERVAL) return;
    this.#swept.set(folder, now);
    const recordings = new Set<string>();
    const indexes: [name: string, recording: string][] = [];
    for await (const { name, isFile } of Deno.readDir(folder)) {
      const [, recording] = INDEX.exec(name) ?? [];
      if (recording === undefined) recordings.add(name);
      else if (isFile) indexes.push([name, recording]);
    }
    for (const [name, recording] of indexes) {
      if (!recordings.has(recording)) await remove(join(folder, name));
    }
  }
}

async function remove(path: string): Promise<void> {
  try {
    await Deno.remove(path);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}
