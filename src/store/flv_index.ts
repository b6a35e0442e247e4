import { audioRole, headerSlot, videoRole } from "../flv/codec.ts";
import { TAG_HEADER, TagType } from "../flv/tags.ts";
import { Frame } from "../media/frame.ts";
import { metadataOf } from "./script_data.ts";
import { SeekPoints } from "./seek_points.ts";
import type { StoredTag } from "./tag_reader.ts";

/** Minimum ms between two seek points of audio. */
const AUDIO_INTERVAL = 1_000;
/** Maximum number of stored codec headers, and of their bytes. */
const MAX_HEADERS = 1_000;
const MAX_HEADER_BYTES = 1 << 20;

/**
 * The codec of a frame: a number of the FLV format, or the four characters of the enhanced form; 0 for
 * an empty message.
 */
export function codecNumberOf(kind: "audio" | "video", payload: Uint8Array): number {
  const first = payload[0] ?? 0;
  const enhanced = kind === "video" ? (first & 0x80) !== 0 : first >> 4 === 9;
  if (enhanced && payload.length >= 5) {
    return new DataView(payload.buffer, payload.byteOffset).getUint32(1);
  }
  return kind === "video" ? first & 15 : first >> 4;
}

/** A codec header, and its offset in the file. */
interface StoredHeader {
  readonly position: number;
  readonly frame: Frame;
}

/** A position in a file where playback can begin. */
export interface SeekPoint {
  /** Milliseconds since the first frame of the file. */
  readonly time: number;
  /** Offset of its tag. */
  readonly position: number;
}

/**
 * Index for playing any part of a file: built from its tags, one after the other, when the file is first
 * read or while it is written. Ignores a `keyframes` table in the file: many are wrong. VOD-103,
 * VOD-106, VOD-107.
 */
export class FlvIndex {
  readonly headers: StoredHeader[] = [];
  readonly video = new SeekPoints();
  readonly audio = new SeekPoints();
  /** The values of `onMetaData`, without the name, and the offset of its tag. */
  metadata: Uint8Array | undefined;
  metadataPosition = -1;
  /** Offset of the end of that tag. */
  metadataEnd = -1;
  /** Time (ms) in the file of the first audio or video frame; undefined before it. */
  firstTime: number | undefined;
  /** Milliseconds from the first frame to the latest. */
  duration = 0;
  /** Offset of the end of the last whole tag. */
  end: number;
  hasAudio = false;
  hasVideo = false;
  /** Codecs of the first frames; see {@link codecNumberOf}. */
  audioCodec: number | undefined;
  videoCodec: number | undefined;
  #headerBytes = 0;

  /** @param firstPosition offset of the first tag */
  constructor(readonly firstPosition: number) {
    this.end = firstPosition;
  }

  /** Milliseconds since the first frame of the file, from 0. */
  timeOf({ time }: Pick<StoredTag, "time">): number {
    return Math.max(0, (time - (this.firstTime ?? time)) | 0);
  }

  /**
   * Adds the next tag of the file.
   *
   * @param size bytes of the file
   * @returns false, without adding, if the tag does not end within the file
   */
  add(tag: StoredTag, size = Infinity): boolean {
    if (tag.end - 4 > size) return false; // the last trailer may be missing
    this.end = Math.min(tag.end, size);
    if (tag.type === TagType.data) {
      this.#addMetadata(tag);
      return true;
    }
    const isVideo = tag.type === TagType.video;
    const role = isVideo ? videoRole(tag.data) : audioRole(tag.data);
    if (role === "header") {
      this.#addHeader(tag, isVideo ? "video" : "audio");
      return true;
    }
    if (role === "other") return true;
    this.firstTime ??= tag.time;
    const time = this.timeOf(tag);
    this.duration = Math.max(this.duration, time);
    if (isVideo) {
      this.hasVideo = true;
      this.videoCodec ??= codecNumberOf("video", tag.data);
      if (role === "key") this.video.add(time, tag.position);
    } else {
      this.hasAudio = true;
      this.audioCodec ??= codecNumberOf("audio", tag.data);
      if (time - this.audio.last >= AUDIO_INTERVAL) this.audio.add(time, tag.position);
    }
    return true;
  }

  /** The seek point for a time: the last key frame up to it, or without video the last audio point. VOD-056. */
  pointBefore(time: number): SeekPoint {
    const points = this.video.length > 0 ? this.video : this.audio;
    return points.before(time) ?? { time: 0, position: this.firstPosition };
  }

  /** The codec headers in effect at an offset. VOD-107. */
  headersAt(position: number): Frame[] {
    const headers = new Map<string, Frame>();
    for (const { position: at, frame } of this.headers) {
      if (at >= position) break;
      headers.set(headerSlot(frame.kind as "audio" | "video", frame.payload), frame);
    }
    return [...headers.values()];
  }

  /** Appends a codec header, unless {@link MAX_HEADERS} or {@link MAX_HEADER_BYTES} would be exceeded. */
  addHeader(position: number, frame: Frame): void {
    const { length } = frame.payload;
    if (this.headers.length >= MAX_HEADERS) return;
    if (this.#headerBytes + length > MAX_HEADER_BYTES) return;
    this.#headerBytes += length;
    this.headers.push({ position, frame });
  }

  #addMetadata({ data, position, end }: StoredTag): void {
    if (this.metadata) return;
    const values = metadataOf(data);
    if (!values) return;
    this.metadata = values.slice();
    this.metadataPosition = position;
    this.metadataEnd = end;
  }

  #addHeader({ data, position, end, time }: StoredTag, kind: "audio" | "video"): void {
    const whole = end - position - TAG_HEADER - 4;
    if (data.length < whole) return;
    this.addHeader(position, new Frame(kind, time >>> 0, data.slice(0, whole)));
  }
}
