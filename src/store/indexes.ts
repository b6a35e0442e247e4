import { WireError } from "../bytes/wire_error.ts";
import type { FlvIndex } from "./flv_index.ts";
import { type KeptIndex, readIndexFile, writeIndexFile } from "./flv_index_file.ts";
import { buildIndex } from "./index_builder.ts";
import type { Disk, StoredFile } from "./stored_file.ts";

/** Maximum number of indexes in memory: the most recently used ones. */
const MAX_INDEXES = 256;
/** Minimum bytes of a file whose index is stored beside it; the index of a smaller one is quickly made again. */
const MIN_INDEXED = 4 << 20;

/** The index of a file, and size (bytes) and time of change (ms since 1970) of the file when it was made. */
export interface IndexedFile {
  readonly index: FlvIndex;
  size: number;
  modified: number;
  /** Whether the file is being recorded: the index grows with it. */
  growing: boolean;
}

/** The indexes of files: kept in memory, stored beside large files, or made again. */
export class Indexes {
  readonly #disk: Disk;
  /** Indexes by {@link StoredFile.key}, least recently used first. */
  readonly #kept = new Map<string, IndexedFile>();
  /** Callbacks that wait for an index that is being read or made, by key. */
  readonly #building = new Map<string, ((indexed: IndexedFile | undefined) => void)[]>();

  constructor(disk: Disk) {
    this.#disk = disk;
  }

  /** Finds the index of a file: a kept one, if the file has not changed, or a new one. */
  of(file: StoredFile, done: (indexed: IndexedFile | undefined) => void): void {
    const { key, size, modified } = file;
    const kept = this.#kept.get(key);
    if (kept && (kept.growing || (kept.size === size && kept.modified === modified))) {
      this.keep(key, kept);
      return done(kept);
    }
    const waiting = this.#building.get(key);
    if (waiting) {
      waiting.push(done);
      return;
    }
    const all = [done];
    this.#building.set(key, all);
    const found = (indexed: IndexedFile | undefined) => {
      this.#building.delete(key);
      if (indexed) this.keep(key, indexed);
      for (const one of all) one(indexed);
    };
    const build = () =>
      buildIndex(file, (index) => {
        const indexed = index && { index, size, modified, growing: false };
        if (indexed) this.ended(key, indexed);
        found(indexed);
      });
    if (size < MIN_INDEXED) return build();
    this.#disk.readIndex(key, (bytes) => {
      const kept = bytes && readIndex(bytes);
      if (kept?.size === size && kept.modified === modified) found({ ...kept, growing: false });
      else build();
    });
  }

  /** Stores the index of a finished file beside it, if the file is large. VOD-210. */
  ended(key: string, indexed: IndexedFile): void {
    if (indexed.size < MIN_INDEXED || indexed.modified === 0) return;
    const bytes = writeIndexFile(indexed);
    if (bytes) this.#disk.writeIndex(key, bytes);
  }

  keep(key: string, indexed: IndexedFile): void {
    this.#kept.delete(key);
    this.#kept.set(key, indexed);
    if (this.#kept.size <= MAX_INDEXES) return;
    for (const [oldest, { growing }] of this.#kept) {
      if (growing) continue;
      this.#kept.delete(oldest);
      return;
    }
  }
}

/** @returns undefined if the file is invalid: then the index is made again */
function readIndex(bytes: Uint8Array): KeptIndex | undefined {
  try {
    return readIndexFile(bytes);
  } catch (error) {
    if (error instanceof WireError) return undefined;
    throw error;
  }
}
