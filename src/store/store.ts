import type { Clock } from "../media/clock.ts";
import type { Recorded, Recordings } from "../media/recordings.ts";
import type { FilePlayer, PlayerHost } from "./file_player.ts";
import type { FlvIndex } from "./flv_index.ts";
import { buildIndex } from "./index_builder.ts";
import { recordingFile } from "./names.ts";
import { OpenRecording } from "./open_recording.ts";
import type { Disk, StoredFile } from "./stored_file.ts";

/** Milliseconds between two rounds of players whose frames are due. */
const STEP = 50;
/** Indexes that are kept; the ones used last. */
const MAX_INDEXES = 256;

/** The index of a file as it was when its size and time of change were these. */
export interface IndexedFile {
  readonly index: FlvIndex;
  size: number;
  modified: number;
  /** It is being recorded: the index grows with it. */
  growing: boolean;
}

/**
 * Recordings and who plays them. It is driven like an endpoint: {@link flush} after every input, and at
 * its {@link deadline}.
 */
export class Store implements Recordings, PlayerHost {
  readonly #clock: Clock;
  readonly #players = new Set<FilePlayer>();
  readonly #awake = new Set<FilePlayer>();
  /** By {@link StoredFile.key}, least recently used first. */
  readonly #indexes = new Map<string, IndexedFile>();
  /** Who waits for an index that is being built, by key. */
  readonly #building = new Map<string, ((indexed: IndexedFile | undefined) => void)[]>();
  #stepAt = Infinity;

  constructor(clock: Clock, readonly disk: Disk) {
    this.#clock = clock;
  }

  get now(): number {
    return this.#clock.now;
  }

  /** Clients that play files. */
  get players(): number {
    return this.#players.size;
  }

  // Recordings

  open(path: string, name: string, done: (recorded: Recorded | undefined) => void): void {
    const file = recordingFile(name);
    this.disk.open(path, file ?? "", (stored) => {
      if (!file || !stored) {
        stored?.close();
        return done(undefined);
      }
      this.#indexOf(stored, (indexed) => {
        if (indexed) return done(new OpenRecording(this, { path, file }, stored, indexed));
        stored.close();
        done(undefined);
      });
    });
  }

  // The machine

  /** When {@link flush} is wanted if nothing comes in before, in milliseconds. */
  get deadline(): number {
    if (this.#awake.size > 0) return this.now;
    return this.#stepAt;
  }

  /** Has the players send what is due. */
  flush(now: number): void {
    let next = this.#stepAt;
    const run = (player: FilePlayer) => {
      player.run(now);
      next = Math.min(next, Math.max(player.deadline, now + STEP));
    };
    for (const player of this.#awake) {
      this.#awake.delete(player);
      run(player);
    }
    if (now >= this.#stepAt) {
      next = Infinity;
      for (const player of this.#players) {
        if (now >= player.deadline) run(player);
        else next = Math.min(next, Math.max(player.deadline, now + STEP));
      }
    }
    this.#stepAt = next;
  }

  // PlayerHost

  add(player: FilePlayer): void {
    this.#players.add(player);
    this.#awake.add(player);
  }

  wake(player: FilePlayer): void {
    if (this.#players.has(player)) this.#awake.add(player);
  }

  over(player: FilePlayer): void {
    this.#players.delete(player);
    this.#awake.delete(player);
  }

  // Indexes

  /** The index of a file: the one that is kept, if the file has not changed, or a new one. */
  #indexOf(file: StoredFile, done: (indexed: IndexedFile | undefined) => void): void {
    const { key, size, modified } = file;
    const kept = this.#indexes.get(key);
    if (kept && (kept.growing || (kept.size === size && kept.modified === modified))) {
      this.#keep(key, kept);
      return done(kept);
    }
    const waiting = this.#building.get(key);
    if (waiting) {
      waiting.push(done);
      return;
    }
    const all = [done];
    this.#building.set(key, all);
    buildIndex(file, (index) => {
      this.#building.delete(key);
      const indexed = index && { index, size, modified, growing: false };
      if (indexed) this.#keep(key, indexed);
      for (const one of all) one(indexed);
    });
  }

  #keep(key: string, indexed: IndexedFile): void {
    this.#indexes.delete(key);
    this.#indexes.set(key, indexed);
    if (this.#indexes.size <= MAX_INDEXES) return;
    for (const [oldest, { growing }] of this.#indexes) {
      if (growing) continue;
      this.#indexes.delete(oldest);
      return;
    }
  }
}
