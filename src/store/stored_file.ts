// What the machines of this room need of the disk. Calls return at once; `done` is called later, once,
// never during the call.

/** A file that is open for reading. */
export interface StoredFile {
  /** The same for the same file: its real path. */
  readonly key: string;
  /** Bytes, and milliseconds since 1970 of the last change, as it was opened. */
  readonly size: number;
  readonly modified: number;
  /**
   * Reads a block; one at a time.
   * @param done fewer bytes at the end of the file; undefined if it cannot be read. Not called after
   *   `close`.
   */
  read(position: number, length: number, done: (bytes: Uint8Array | undefined) => void): void;
  close(): void;
}

/** The folders of recordings, one for each application. */
export interface Disk {
  /**
   * @param path of the application: `""`, `/a`, `/a/b`
   * @param name of a file in its folder, such as `recordingFile` makes it
   * @param done undefined: there is no such regular file inside the folder
   */
  open(path: string, name: string, done: (file: StoredFile | undefined) => void): void;
}
