// Persistent shared objects, one file each. SO-080, SO-081, SO-085, SO-086.
import { WireError } from "../bytes/wire_error.ts";
import type { SharedObject } from "../media/shared_object.ts";
import {
  largestSharedObjectFile,
  readSharedObjectFile,
  writeSharedObjectFile,
} from "../media/shared_object_file.ts";
import type { SharedObjectStore } from "../media/shared_objects.ts";
import { WholeFiles } from "../net/whole_files.ts";
import type { Log } from "../log/log.ts";
import { objectFile } from "./shared_object_names.ts";

/** Ms from a change to the write of the file; a crash loses changes of this time. */
const WRITE_DELAY = 1_000;
const SUFFIX = ".so";

interface SharedObjectFilesOptions {
  /** Whether objects may be persistent. */
  readonly enabled: () => boolean;
  /** The folder of an application's objects, absolute, without `/` at its end. */
  readonly folder: (application: string) => string;
  /** Maximum number of files of an application. */
  readonly objects: () => number;
  readonly log: Log;
}

interface Place {
  readonly folder: string;
  readonly path: string;
  /** Whether the file does not exist yet. */
  isNew: boolean;
  timer?: ReturnType<typeof setTimeout>;
}

export class SharedObjectFiles implements SharedObjectStore {
  readonly #options: SharedObjectFilesOptions;
  readonly #places = new Map<SharedObject, Place>();
  readonly #files: WholeFiles;
  /** Number of files of each folder that was read. */
  readonly #counts = new Map<string, number>();

  constructor(options: SharedObjectFilesOptions) {
    this.#options = options;
    this.#files = new WholeFiles((path, error) => {
      options.log.error(`Cannot write the shared object ${path}: ${reason(error)}`);
    });
  }

  get counters(): WholeFiles["counters"] {
    return this.#files.counters;
  }

  load(object: SharedObject, application: string): boolean {
    if (!this.#options.enabled()) return false;
    const instance = object.path.slice(application.length);
    const name = objectFile(instance, object.name, SUFFIX);
    if (name === undefined) return false;
    const folder = this.#options.folder(application);
    const path = `${folder}/${name}`;
    try {
      const bytes = this.#files.read(path, largestSharedObjectFile(object.limits));
      if (bytes) this.#read(path, bytes, object);
      else if (this.#count(folder) >= this.#options.objects()) return false;
      this.#places.set(object, { folder, path, isNew: bytes === undefined });
      return true;
    } catch (error) {
      this.#options.log.error(`Cannot read the shared object ${path}: ${reason(error)}`);
      return false;
    }
  }

  changed(object: SharedObject): void {
    const place = this.#places.get(object);
    if (!place || place.timer !== undefined) return;
    place.timer = setTimeout(() => this.flush(object), WRITE_DELAY);
  }

  flush(object: SharedObject): void {
    const place = this.#places.get(object);
    if (place?.timer === undefined) return;
    clearTimeout(place.timer);
    place.timer = undefined;
    if (place.isNew) this.#counts.set(place.folder, this.#count(place.folder) + 1);
    place.isNew = false;
    this.#files.write(place.path, writeSharedObjectFile(object));
  }

  forget(object: SharedObject): void {
    this.flush(object);
    this.#places.delete(object);
  }

  /** Writes all pending changes; resolves when they are on the disk. */
  close(): Promise<void> {
    for (const object of this.#places.keys()) this.flush(object);
    return this.#files.settled();
  }

  /** Reads a file into an object; renames a damaged file, and the object stays empty. */
  #read(path: string, bytes: Uint8Array, object: SharedObject): void {
    try {
      readSharedObjectFile(bytes, object);
    } catch (error) {
      if (!(error instanceof WireError)) throw error;
      const aside = this.#files.moveAside(path);
      this.#options.log.error(
        `The shared object ${path} is damaged, and now ${aside}: ${error.message}`,
      );
    }
  }

  #count(folder: string): number {
    let count = this.#counts.get(folder);
    if (count === undefined) {
      count = this.#files.count(folder, SUFFIX);
      this.#counts.set(folder, count);
    }
    return count;
  }
}

const reason = (error: unknown): string => error instanceof Error ? error.message : String(error);
