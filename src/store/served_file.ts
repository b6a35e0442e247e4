import { type AmfObject, encodeAmf0, MixedArray } from "../amf/mod.ts";
import { Writer } from "../bytes/writer.ts";
import { flvHeader, flvTag, TagType } from "../flv/tags.ts";
import type { RecordedFile } from "../media/recordings.ts";
import { metadataMembers } from "./recording_metadata.ts";
import type { OpenRecording } from "./open_recording.ts";
import type { SeekPoint } from "./flv_index.ts";

/** Maximum number of key frames in the index for players. */
const MAX_KEYFRAMES = 5_000;
const NAME = encodeAmf0("onMetaData");

/**
 * A recording as served by HTTP: a header with `keyframes`, by which players seek, then the bytes of the file
 * after its metadata, up to the last whole tag. VOD-082, VOD-106.
 */
export class ServedFile implements RecordedFile {
  readonly size: number;
  readonly modified: number;
  readonly #recording: OpenRecording;
  readonly #prefix: Uint8Array;
  /** Offset in the file of the first byte after the prefix. */
  readonly #from: number;

  constructor(recording: OpenRecording) {
    const { index, indexed } = recording;
    this.#recording = recording;
    this.modified = indexed.modified;
    const isFirst = index.metadataPosition === index.firstPosition;
    this.#from = isFirst ? index.metadataEnd : index.firstPosition;
    const rest = Math.max(0, index.end - this.#from);
    // Numbers have a fixed length, so the values in the prefix do not change its length.
    const length = this.#prefixOf(0, 0).length;
    this.#prefix = this.#prefixOf(length - this.#from, length + rest);
    this.size = length + rest;
  }

  read(position: number, length: number, done: (bytes: Uint8Array | undefined) => void): void {
    const prefix = this.#prefix;
    const most = Math.min(length, this.size - position);
    if (position < prefix.length) {
      const part = prefix.subarray(position, position + most);
      return this.#recording.read(this.#from, 0, (bytes) => done(bytes && part)); // reads 0 bytes, to call back later
    }
    this.#recording.read(this.#from + position - prefix.length, most, done);
  }

  /** @param shift difference between offsets in the served bytes and in the file */
  #prefixOf(shift: number, size: number): Uint8Array {
    const { index } = this.#recording;
    const points = [
      { time: 0, position: this.#from }, // players skip the first point, as it is that of the headers
      ...thinned([...(index.hasVideo ? index.video : index.audio).values()]),
    ];
    const members: AmfObject = {
      ...metadataMembers(index.metadata),
      duration: index.duration / 1_000,
      filesize: size,
      hasAudio: index.hasAudio,
      hasVideo: index.hasVideo,
      hasKeyframes: true,
      keyframes: {
        times: points.map(({ time }) => time / 1_000),
        filepositions: points.map(({ position }) => position + shift),
      },
    };
    const values = encodeAmf0(new MixedArray(members));
    const data = new Writer(NAME.length + values.length).bytes(NAME).bytes(values).view();
    const header = flvHeader(index.hasAudio, index.hasVideo);
    const tag = flvTag({ type: TagType.data, timestamp: 0, data });
    return new Writer(header.length + tag.length).bytes(header).bytes(tag).copy();
  }
}

function thinned(points: SeekPoint[]): SeekPoint[] {
  const step = Math.ceil(points.length / MAX_KEYFRAMES);
  return step > 1 ? points.filter((_, i) => i % step === 0) : points;
}
