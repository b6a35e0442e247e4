import { headerSlot, type Role } from "../flv/codec.ts";
import { TagType } from "../flv/tags.ts";
import { Frame } from "../media/frame.ts";
import type { Listener } from "../media/listener.ts";
import type { PlayRange, RecordedOutput, RecordedPlay } from "../media/recordings.ts";
import { PlaybackPacing } from "./pacing.ts";
import { readScriptData } from "./script_data.ts";
import { SeekBurst } from "./seek_burst.ts";
import type { OpenRecording } from "./open_recording.ts";
import { type StoredTag, TagReader } from "./tag_reader.ts";

/** Bytes of a block that is read ahead. */
const BLOCK = 128 * 1024;
/** Maximum bytes that wait in the transport; above it, the player reads no further. VOD-043. */
const MAX_QUEUED = 256 * 1024;
/** Milliseconds between two looks of a player that waits for its transport, or for a growing file. */
const LOOK_INTERVAL = 100;
/** Milliseconds after which a paused player closes its file. VOD-072. */
const PAUSE_TIMEOUT = 600_000;

type Kind = "audio" | "video";

/** Interface of the store for a player. */
export interface PlayerHost {
  readonly now: number;
  /** Calls {@link FilePlayer.run} soon. */
  wake(player: FilePlayer): void;
  over(player: FilePlayer): void;
}

/**
 * - `playing`: sends frames when they are due
 * - `draining`: has sent the last frame, which waits in the transport
 * - `ended`: the transport is empty; a seek plays again
 */
type State = "playing" | "draining" | "ended" | "closed";

/** Plays a recording to one client, at the pace of its buffer. VOD-040 to VOD-073. */
export class FilePlayer implements RecordedPlay {
  /** Time (ms) of the next {@link run}. */
  deadline = 0;
  readonly #pacing: PlaybackPacing;
  readonly #reader = new TagReader(0);
  #state: State = "playing";
  /** Target (ms) of a seek that has not been done yet. */
  #seekTo: number | undefined;
  #burst: SeekBurst | undefined;
  /** Frames from this time on are not sent. */
  #until: number;
  /** Ends with the first picture from this time on. */
  #pictureFrom: number | undefined;
  /** A tag that is not due yet. */
  #next: StoredTag | undefined;
  /** Whether a read is running: the file does one at a time, so a seek waits for its end. */
  #reading = false;
  /** Number of seeks so far; bytes read for an earlier one are dropped. */
  #place = 0;
  #atEnd = false;
  #pausedSince: number | undefined;
  #headers = new Map<string, Frame>();
  /** Whether frames of a kind are sent; false from muting until the next key frame. */
  #flows = { audio: true, video: true };
  #sentBytes = 0;
  #sentTime: number;

  constructor(
    readonly listener: Listener,
    readonly output: RecordedOutput,
    readonly range: PlayRange,
    readonly recording: OpenRecording,
    readonly host: PlayerHost,
  ) {
    const { start, length } = range;
    this.#pacing = new PlaybackPacing(host.now);
    this.#until = length > 0 ? start + length : Infinity;
    if (length === 0) this.#pictureFrom = start;
    this.#sentTime = start;
    this.#seekTo = start;
  }

  // RecordedPlay

  get bufferLength(): number {
    return this.#pacing.buffer;
  }

  set bufferLength(milliseconds: number) {
    this.#pacing.setBuffer(milliseconds);
    this.wake();
  }

  seek(time: number): void {
    if (this.#state === "closed") return;
    this.#seekTo = Math.max(0, time - this.range.offset);
    this.#state = "playing";
    this.#pictureFrom = undefined;
    this.output.abandon("audio");
    this.output.abandon("video");
    this.wake();
  }

  pause(): void {
    if (this.#pausedSince !== undefined) return;
    this.#pausedSince = this.host.now;
    this.#pacing.pause(this.host.now);
    this.wake();
  }

  /** Assumes that the client has all sent frames, unless its time is behind by more than its buffer. VOD-070 */
  resume(time: number | undefined): void {
    if (this.#pausedSince === undefined) return;
    this.#pausedSince = undefined;
    this.#pacing.resume(this.host.now);
    const isBack = time !== undefined &&
      time - this.range.offset < this.#sentTime - this.#pacing.buffer;
    if (isBack && this.#seekTo === undefined) this.seek(time);
    this.wake();
  }

  wake(): void {
    if (this.#state !== "closed") this.host.wake(this);
  }

  close(): void {
    if (this.#state === "closed") return;
    this.#state = "closed";
    this.#next = undefined;
    this.recording.close();
    this.host.over(this);
  }

  /** Sends due frames; sets {@link deadline}. */
  run(now: number): void {
    this.deadline = Infinity;
    if (this.#state === "draining") return this.#drain(now);
    if (this.#state !== "playing") return;
    if (this.#seekTo !== undefined) this.#goTo(this.#seekTo, now);
    for (;;) {
      if (this.output.queuedBytes > MAX_QUEUED) {
        this.deadline = now + LOOK_INTERVAL;
        return;
      }
      const tag = this.#next ?? this.#reader.next();
      if (!tag) return this.#read(now);
      this.#next = tag;
      const time = this.recording.index.timeOf(tag);
      const wait = this.#pacing.wait(time, now);
      if (wait > 0) {
        if (this.#burst?.isOver(time)) this.#endBurst();
        this.#waitUntil(now + wait, now);
        return;
      }
      this.#next = undefined;
      if (time >= this.#until) return this.#finish(now);
      if (this.#burst?.isOver(time)) this.#endBurst();
      this.#deliver(tag, time);
      if (this.#endsWith(tag, time)) return this.#finish(now);
    }
  }

  /** Sets the deadline; while paused, to the time at which the file is closed. */
  #waitUntil(due: number, now: number): void {
    if (this.#pausedSince === undefined) {
      this.deadline = due;
      return;
    }
    const closeAt = this.#pausedSince + PAUSE_TIMEOUT;
    if (now >= closeAt) {
      this.recording.rest();
      this.#reading = false; // a closed file does not call back
    } else this.deadline = closeAt;
  }

  // Position in the file

  #goTo(time: number, now: number): void {
    this.#seekTo = undefined;
    const { index } = this.recording;
    const target = Math.min(time, index.duration);
    const point = index.pointBefore(target);
    this.#place++;
    this.#atEnd = false;
    this.#next = undefined;
    this.#reader.moveTo(point.position);
    this.#headers = new Map();
    this.#flows = { audio: true, video: true };
    for (const frame of index.headersAt(point.position)) this.#sendHeader(frame, point.time);
    this.#pacing.startAt(target, now);
    this.#sentTime = target;
    this.#burst = point.time < target ? new SeekBurst(target) : undefined;
  }

  #read(now: number): void {
    const { index } = this.recording;
    const reader = this.#reader;
    if (this.#reading) return;
    if (this.#atEnd || reader.ended || reader.position >= index.end) {
      if (!this.recording.growing) return this.#finish(now);
      if (reader.position >= index.end) {
        this.deadline = now + LOOK_INTERVAL;
        return;
      }
    }
    const place = this.#place;
    this.#reading = true;
    this.#atEnd = false;
    const needed = reader.needed;
    const length = Math.min(Math.max(BLOCK, needed), index.end - reader.position);
    this.recording.read(reader.position, length, (block) => {
      this.#reading = false;
      if (this.#state === "closed") return;
      if (place !== this.#place) return this.wake(); // a seek came meanwhile
      if (!block) return this.output.failed("The recording cannot be read");
      reader.setBlock(block);
      this.#atEnd = block.length < needed;
      this.wake();
    });
  }

  // Output

  #deliver(tag: StoredTag, time: number): void {
    if (tag.type === TagType.data) return this.#deliverData(tag, time);
    const kind: Kind = tag.type === TagType.audio ? "audio" : "video";
    const frame = new Frame(kind, time, tag.data);
    if (frame.role === "header") return this.#sendHeader(frame, time);
    const wanted = kind === "audio" ? this.listener.receiveAudio : this.listener.receiveVideo;
    if (!wanted) {
      this.#flows[kind] = false;
      return;
    }
    if (!this.#flows[kind] && !this.#flowAgain(kind, frame.role, time)) return;
    if (kind === "video" && this.#burst) {
      const begin = this.#burst.begin(frame.payload);
      if (begin) this.#send(begin, time);
    }
    this.#send(frame, time);
    if (frame.role !== "other") this.#sentTime = time;
  }

  #deliverData({ data, position }: StoredTag, time: number): void {
    if (position === this.recording.index.metadataPosition) return; // sent as playing began
    const script = readScriptData(data);
    if (script) this.#send(new Frame("data", time, script.values, script.name), time);
  }

  /** Muted video continues with a key frame, after the headers. VOD-073. */
  #flowAgain(kind: Kind, role: Role, time: number): boolean {
    if (kind === "video" && role !== "key") return false;
    this.#flows[kind] = true;
    for (const header of this.#headers.values()) {
      if (header.kind === kind) this.#send(header, time);
    }
    return true;
  }

  #sendHeader(frame: Frame, time: number): void {
    this.#headers.set(headerSlot(frame.kind as Kind, frame.payload), frame);
    const { receiveAudio, receiveVideo } = this.listener;
    if (frame.kind === "audio" ? receiveAudio : receiveVideo) this.#send(frame, time);
  }

  #send(frame: Frame, time: number): void {
    this.#sentBytes += frame.payload.length;
    this.output.send(frame, time + this.range.offset, true);
  }

  #endBurst(): void {
    const end = this.#burst!.end();
    if (end) this.#send(end, this.#burst!.target);
    this.#burst = undefined;
  }

  #endsWith({ type, data }: StoredTag, time: number): boolean {
    if (this.#pictureFrom === undefined || time < this.#pictureFrom) return false;
    if (!this.recording.index.hasVideo) return type === TagType.audio;
    const { role } = new Frame("video", time, data);
    return type === TagType.video && (role === "key" || role === "inter");
  }

  // The end

  #finish(now: number): void {
    if (this.#burst) this.#endBurst();
    this.#state = "draining";
    this.#drain(now);
  }

  #drain(now: number): void {
    if (this.output.queuedBytes > 0) {
      this.deadline = now + LOOK_INTERVAL;
      return;
    }
    this.#state = "ended";
    const { start } = this.range;
    this.output.ended(Math.max(0, this.#sentTime - start), this.#sentBytes);
  }
}
