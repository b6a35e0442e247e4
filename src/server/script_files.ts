import type { Files, HostFile, OpenOptions } from "../script/api/host.ts";

const seekModes = {
  start: Deno.SeekMode.Start,
  current: Deno.SeekMode.Current,
  end: Deno.SeekMode.End,
} as const;

/** The files of this machine, for scripts; see `Files`. */
export const scriptFiles: Files = {
  isFolder: (path) => attempt(() => Deno.statSync(path).isDirectory) === true,
  modified(path) {
    const info = attempt(() => Deno.statSync(path));
    return typeof info === "string" || !info.isFile ? undefined : info.mtime?.getTime();
  },
  read(path) {
    const bytes = attempt(() => Deno.readFileSync(path));
    return typeof bytes === "string" ? undefined : bytes;
  },
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

/** What an action gives, or why it failed, in the words of the system. */
function attempt<T>(action: () => T): T | string {
  try {
    return action();
  } catch (error) {
    return (error as Error).message.replace(/ \(os error \d+\).*$/, "");
  }
}

function reason(action: () => void): string | undefined {
  return attempt((): undefined => {
    action();
  });
}
