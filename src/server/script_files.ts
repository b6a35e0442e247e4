import type { Files, HostFile, OpenOptions } from "../script/api/host.ts";
import { descriptors } from "../net/descriptors.ts";
import { isLink, realPlace } from "./real_place.ts";

const seekModes = {
  start: Deno.SeekMode.Start,
  current: Deno.SeekMode.Current,
  end: Deno.SeekMode.End,
} as const;

/** The files of this machine, for scripts; see `Files`. */
export const scriptFiles: Files = {
  isFolder: (path) => whatIs(path, () => Deno.statSync(path).isDirectory) ?? false,
  modified: (path) =>
    whatIs(path, () => {
      const info = Deno.statSync(path);
      if (!info.isFile) throw new Error(info.isDirectory ? "Is a directory" : "Not a file");
      return info.mtime?.getTime() ?? 0;
    }),
  read: (path, limit, within) => whatIs(path, () => readWhole(path, limit, within)),
  open: (path, options, within) =>
    attempt(() => new ScriptFile(openRegular(path, options, within))),
  remove: (path, within) => reason(() => Deno.removeSync(placeOfName(path, within))),
  rename: (from, to, within) =>
    reason(() => Deno.renameSync(placeOfName(from, within), placeOfName(to, within))),
};

/** The real path of a name; a link itself is not followed. @throws {Error} if it is outside of the folders */
function placeOfName(path: string, within: readonly string[]): string {
  const place = realPlace(path, within, false);
  if (typeof place === "string") throw new Error(place);
  return place.real;
}

/**
 * Opens a regular file whose real path is in one of these folders; without them, any. Checks the
 * opened file again before truncating it: another file may have taken the path.
 *
 * @throws {Error} with the reason
 */
function openRegular(path: string, options: OpenOptions, within?: readonly string[]): Deno.FsFile {
  const place = within ? realPlace(path, within, true) : { real: path };
  if (typeof place === "string") throw new Error(place);
  const { real } = place;
  const before = statOf(real);
  if (before) regular(before); // opening a named pipe may block for ever
  const full = descriptors.take();
  if (full !== undefined) throw new Error(full);
  const file = Deno.openSync(real, { ...options, truncate: false });
  try {
    const info = file.statSync();
    regular(info);
    const named = within ? Deno.lstatSync(real) : Deno.statSync(real);
    if (info.ino !== named.ino || info.dev !== named.dev) throw new Error("Permission denied");
    if (options.truncate) file.truncateSync();
    return file;
  } catch (error) {
    file.close();
    throw error;
  }
}

function statOf(path: string): Deno.FileInfo | undefined {
  try {
    return Deno.statSync(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

function regular(info: Deno.FileInfo): void {
  if (info.isDirectory) throw new Error("Is a directory");
  if (!info.isFile) throw new Error("Not a regular file");
}

/** Reads a file to its end, not by its size: files of /proc have size 0, and files grow. */
function readWhole(path: string, limit: number, within?: readonly string[]): Uint8Array {
  const file = openRegular(path, { read: true }, within);
  try {
    let bytes = new Uint8Array(Math.min(limit, file.statSync().size) + 1);
    for (let length = 0;;) {
      const count = file.readSync(bytes.subarray(length));
      if (!count) return bytes.subarray(0, length);
      length += count;
      if (length > limit) throw new Error(`File too large (more than ${limit} bytes)`);
      if (length < bytes.length) continue;
      const more = new Uint8Array(Math.min(limit, length * 2) + 1);
      more.set(bytes);
      bytes = more;
    }
  } finally {
    file.close();
  }
}

class ScriptFile implements HostFile {
  readonly #file: Deno.FsFile;

  constructor(file: Deno.FsFile) {
    this.#file = file;
  }

  read(into: Uint8Array): number | string {
    return attempt(() => this.#file.readSync(into) ?? 0);
  }

  write(bytes: Uint8Array): string | undefined {
    return reason(() => {
      for (let at = 0; at < bytes.length;) at += this.#file.writeSync(bytes.subarray(at));
    });
  }

  seek(from: "start" | "current" | "end", by: number): number | string {
    return attempt(() => this.#file.seekSync(by, seekModes[from]));
  }

  truncate(length: number): string | undefined {
    return reason(() => this.#file.truncateSync(length));
  }

  flush(): void {} // writes are not buffered

  close(): void {
    this.#file.close();
  }
}

/** Result of `look`; undefined if the path does not exist; the reason, as text, if the system refuses. */
function whatIs<T>(path: string, look: () => T): T | undefined | string {
  try {
    return look();
  } catch (error) {
    if (isAbsent(error)) return isLink(path) ? "Dangling link" : undefined;
    return wordsOf(error);
  }
}

/** Whether an error means that the path does not exist; so do too long names, and files in place of folders. */
const isAbsent = (error: unknown): boolean =>
  error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory ||
  (error as { code?: string }).code === "ENAMETOOLONG";

/** Result of an action, or the system's reason of its failure. */
function attempt<T>(action: () => T): T | string {
  try {
    return action();
  } catch (error) {
    return wordsOf(error);
  }
}

const wordsOf = (error: unknown): string =>
  (error as Error).message.replace(/ \(os error \d+\).*$/, "");

function reason(action: () => void): string | undefined {
  return attempt((): undefined => {
    action();
  });
}
