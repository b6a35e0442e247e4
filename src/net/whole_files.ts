// Small files that are always written whole: under a temporary name, synced to the disk, then renamed. After
// a crash the old or the new file exists, never a partial one.

/** Maximum number of writes in parallel. */
const MAX_WRITES = 4;
/** Suffix of a file during the write. */
const TEMPORARY = ".tmp";

export class WholeFiles {
  /** The newest contents that are not on the disk yet, by path. */
  readonly #waiting = new Map<string, Uint8Array>();
  readonly #writing = new Set<string>();
  #settled: (() => void)[] = [];
  /** Number of files written, and of failed writes, since the start. */
  readonly counters = { written: 0, failed: 0 };

  /** @param onError called if a file could not be written; the previous contents stay */
  constructor(readonly onError: (path: string, error: unknown) => void) {}

  /** Number of files that are not on the disk yet. */
  get waiting(): number {
    return this.#waiting.size;
  }

  /**
   * The newest content of a file; undefined if the file does not exist.
   *
   * @param limit maximum length of the file in bytes
   * @throws {Error} if it cannot be read, or is not a regular file: a pipe would block the server, and a link could
   *   lead to any file
   */
  read(path: string, limit: number): Uint8Array | undefined {
    const waiting = this.#waiting.get(path);
    if (waiting) return waiting;
    try {
      const { isFile, size } = Deno.lstatSync(path);
      if (!isFile) throw new Error("not a regular file");
      if (size > limit) throw new Error(`${size} bytes long (maximum ${limit})`);
      return Deno.readFileSync(path);
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return undefined;
      throw error;
    }
  }

  /** Writes a file soon; creates its folder if it is missing. */
  write(path: string, content: Uint8Array): void {
    this.#waiting.set(path, content);
    this.#next();
  }

  /**
   * Renames an unusable file.
   * @returns its new path
   * @throws {Error} if that fails
   */
  moveAside(path: string): string {
    const aside = `${path}.broken-${Date.now()}`;
    Deno.renameSync(path, aside);
    return aside;
  }

  /** Number of files in a folder and below it whose names end with `suffix`. */
  count(folder: string, suffix: string): number {
    let count = 0;
    try {
      for (const { name, isDirectory } of Deno.readDirSync(folder)) {
        if (isDirectory) count += this.count(`${folder}/${name}`, suffix);
        else if (name.endsWith(suffix)) count++;
      }
    } catch {
      // the folder does not exist yet
    }
    return count;
  }

  /** Resolves once all written files are on the disk or have failed. */
  settled(): Promise<void> {
    if (this.#waiting.size === 0) return Promise.resolve();
    return new Promise((resolve) => this.#settled.push(resolve));
  }

  #next(): void {
    for (const path of this.#waiting.keys()) {
      if (this.#writing.size >= MAX_WRITES) return;
      if (!this.#writing.has(path)) this.#write(path);
    }
    if (this.#waiting.size > 0) return;
    for (const resolve of this.#settled.splice(0)) resolve();
  }

  async #write(path: string): Promise<void> {
    this.#writing.add(path);
    const content = this.#waiting.get(path)!;
    try {
      await writeWhole(path, content);
      this.counters.written++;
    } catch (error) {
      this.counters.failed++;
      this.onError(path, error);
    }
    this.#writing.delete(path);
    if (this.#waiting.get(path) === content) this.#waiting.delete(path);
    this.#next();
  }
}

async function writeWhole(path: string, content: Uint8Array): Promise<void> {
  const folder = path.slice(0, path.lastIndexOf("/"));
  await Deno.mkdir(folder, { recursive: true });
  const temporary = path + TEMPORARY;
  await removeFile(temporary); // left by a crash, or a link or pipe
  const file = await Deno.open(temporary, { write: true, createNew: true });
  try {
    for (let at = 0; at < content.length;) at += await file.write(content.subarray(at));
    await file.sync();
  } finally {
    file.close();
  }
  await Deno.rename(temporary, path);
  await syncFolder(folder);
}

async function removeFile(path: string): Promise<void> {
  try {
    await Deno.remove(path);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}

/** Syncs the new name to the disk; Windows has no equivalent. */
async function syncFolder(path: string): Promise<void> {
  if (Deno.build.os === "windows") return;
  const folder = await Deno.open(path);
  try {
    await folder.sync();
  } finally {
    folder.close();
  }
}
