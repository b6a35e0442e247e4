// Interface of the disk for the state machines of this room. Calls return at once; `done` is called once,
// later, never during the call.
import type { ListedRecording } from "../media/recordings.ts";

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

/** A file that is being recorded; one call at a time. */
export interface WritableFile {
  /** See {@link StoredFile.key}. */
  readonly key: string;
  /** @param done gets the reason of a failure */
  write(position: number, bytes: Uint8Array, done: (error: string | undefined) => void): void;
  /**
   * Flushes all written data to the disk, and closes the file.
   * @param done gets the size and time that a {@link StoredFile} of it would have
   */
  close(done: (size: number, modified: number) => void): void;
}

/** Why a file cannot be written: no permission, or another error. */
export interface NotWritable {
  readonly reason: "no access" | "failed";
  readonly text: string;
}

/** The folders of recordings, one for each application. */
export interface Disk {
  /**
   * @param path of the application: `""`, `/a`, `/a/b`
   * @param name of a file in its folder, such as `recordingFile` makes it
   * @param done undefined: no regular file of this name inside the folder
   */
  open(path: string, name: string, done: (file: StoredFile | undefined) => void): void;

  /** The FLV files right in an application's folder, the newest first. */
  list(path: string, done: (files: readonly ListedRecording[]) => void): void;
  /**
   * Opens a file for writing, and makes it and its folders where they are missing.
   * @param keep bytes of it that stay; the others are cut off
   */
  create(
    path: string,
    name: string,
    keep: number,
    done: (file: WritableFile | NotWritable) => void,
  ): void;

  /** What {@link writeIndex} has kept beside a file. @param done undefined: nothing */
  readIndex(key: string, done: (bytes: Uint8Array | undefined) => void): void;
  /** Keeps the index of a file beside it, whole or not at all. */
  writeIndex(key: string, bytes: Uint8Array): void;
}
