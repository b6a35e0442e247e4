import type { Files, HostFile, OpenOptions } from "../script/api/host.ts";

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
  read: (path) => whatIs(path, () => Deno.readFileSync(path)),
  open: (path, options) => attempt(() => new ScriptFile(path, options)),
  remove: (path) => reason(() => Deno.removeSync(path)),
  rename: (from, to) => reason(() => Deno.renameSync(from, to)),
};

class ScriptFile implements HostFile {
  readonly #file: Deno.FsFile;

  constructor(path: string, options: OpenOptions) {
    if (Deno.build.os !== "windows" && attempt(() => Deno.statSync(path).isDirectory) === true) {
      throw new Error("Is a directory");
    }
    this.#file = Deno.openSync(path, { ...options });
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

  flush(): void {} // nothing is held back

  close(): void {
    this.#file.close();
  }
}

/** What is found under a path; undefined if nothing has this name, or the reason why it cannot be looked at. */
function whatIs<T>(path: string, look: () => T): T | undefined | string {
  try {
    return look();
  } catch (error) {
    if (isAbsent(error)) return isLink(path) ? "Dangling link" : undefined;
    return wordsOf(error);
  }
}

/** A name that is too long or has a file for a folder cannot exist. */
const isAbsent = (error: unknown): boolean =>
  error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory ||
  (error as { code?: string }).code === "ENAMETOOLONG";

function isLink(path: string): boolean {
  try {
    return Deno.lstatSync(path).isSymlink;
  } catch {
    return false;
  }
}

/** What an action gives, or why it failed, in the words of the system. */
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
