import { type FlvTag, TagType } from "../flv/tags.ts";
import type { Frame } from "../media/frame.ts";
import type { ListenerOutput } from "../media/listener.ts";
import type { Publication } from "../media/publication.ts";
import type { HoldMemory, RecordEvents, Recording, RecordMode } from "../media/recordings.ts";
import { codecNumberOf, type FlvIndex } from "./flv_index.ts";
import { FlvWriter } from "./flv_writer.ts";
import { scriptData } from "./recording_metadata.ts";
import type { IndexedFile } from "./indexes.ts";
import type { NotWritable, WritableFile } from "./stored_file.ts";

/** Milliseconds between the last frame of a file and the first that is appended. VOD-205. */
const APPEND_GAP = 25;
/** Maximum time (ms) in a file: then the recording continues in another one. VOD-204. */
const MAX_TIME = 2 ** 30;
const NO_CODECS = { audioCodec: undefined, videoCodec: undefined };
const TYPES = { audio: TagType.audio, video: TagType.video } as const;

/** Bytes that a recording takes besides queued ones, and the unit in which those are counted. */
export const RECORDER_COST = 64 << 10;

/** Path of the application, and current file of a recording. */
export interface RecordPlace {
  readonly path: string;
  file: string;
}

/** Limits of recordings; 0: no limit. */
export interface RecordLimits {
  /** Maximum bytes of a file. */
  readonly size: number;
  /** Maximum ms of a file. */
  readonly time: number;
  /** Milliseconds after which the recording continues in another file. VOD-213. */
  readonly segment: number;
}

/** The open file of a recording, and the gap (ms) to leave before the first frame; or the reason of a failure. */
export type OpenTarget =
  | { readonly file: WritableFile; readonly indexed: IndexedFile; readonly gap: number }
  | NotWritable;

/** Interface of the store for a recorder. */
export interface RecorderHost {
  readonly now: number;
  readonly limits: RecordLimits;
  /** Maximum bytes that may wait for the disk. */
  readonly queueLimit: number;
  /** Calls {@link Recorder.run} soon. */
  wake(recorder: Recorder): void;
  /** Opens the file of a recording; calls `done` once, later. */
  openTarget(recorder: Recorder, done: (target: OpenTarget) => void): void;
  /** The recorder accepts no more frames. */
  detach(recorder: Recorder): void;
  /** A file is written and closed. @param key see {@link WritableFile.key} */
  ended(key: string, indexed: IndexedFile): void;
  /** All files of the recorder are written and closed. */
  over(recorder: Recorder): void;
  /** A write of `bytes` bytes has ended: call {@link Recorder.run}. */
  written(recorder: Recorder, bytes: number): void;
  /** The recording loses frames, as the disk is too slow. */
  overflowed(recorder: Recorder): void;
}

/**
 * Records a publication to a file, as one of its listeners. The file begins with the codec headers and a key
 * frame; when the disk is too slow, it loses frames up to the next key frame. VOD-201 to VOD-213.
 */
export class Recorder implements ListenerOutput, Recording {
  deadline = Infinity;
  readonly videoWaitsSince = Infinity;
  #writer = this.#newWriter();
  /** All writers, including those of files being closed. */
  readonly #writers = new Set<FlvWriter>();
  /** Frames that wait while the file is being opened; undefined when it is open. */
  #early: [Frame, number][] | undefined;
  #stopped = false;
  #failed = false;
  /** Bytes of frames that wait for the file. */
  #earlyBytes = 0;
  /** Counted multiples of {@link RECORDER_COST}. */
  #counted = 1;
  #metadata: Uint8Array | undefined;
  /** Time (ms) of the first frame of the file, of the listener and in the file. */
  #base: number | undefined;
  #offset = 0;
  #last = { audio: 0, video: 0 };
  /** Codecs of a file that is appended to. */
  #codecs: Pick<FlvIndex, "audioCodec" | "videoCodec"> = NO_CODECS;

  /**
   * @param name requested name of the recording
   * @param place application and file
   * @param hold counts {@link RECORDER_COST} and the queued bytes
   */
  constructor(
    readonly publication: Publication,
    readonly name: string,
    readonly place: RecordPlace,
    readonly mode: RecordMode,
    readonly host: RecorderHost,
    readonly events: RecordEvents | undefined,
    readonly hold: HoldMemory = () => true,
  ) {
    this.#open(() => events?.started());
  }

  /** Bytes that wait for the disk. */
  get queuedBytes(): number {
    let bytes = this.#earlyBytes;
    for (const writer of this.#writers) bytes += writer.queuedBytes;
    return bytes;
  }

  /** Data waits with audio and video. */
  get queuedDataBytes(): number {
    return this.queuedBytes;
  }

  get size(): number {
    return this.#writer.size;
  }

  get duration(): number {
    return Math.max(this.#last.audio, this.#last.video);
  }

  /** Whether the recorder accepts no more frames, and is closing its file. */
  get stopped(): boolean {
    return this.#stopped;
  }

  // ListenerOutput

  send(frame: Frame, time: number): void {
    if (this.#stopped) return;
    const { role, payload } = frame;
    if (role === "header" && this.queuedBytes + payload.length > this.host.queueLimit) {
      return this.#fail(false, "The disk is too slow for the codec headers"); // frames need them
    }
    this.#add(frame, time);
    this.#count();
  }

  isFull(bytes: number): boolean {
    return !this.#count(bytes);
  }

  /** Counts the queued bytes and `more` bytes. @returns false, without counting, above the limit */
  #count(more = 0): boolean {
    const steps = 1 + Math.ceil((this.queuedBytes + more) / RECORDER_COST);
    if (steps === this.#counted) return true;
    if (!this.hold(steps * RECORDER_COST)) return false;
    this.#counted = steps;
    return true;
  }

  /** Drops queued frames, but keeps codec headers that wait for the file: later frames need them. */
  abandon(kind: "audio" | "video"): number {
    let given = this.#writer.abandon(TYPES[kind]);
    const early = this.#early;
    if (early) {
      this.#early = early.filter(([frame]) => frame.kind !== kind || frame.role === "header");
      this.#earlyBytes = this.#early.reduce((sum, [{ payload }]) => sum + payload.length, 0);
      given += early.length - this.#early.length;
    }
    this.#count();
    return given;
  }

  overflowed(): void {
    this.host.overflowed(this);
  }

  sampleAccess(): void {}
  published(): void {}
  unpublished(): void {}

  // Recording

  stop(): void {
    if (this.#stopped) return;
    this.#stopped = true;
    this.host.detach(this);
    if (!this.#early) this.#finish();
  }

  /** Writes due data. */
  run(now: number): void {
    this.deadline = Infinity;
    for (const writer of this.#writers) {
      writer.run(now);
      this.deadline = Math.min(this.deadline, writer.deadline);
    }
  }

  // The file

  #newWriter(): FlvWriter {
    const writer = new FlvWriter({
      ended: (key, indexed) => this.host.ended(key, indexed),
      written: (bytes) => {
        this.#count();
        this.host.written(this, bytes);
      },
      failed: (error) => {
        writer.clear();
        this.#fail(false, error);
      },
    });
    return writer;
  }

  /** Opens a file, then writes the frames that waited for it. */
  #open(whenOpen?: () => void): void {
    this.#early ??= [];
    const writer = this.#writer;
    this.host.openTarget(this, (target) => {
      if ("reason" in target) {
        this.#early = undefined;
        return this.#fail(target.reason === "no access", target.text);
      }
      const { file, indexed, gap } = target;
      const { index, size } = indexed;
      writer.open(file, indexed);
      this.#writers.add(writer);
      this.#base = undefined;
      this.#offset = size > 0 ? (index.firstTime ?? 0) + index.duration + APPEND_GAP + gap : 0;
      this.#codecs = { audioCodec: index.audioCodec, videoCodec: index.videoCodec };
      this.#last = { audio: this.#offset, video: this.#offset };
      whenOpen?.();
      const early = this.#early ?? [];
      this.#early = undefined;
      this.#earlyBytes = 0;
      for (const [frame, time] of early) this.#add(frame, time);
      if (this.#stopped && !this.#early && !this.#failed) this.#finish();
    });
  }

  #add(frame: Frame, time: number): void {
    if (this.#failed) return;
    if (!this.#early) return this.#take(frame, time);
    this.#early.push([frame, time]);
    this.#earlyBytes += frame.payload.length;
  }

  #take(frame: Frame, time: number): void {
    const { kind, role, payload } = frame;
    if (kind === "data") return this.#takeData(frame);
    if (role !== "header") {
      if (!this.#fits(kind, frame)) return;
      const isFirst = this.#base === undefined;
      this.#base ??= time;
      const at = this.#offset + Math.max(0, (time - this.#base) | 0);
      if (!isFirst && this.#isFull(frame, time, at)) return;
      this.#last[kind] = Math.max(this.#last[kind], at);
    }
    this.#push({ type: TYPES[kind], timestamp: this.#last[kind], data: payload });
  }

  /** Metadata before the first tag becomes the recording's metadata. VOD-206. */
  #takeData({ name, payload }: Frame): void {
    if (name === "onMetaData" && this.#writer.size === 0) {
      this.#metadata = payload;
      return;
    }
    const data = scriptData(name, payload);
    const timestamp = Math.max(this.#last.audio, this.#last.video);
    if (data) this.#push({ type: TagType.data, timestamp, data });
  }

  #push(tag: FlvTag): void {
    const writer = this.#writer;
    if (writer.size === 0) writer.begin(this.#metadata);
    writer.push(tag, this.host.now);
    if (writer.deadline < this.deadline) this.host.wake(this);
  }

  /** Whether a frame has the codec of the file to which it is appended; else the recording fails. VOD-205 */
  #fits(kind: "audio" | "video", { role, payload }: Frame): boolean {
    const before = kind === "audio" ? this.#codecs.audioCodec : this.#codecs.videoCodec;
    if (before === undefined || role === "other" || before === codecNumberOf(kind, payload)) {
      return true;
    }
    this.#fail(false, `The file has a different ${kind} codec`);
    return false;
  }

  /** Whether a frame exceeds a limit: then the recording ends, or continues in another file. */
  #isFull(frame: Frame, time: number, at: number): boolean {
    const { size, time: longest, segment } = this.host.limits;
    if (size > 0 && this.#writer.size + frame.payload.length > size) {
      this.#fail(false, "The file reached its limit: [record] size");
      return true;
    }
    if (longest > 0 && at > longest) {
      this.#fail(false, "The file reached its limit: [record] time");
      return true;
    }
    const isStart = this.publication.lastVideoTime === undefined || frame.role === "key" &&
        frame.kind === "video";
    if (!isStart || (at < MAX_TIME && (segment === 0 || at < segment))) return false;
    this.#nextFile(frame, time);
    return true;
  }

  /** Closes the file and continues in another one, which begins with this frame. VOD-213. */
  #nextFile(frame: Frame, time: number): void {
    const { publication } = this;
    this.#finish();
    this.#early = [];
    for (const kind of ["audio", "video"] as const) {
      for (const header of publication.headers(kind)) this.#early.push([header, time]);
    }
    this.#early.push([frame, time]);
    this.#writer = this.#newWriter();
    this.#open();
  }

  #finish(): void {
    const writer = this.#writer;
    if (writer.size === 0 && !this.#failed) writer.begin(this.#metadata);
    writer.finish(() => {
      this.#writers.delete(writer);
      this.#end();
    });
    this.host.wake(this);
  }

  #fail(access: boolean, text: string): void {
    if (this.#failed) return;
    this.#failed = true;
    this.events?.failed(access, text);
    const isOpen = this.#writers.has(this.#writer) && !this.#stopped;
    this.#stopped = true;
    this.host.detach(this);
    if (isOpen) this.#finish();
    else this.#end();
  }

  #end(): void {
    if (!this.#stopped || this.#writers.size > 0 || this.#early) return;
    this.hold(0);
    this.host.over(this);
    if (!this.#failed) this.events?.stopped();
  }
}
