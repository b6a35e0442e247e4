// The folders of recordings on the disk: only `streams` in the folder of each application. All work is
// asynchronous.
import { statfs } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { ListedRecording } from "../media/recordings.ts";
import type { NotWritable, StoredFile, WritableFile } from "../store/stored_file.ts";
import { isAbsent } from "./absent.ts";
import { fileTurns } from "./file_turns.ts";
import { IndexFiles } from "./index_files.ts";
import { newestFiles } from "./newest_files.ts";
import { realFile } from "./real_file.ts";

interface FoldersOptions {
  /** Folder of the applications. */
  readonly root: string;
  /** Maximum number of open files. */
  readonly maxFiles: () => number;
  /** Minimum number of free bytes on the disk; below, writing fails. */
  readonly keepFree: () => number;
  /** Maximum length of an index beside a recording, in bytes. */
  readonly maxIndex: number;
  /** Calls every `done`, as an input of the event loop. */
  readonly input: (action: () => void) => void;
  /** Logs a problem for the operator. */
  readonly warn: (text: string) => void;
}

const FOLDER = "streams";
/** Maximum number of files in a list. */
const MAX_LISTED = 1_000;
/** Bytes of a recording between two checks of the free space on the disk. */
const CHECK_INTERVAL = 8 << 20;

export class RecordingFolders {
  readonly #options: FoldersOptions;
  readonly #root: string;
  #open = 0;
  #warned = false;
  /** Lists in progress by application. */
  readonly #listing = new Map<string, Promise<readonly ListedRecording[]>>();
  readonly #indexes: IndexFiles;
  /** Number of reads in progress. */
  reading = 0;

  constructor(options: FoldersOptions) {
    this.#options = options;
    this.#indexes = new IndexFiles(options.maxIndex);
    this.#root = options.root.replace(/[/\\]$/, "");
  }

  /** Number of files open for reading. */
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
   * @param name with `/` between its segments, without `.` and `..`
   * @param done gets undefined if the folder has no such regular file, or too many are open
   */
  openFile(path: string, name: string, done: (file: StoredFile | undefined) => void): void {
    fileTurns.run(() => this.#tryOpen(path, name)).then((file) =>
      this.#options.input(() => done(file))
    );
  }

  /**
   * The FLV files directly in an application's folder, newest first; at most {@link MAX_LISTED}. Calls
   * while a folder is being read share one list.
   */
  listFiles(path: string, done: (files: readonly ListedRecording[]) => void): void {
    let listing = this.#listing.get(path);
    if (!listing) {
      listing = fileTurns.run(() => this.#list(path)).finally(() => this.#listing.delete(path));
      this.#listing.set(path, listing);
    }
    listing.then((files) => this.#options.input(() => done(files)));
  }

  async #list(path: string): Promise<readonly ListedRecording[]> {
    const folder = this.folderOf(path);
    try {
      return await newestFiles(folder, ".flv", MAX_LISTED);
    } catch (error) {
      if (!isAbsent(error)) this.#options.warn(`Cannot list ${folder}: ${error}`);
      return [];
    }
  }

  /** The index that is kept beside a file. @param key of the file */
  readIndex(key: string, done: (bytes: Uint8Array | undefined) => void): void {
    fileTurns.run(() => this.#indexes.read(key)).then((bytes) =>
      this.#options.input(() => done(bytes))
    );
  }

  /** Keeps the index of a file beside it. */
  writeIndex(key: string, bytes: Uint8Array): void {
    this.#indexes.write(key, bytes);
  }

  /**
   * Opens a file for writing; creates it and its folders.
   *
   * @param keep length in bytes to which an existing file is truncated
   */
  createFile(
    path: string,
    name: string,
    keep: number,
    done: (file: WritableFile | NotWritable) => void,
  ): void {
    fileTurns.run(() => this.#tryCreate(path, name, keep)).then((file) =>
      this.#options.input(() => done(file))
    );
  }

  async #tryCreate(path: string, name: string, keep: number): Promise<WritableFile | NotWritable> {
    try {
      const key = await makeFolders(this.folderOf(path), name);
      if (key === undefined) return { reason: "no access", text: `${name} is not a file to write` };
      const full = await this.#isFull(key);
      if (full) return { reason: "failed", text: full };
      const file = await Deno.open(key, { read: true, write: true, create: true });
      try {
        await file.truncate(keep);
      } catch (error) {
        file.close();
        throw error;
      }
      return this.#writable(file, key);
    } catch (error) {
      const denied = error instanceof Deno.errors.PermissionDenied ||
        error instanceof Deno.errors.NotCapable || (error as { code?: string }).code === "EROFS";
      const text = `Cannot write ${name}: ${(error as Error).message}`;
      this.#options.warn(text);
      return { reason: denied ? "no access" : "failed", text: `Cannot write ${name}` };
    }
  }

  #writable(file: Deno.FsFile, key: string): WritableFile {
    let checkAt = 0;
    const write = async (position: number, bytes: Uint8Array): Promise<string | undefined> => {
      try {
        if (position >= checkAt) {
          checkAt = position + CHECK_INTERVAL;
          const full = await this.#isFull(key);
          if (full) return full;
        }
        file.seekSync(position, Deno.SeekMode.Start); // only sets a number, no disk access
        for (let at = 0; at < bytes.length;) at += await file.write(bytes.subarray(at));
        return undefined;
      } catch (error) {
        return `Cannot write ${key}: ${(error as Error).message}`;
      }
    };
    const close = async (): Promise<[number, number]> => {
      try {
        await file.syncData();
        const { size, mtime } = await file.stat();
        return [size, mtime?.getTime() ?? 0];
      } catch (error) {
        this.#options.warn(`Cannot end ${key}: ${error}`);
        return [0, 0];
      } finally {
        file.close();
      }
    };
    return {
      key,
      write: (position, bytes, done) =>
        void write(position, bytes).then((error) => this.#options.input(() => done(error))),
      close: (done) => void close().then((end) => this.#options.input(() => done(...end))),
    };
  }

  /** The reason why the disk of a file is full; undefined if it is not. */
  async #isFull(key: string): Promise<string | undefined> {
    const keep = this.#options.keepFree();
    if (keep === 0) return undefined;
    const { bavail, bsize } = await statfs(dirname(key));
    return bavail * bsize < keep ? "The disk has too little room left: [record] free" : undefined;
  }

  async #tryOpen(path: string, name: string): Promise<StoredFile | undefined> {
    if (name === "") return undefined;
    if (this.#open >= this.#options.maxFiles()) {
      if (!this.#warned) {
        this.#options.warn(`Cannot open more than ${this.#open} recordings: [vod] files`);
      }
      this.#warned = true;
      return undefined;
    }
    this.#open++; // counts also while it is being opened
    try {
      const key = await realFile(this.folderOf(path), name);
      if (key === undefined) return this.#closed();
      const file = await Deno.open(key, { read: true });
      try {
        const { isFile, size, mtime } = await file.stat();
        if (isFile) return this.#readable(file, key, size, mtime?.getTime() ?? 0);
      } catch (error) {
        file.close();
        throw error;
      }
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

  #readable(file: Deno.FsFile, key: string, size: number, modified: number): StoredFile {
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
 * Creates the folders of a file, one by one.
 * @returns the file's real path; undefined if it is outside of the folder, or not writable
 */
async function makeFolders(folder: string, name: string): Promise<string | undefined> {
  await makeFolder(folder);
  const home = await Deno.realPath(folder);
  const segments = name.split("/");
  let at = home;
  for (const segment of segments.slice(0, -1)) {
    at = join(at, segment);
    await makeFolder(at);
    if (await Deno.realPath(at) !== at) return undefined; // a link
  }
  const key = join(at, segments.at(-1)!);
  try {
    const { isFile } = await Deno.lstat(key);
    return isFile ? key : undefined;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return key;
    throw error;
  }
}

async function makeFolder(path: string): Promise<void> {
  try {
    await Deno.mkdir(path);
  } catch (error) {
    if (!(error instanceof Deno.errors.AlreadyExists)) throw error;
  }
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
