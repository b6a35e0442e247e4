/** Size (bytes) at which the file is rotated. CFG-090. */
const MAX_SIZE = 1_000_000;
/** Number of the oldest file. */
const OLDEST = 10;

/**
 * `<directory>/<name>.0` and its predecessors up to `.10`: CFG-090. Appends to existing files.
 * If the disk fails, lines are lost and the server goes on: `failure` says why.
 */
export class LogFile {
  #file: Deno.FsFile | undefined;
  #size = 0;
  /** Why the last line was not written; "" without a failure. */
  failure = "";

  /** The folder is created if it is missing. */
  constructor(readonly directory: string, readonly name: string) {
    this.#try(() => this.#open());
  }

  write(line: Uint8Array): void {
    this.#try(() => {
      if (!this.#file) this.#open();
      for (let at = 0; at < line.length;) at += this.#file!.writeSync(line.subarray(at));
      this.#size += line.length;
      if (this.#size > MAX_SIZE) this.#rotate();
    });
  }

  close(): void {
    this.#file?.close();
    this.#file = undefined;
  }

  #path(number: number): string {
    return `${this.directory}/${this.name}.${number}`;
  }

  /** Continues in a new file if the old one, or its folder, was moved away or removed. */
  follow(): void {
    if (!this.#file) return;
    this.#try(() => {
      if (this.#isThere()) return;
      this.close();
      this.#open();
    });
  }

  /** Whether the open file still has its name. */
  #isThere(): boolean {
    try {
      const { dev, ino } = Deno.statSync(this.#path(0));
      const open = this.#file!.statSync();
      return dev === open.dev && ino === open.ino;
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return false;
      throw error;
    }
  }

  #open(): void {
    Deno.mkdirSync(this.directory, { recursive: true });
    this.#file = Deno.openSync(this.#path(0), { create: true, append: true });
    this.#size = this.#file.statSync().size;
  }

  #rotate(): void {
    this.close();
    for (let number = OLDEST; number > 0; number--) {
      try {
        Deno.renameSync(this.#path(number - 1), this.#path(number));
      } catch (error) {
        if (!(error instanceof Deno.errors.NotFound)) throw error;
      }
    }
    this.#open();
  }

  #try(action: () => void): void {
    try {
      action();
      this.failure = "";
    } catch (error) {
      this.failure = `Cannot write ${this.#path(0)}: ${(error as Error).message}`;
    }
  }
}
