import type { Hub } from "../media/hub.ts";
import type { Listener } from "../media/listener.ts";
import type { Publication } from "../media/publication.ts";
import type {
  HoldMemory,
  ListedRecording,
  Recorded,
  RecordEvents,
  Recording,
  Recordings,
  RecordMode,
} from "../media/recordings.ts";
import type { FilePlayer, PlayerHost } from "./file_player.ts";
import { FlvIndex } from "./flv_index.ts";
import { type IndexedFile, Indexes } from "./indexes.ts";
import { recordingFile } from "./names.ts";
import { OpenRecording } from "./open_recording.ts";
import {
  type OpenTarget,
  Recorder,
  RECORDER_COST,
  type RecorderHost,
  type RecordLimits,
  type RecordPlace,
} from "./recorder.ts";
import { segmentName } from "./segment_name.ts";
import type { Disk } from "./stored_file.ts";
import { FILE_HEADER } from "./tag_reader.ts";

/** Minimum ms between two rounds of tasks that are due. */
const STEP_INTERVAL = 20;

interface StoreOptions {
  readonly disk: Disk;
  readonly limits: () => RecordLimits;
  /** Maximum bytes of a recording that wait for the disk; above it, the recording loses frames. */
  readonly queueLimit: () => number;
  readonly clientsMayRecord: () => boolean;
  /** Mode of automatic recording of a publication, by path and name; undefined: none. */
  readonly automatic: (path: string) => RecordMode | "new" | undefined;
  /** The time of day, for names of files and for gaps. */
  readonly date: () => Date;
}

/** A state machine with its deadline. */
type Task = FilePlayer | Recorder;

/**
 * Recordings and their players. The loop calls {@link flush} after every input, and at {@link deadline}.
 */
export class Store implements Recordings, PlayerHost, RecorderHost {
  readonly #hub: Pick<Hub, "now" | "subscriptions" | "log">;
  readonly #options: StoreOptions;
  readonly #tasks = new Set<Task>();
  readonly #awake = new Set<Task>();
  /** The listener of each recorder that takes frames. */
  readonly #recorders = new Map<Recorder, Listener | undefined>();
  /** Recordings that wait until an earlier recording of their file is closed. */
  readonly #waiting: (() => void)[] = [];
  /** Number of players of each file, by application and file. */
  readonly #played = new Map<string, number>();
  /** Number of times that a recording lost frames, as the disk was too slow. */
  overflows = 0;
  /** Bytes written to recordings since the start. */
  writtenBytes = 0;
  readonly #indexes: Indexes;
  #stepAt = Infinity;

  constructor(hub: Pick<Hub, "now" | "subscriptions" | "log">, options: StoreOptions) {
    this.#hub = hub;
    this.#options = options;
    this.#indexes = new Indexes(options.disk);
  }

  get disk(): Disk {
    return this.#options.disk;
  }

  get now(): number {
    return this.#hub.now;
  }

  get queueLimit(): number {
    return this.#options.queueLimit();
  }

  get limits(): RecordLimits {
    return this.#options.limits();
  }

  /** Number of clients that play files. */
  get players(): number {
    return this.#tasks.size - this.#recorders.size;
  }

  /** Number of recordings whose files are not closed. */
  get recordings(): number {
    return this.#recorders.size;
  }

  // Recordings

  open(path: string, name: string, done: (recorded: Recorded | undefined) => void): void {
    const file = recordingFile(name);
    this.disk.open(path, file ?? "", (stored) => {
      if (!file || !stored) {
        stored?.close();
        return done(undefined);
      }
      this.#indexes.of(stored, (indexed) => {
        if (indexed) {
          this.#count({ path, file }, 1);
          return done(new OpenRecording(this, { path, file }, stored, indexed));
        }
        stored.close();
        done(undefined);
      });
    });
  }

  list(path: string, done: (files: readonly ListedRecording[]) => void): void {
    this.disk.list(path, (files) => done(files.filter(({ name }) => recordingFile(name))));
  }

  get clientsMayRecord(): boolean {
    return this.#options.clientsMayRecord();
  }

  published(publication: Publication, path: string, application: string): void {
    const mode = this.#options.automatic(`${path}/${publication.name}`);
    if (mode === undefined || publication.recording) return;
    const { name } = publication;
    const warn = (text: string) => this.#hub.log("warn", `Cannot record ${name}: ${text}`);
    const events: RecordEvents = {
      started: () => {},
      failed: (_, text) => warn(text),
      stopped: () => {},
    };
    // Names of segments always contain the time.
    const isDated = mode === "new" && this.limits.segment === 0;
    const file = isDated ? segmentName(name, this.#options.date()) : name;
    const recording = this.record(
      publication,
      application,
      file,
      mode === "new" ? "append" : mode, // a recording of the same second may have ended
      events,
    );
    if (typeof recording === "string") warn(recording);
  }

  record(
    publication: Publication,
    path: string,
    name: string,
    mode: RecordMode,
    events?: RecordEvents,
    hold?: HoldMemory,
  ): Recording | string {
    const { segment } = this.limits;
    const file = recordingFile(segment > 0 ? segmentName(name, this.#options.date()) : name);
    if (file === undefined) return `Invalid name of a recording: ${name}`;
    const place = { path, file };
    if (publication.recording) {
      return `${publication.name} is recorded as ${publication.recording.name}`;
    }
    if (this.#isRecorded(place)) return `${name} is being recorded`;
    if (mode === "record" && this.#played.has(keyOf(place))) return `${name} is being played`;
    if (hold && !hold(RECORDER_COST)) return "Not enough memory for a recording";
    const recorder = new Recorder(publication, name, place, mode, this, events, hold);
    publication.recording = recorder;
    const { queueLimit } = this;
    const listener = this.#hub.subscriptions.attach(publication.name, recorder, { queueLimit });
    this.#recorders.set(recorder, listener);
    this.#tasks.add(recorder);
    listener.start();
    return recorder;
  }

  // RecorderHost

  openTarget(recorder: Recorder, done: (target: OpenTarget) => void): void {
    const { place } = recorder;
    if (this.#recorders.has(recorder)) { // for a further file
      place.file = recordingFile(segmentName(recorder.name, this.#options.date()))!;
    }
    this.#open(recorder, done);
  }

  /** Opens the file of a recorder, after an earlier recording of the same file has closed it. */
  #open(recorder: Recorder, done: (target: OpenTarget) => void): void {
    const { place: { path, file }, mode } = recorder;
    if (this.#recordsBefore(recorder)) {
      this.#waiting.push(() => this.#open(recorder, done));
      return;
    }
    if (mode === "record") return this.#create(recorder, 0, undefined, done);
    this.disk.open(path, file, (stored) => {
      if (!stored) return this.#create(recorder, 0, undefined, done);
      this.#indexes.of(stored, (indexed) => {
        stored.close();
        if (indexed) return this.#create(recorder, indexed.index.end, indexed, done);
        if (stored.size === 0) return this.#create(recorder, 0, undefined, done);
        done({ reason: "failed", text: `${recorder.name} is not an FLV file` });
      });
    });
  }

  /** Opens a file for writing; keeps its first `keep` bytes. */
  #create(
    { mode, place: { path, file } }: Recorder,
    keep: number,
    before: IndexedFile | undefined,
    done: (target: OpenTarget) => void,
  ): void {
    this.disk.create(path, file, keep, (opened) => {
      if ("reason" in opened) return done(opened);
      const since = before ? this.#options.date().getTime() - before.modified : 0;
      const index = before?.index ?? new FlvIndex(FILE_HEADER + 4);
      const indexed: IndexedFile = { index, size: keep, modified: 0, growing: true };
      this.#indexes.keep(opened.key, indexed);
      done({ file: opened, indexed, gap: mode === "appendWithGap" ? Math.max(0, since) : 0 });
    });
  }

  ended(key: string, indexed: IndexedFile): void {
    this.#indexes.ended(key, indexed);
  }

  detach(recorder: Recorder): void {
    if (recorder.publication.recording === recorder) recorder.publication.recording = undefined;
    const listener = this.#recorders.get(recorder);
    if (listener) this.#hub.subscriptions.unsubscribe(listener);
  }

  over(task: Task): void {
    if (task instanceof Recorder) {
      this.#recorders.delete(task);
      for (const open of this.#waiting.splice(0)) open();
    }
    this.#tasks.delete(task);
    this.#awake.delete(task);
  }

  written(recorder: Recorder, bytes: number): void {
    this.writtenBytes += bytes;
    this.wake(recorder);
  }

  overflowed({ name }: Recorder): void {
    this.overflows++;
    this.#hub.log("warn", `The disk is too slow for the recording ${name}, which loses frames`);
  }

  #isRecorded(place: RecordPlace): boolean {
    for (const one of this.#recorders.keys()) {
      if (!one.stopped && keyOf(one.place) === keyOf(place)) return true;
    }
    return false;
  }

  /** Whether an earlier recorder is still closing the same file. */
  #recordsBefore(recorder: Recorder): boolean {
    for (const one of this.#recorders.keys()) {
      if (one === recorder) return false;
      if (keyOf(one.place) === keyOf(recorder.place)) return true;
    }
    return false;
  }

  #count(place: RecordPlace, by: 1 | -1): void {
    const key = keyOf(place);
    const count = (this.#played.get(key) ?? 0) + by;
    if (count > 0) this.#played.set(key, count);
    else this.#played.delete(key);
  }

  // State machine

  /** Time (ms) of the next {@link flush} if no input comes before. */
  get deadline(): number {
    if (this.#awake.size > 0) return this.now;
    return this.#stepAt;
  }

  /** Lets players send due frames, and recorders write due data. */
  flush(now: number): void {
    let next = this.#stepAt;
    const run = (player: Task) => {
      player.run(now);
      next = Math.min(next, Math.max(player.deadline, now + STEP_INTERVAL));
    };
    for (const player of this.#awake) {
      this.#awake.delete(player);
      run(player);
    }
    if (now >= this.#stepAt) {
      next = Infinity;
      for (const player of this.#tasks) {
        if (now >= player.deadline) run(player);
        else next = Math.min(next, Math.max(player.deadline, now + STEP_INTERVAL));
      }
    }
    this.#stepAt = next;
  }

  // PlayerHost

  add(player: FilePlayer): void {
    this.#tasks.add(player);
    this.#awake.add(player);
  }

  wake(task: Task): void {
    if (this.#tasks.has(task)) this.#awake.add(task);
  }

  /** A recording was closed by its user. */
  released(place: RecordPlace): void {
    this.#count(place, -1);
  }
}

const keyOf = ({ path, file }: RecordPlace): string => `${path}/${file}`;
