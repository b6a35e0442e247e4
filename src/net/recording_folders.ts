// The folders of recordings on the disk: `streams` in the folder of each application, and nothing
// outside it. All work is done off the loop.
import { isAbsent } from "./absent.ts";

/** A file that is open for reading; one read at a time. */
export interface ReadableFile {
  /** Its real path. */
  readonly key: string;
  /** Bytes, and milliseconds since 1970 of the last change, as it was opened. */
  readonly size: number;
  readonly modified: number;
  /** @param done fewer bytes at the end; undefined if it cannot be read; not called after `close` */
  read(position: number, length: number, done: (bytes: Uint8Array | undefined) => void): void;
  close(): void;
}

export interface FoldersOptions {
  /** Folder of the applications. */
  readonly root: string;
  /** Files that may be open at once. */
  readonly maxFiles: () => number;
  /** Every `done` is called through it. */
  readonly input: (action: () => void) => void;
  /** Something that the operator should know of. */
  readonly warn: (text: string) => void;
}

const FOLDER = "streams";

export class RecordingFolders {
  readonly #options: FoldersOptions;
  readonly #root: string;
  #open = 0;
  #warned = false;
  /** Reads that wait for the disk. */
  reading = 0;

  constructor(options: FoldersOptions) {
    this.#options = options;
    this.#root = options.root.replace(/[/\\]$/, "");
  }

  /** Files that are open. */
  get open(): number {
    return this.#open;
  }

  /** The folder of an application's recordings: `/a` has `www/a/streams`. */
  folderOf(path: string): string {
    return `${this.#root}${path}/${FOLDER}`;
  }

  /**
   * Opens a file for reading.
   *
   * @param path of the application: `""`, `/a`, `/a/b`
   * @param name with `/` between its segments, none of which is `.` or `..`
   * @param done undefined: there is no such regular file inside the folder, or too many are open
   */
  openFile(path: string, name: string, done: (file: ReadableFile | undefined) => void): void {
    this.#tryOpen(path, name).then((file) => this.#options.input(() => done(file)));
  }

  async #tryOpen(path: string, name: string): Promise<ReadableFile | undefined> {
    if (name === "") return undefined;
    if (this.#open >= this.#options.maxFiles()) {
      if (!this.#warned) {
        this.#options.warn(`Cannot open more than ${this.#open} recordings: [vod] files`);
      }
      this.#warned = true;
      return undefined;
    }
    this.#open++; // for the time it takes to open it, too
    try {
      const key = await realFile(this.folderOf(path), name);
      if (key === undefined) return this.#closed();
      const file = await Deno.open(key, { read: true });
      const { isFile, size, mtime } = await file.stat();
      if (isFile) return this.#readable(file, key, size, mtime?.getTime() ?? 0);
      file.close();
    } catch (error) {
      if (!isAbsent(error)) this.#options.warn(`Cannot open the recording ${name}: ${error}`);
    }
    return this.#closed();
  }

  #closed(): undefined {
    this.#open--;
    this.#warned = false;
    return undefined;
  }

  #readable(file: Deno.FsFile, key: string, size: number, modified: number): ReadableFile {
    let closed = false;
    let busy = false;
    const close = () => {
      file.close();
      this.#closed();
    };
    const read = async (position: number, length: number) => {
      busy = true;
      this.reading++;
      try {
        return await readAt(file, position, length);
      } catch (error) {
        this.#options.warn(`Cannot read ${key}: ${error}`);
        return undefined;
      } finally {
        busy = false;
        this.reading--;
        if (closed) close();
      }
    };
    return {
      key,
      size,
      modified,
      read: (position, length, done) => {
        read(position, length).then((bytes) => {
          if (!closed) this.#options.input(() => closed || done(bytes));
        });
      },
      close: () => {
        if (closed) return;
        closed = true;
        if (!busy) close(); // else once the read has ended
      },
    };
  }
}

/**
 * The real path of a regular file that lies inside a folder, links followed.
 * @throws {Error} such as `isAbsent` tells of
 */
async function realFile(folder: string, name: string): Promise<string | undefined> {
  const [home, real] = await Promise.all([
    Deno.realPath(folder),
    Deno.realPath(`${folder}/${name}`),
  ]);
  if (!real.startsWith(home + (Deno.build.os === "windows" ? "\\" : "/"))) return undefined;
  const { isFile } = await Deno.stat(real); // a pipe would not open before somebody writes to it
  return isFile ? real : undefined;
}

async function readAt(file: Deno.FsFile, position: number, length: number): Promise<Uint8Array> {
  file.seekSync(position, Deno.SeekMode.Start); // moves a number, not the disk
  const bytes = new Uint8Array(length);
  let at = 0;
  while (at < length) {
    const count = await file.read(bytes.subarray(at));
    if (count === null) break;
    at += count;
  }
  return bytes.subarray(0, at);
}
