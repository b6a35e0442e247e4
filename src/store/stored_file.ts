// Interface of the disk for the state machines of this room. Calls return at once; `done` is called once,
// later, never during the call.
import type { ListedRecording } from "../media/recordings.ts";

/** A file that is open for reading. */
export interface StoredFile {
  /** The real path of the file, which identifies it. */
  readonly key: string;
  /** Size in bytes, and time of the last change in ms since 1970, when the file was opened. */
  readonly size: number;
  readonly modified: number;
  /**
   * Reads a block; one read at a time.
   *
   * @param done receives fewer bytes at the end of the file, undefined if it cannot be read. Not called after
   *   `close`.
   */
  read(position: number, length: number, done: (bytes: Uint8Array | undefined) => void): void;
  close(): void;
}

/** A file that is being recorded; one call at a time. */
export interface WritableFile {
  /** See {@link StoredFile.key}. */
  readonly key: string;
  /** @param done receives the reason of a failure */
  write(position: number, bytes: Uint8Array, done: (error: string | undefined) => void): void;
  /**
   * Flushes all written data to the disk, and closes the file.
   *
   * @param done receives the size and time that a {@link StoredFile} of it would have
   */
  close(done: (size: number, modified: number) => void): void;
}

/** Reason why a file cannot be written: no permission, or another error. */
export interface NotWritable {
  readonly reason: "no access" | "failed";
  readonly text: string;
}

/** The folders of recordings, one for each application. */
export interface Disk {
  /**
   * Opens a file for reading.
   *
   * @param path path of the application: `""`, `/a`, `/a/b`
   * @param name path of a file in its folder, from `recordingFile`
   * @param done receives undefined if the folder has no regular file of this name
   */
  open(path: string, name: string, done: (file: StoredFile | undefined) => void): void;

  /** Lists the FLV files directly in an application's folder, the newest first. */
  list(path: string, done: (files: readonly ListedRecording[]) => void): void;
  /**
   * Opens a file for writing; creates it and its folders if they are missing.
   *
   * @param keep number of bytes to keep; further ones are cut off
   */
  create(
    path: string,
    name: string,
    keep: number,
    done: (file: WritableFile | NotWritable) => void,
  ): void;

  /** Reads the index that {@link writeIndex} has stored. @param done receives undefined if there is none */
  readIndex(key: string, done: (bytes: Uint8Array | undefined) => void): void;
  /** Stores the index of a file beside it, whole or not at all. */
  writeIndex(key: string, bytes: Uint8Array): void;
}
