// The file with the index of a recording, stored beside it, so that the server reads a large recording through only
// once, and not after each start. VOD-210.
import { crc32 } from "../bytes/crc32.ts";
import { Reader } from "../bytes/reader.ts";
import { toUtf8 } from "../bytes/text.ts";
import { WireError } from "../bytes/wire_error.ts";
import { Writer } from "../bytes/writer.ts";
import { Frame } from "../media/frame.ts";
import { FlvIndex } from "./flv_index.ts";
import type { SeekPoints } from "./seek_points.ts";

/** Start of the file: the format and its version. */
const MAGIC = toUtf8("CFI1");
/** Maximum bytes of an index file: two full tables, codec headers and metadata. */
export const MAX_INDEX_FILE = 8 << 20;
/** Bytes of a point: time u32, offset f64. */
const POINT = 12;
const FLAGS = { audio: 1, video: 2, metadata: 4, firstTime: 8, audioCodec: 16, videoCodec: 32 };

/** An index, and size and time of the recording when the index was made. */
export interface KeptIndex {
  readonly index: FlvIndex;
  /** Bytes of the recording, and time of its last change in ms since 1970. */
  readonly size: number;
  readonly modified: number;
}

/**
 * The bytes of a file: `"CFI1" | CRC-32 of the rest u32 | size f64 | modified f64 | firstPosition f64 |
 * end f64 | duration u32 | flags u32 | firstTime u32 | audioCodec u32 | videoCodec u32 |
 * metadataPosition f64 | metadataEnd f64 | metadata | headers | video points | audio points`. Members of
 * variable length start with their length or count as u32.
 *
 * @returns undefined if the file would be too large
 */
export function writeIndexFile(
  { index, size, modified }: KeptIndex,
): Uint8Array<ArrayBuffer> | undefined {
  const { headers, video, audio, metadata, firstTime, audioCodec, videoCodec } = index;
  let length = 128 + (metadata?.length ?? 0) + POINT * (video.length + audio.length);
  for (const { frame } of headers) length += 17 + frame.payload.length;
  if (length > MAX_INDEX_FILE) return undefined;
  const flags = (index.hasAudio ? FLAGS.audio : 0) | (index.hasVideo ? FLAGS.video : 0) |
    (metadata ? FLAGS.metadata : 0) | (firstTime !== undefined ? FLAGS.firstTime : 0) |
    (audioCodec !== undefined ? FLAGS.audioCodec : 0) |
    (videoCodec !== undefined ? FLAGS.videoCodec : 0);
  const to = new Writer(length).bytes(MAGIC).u32(0);
  const start = to.at;
  to.f64(size).f64(modified).f64(index.firstPosition).f64(index.end).u32(index.duration);
  to.u32(flags).u32(firstTime ?? 0).u32(audioCodec ?? 0).u32(videoCodec ?? 0);
  to.f64(index.metadataPosition).f64(index.metadataEnd);
  to.u32(metadata?.length ?? 0);
  if (metadata) to.bytes(metadata);
  to.u32(headers.length);
  for (const { position, frame: { kind, time, payload } } of headers) {
    to.f64(position).u8(kind === "audio" ? 1 : 0).u32(time).u32(payload.length).bytes(payload);
  }
  for (const points of [video, audio]) writePoints(to, points);
  return to.u32At(start - 4, crc32(to.view().subarray(start))).copy();
}

/** @throws {WireError} if the bytes are not an index file, truncated or changed */
export function readIndexFile(bytes: Uint8Array): KeptIndex {
  const from = new Reader(bytes);
  if (!from.bytes(MAGIC.length).every((byte, i) => byte === MAGIC[i])) {
    throw new WireError("Cannot read an index of another format");
  }
  const sum = from.u32();
  if (sum !== crc32(bytes.subarray(from.at))) {
    throw new WireError("Cannot read an index with a wrong checksum");
  }
  const [size, modified] = [from.f64(), from.f64()];
  const place = () => readPlace(from, size);
  const index = new FlvIndex(place());
  index.end = place();
  index.duration = from.u32();
  const flags = from.u32();
  const ifHas = (flag: number, value: number) => (flags & flag) !== 0 ? value : undefined;
  index.hasAudio = (flags & FLAGS.audio) !== 0;
  index.hasVideo = (flags & FLAGS.video) !== 0;
  index.firstTime = ifHas(FLAGS.firstTime, from.u32() | 0); // signed: VOD-102
  index.audioCodec = ifHas(FLAGS.audioCodec, from.u32());
  index.videoCodec = ifHas(FLAGS.videoCodec, from.u32());
  index.metadataPosition = readPlace(from, size, -1);
  index.metadataEnd = readPlace(from, size, -1);
  const metadata = from.bytes(from.u32());
  if ((flags & FLAGS.metadata) !== 0) index.metadata = metadata.slice();
  const headers = from.u32();
  for (let i = 0; i < headers; i++) {
    const position = place();
    const kind = from.u8() === 1 ? "audio" : "video";
    const time = from.u32();
    index.addHeader(position, new Frame(kind, time, from.bytes(from.u32()).slice()));
  }
  for (const points of [index.video, index.audio]) readPoints(from, points, place);
  return { index, size, modified };
}

function writePoints(to: Writer, points: SeekPoints): void {
  to.u32(points.length);
  for (const { time, position } of points.values()) to.u32(time).f64(position);
}

function readPoints(from: Reader, points: SeekPoints, place: () => number): void {
  const count = from.u32();
  if (count * POINT > from.left) throw new WireError(`Cannot read ${count} points`);
  for (let i = 0; i < count; i++) points.add(from.u32(), place());
}

/** Reads an offset in a recording of `size` bytes. Checks it, as other programs may write to the folder. */
function readPlace(from: Reader, size: number, least = 0): number {
  const place = from.f64();
  if (Number.isSafeInteger(place) && place >= least && place <= size) return place;
  throw new WireError(`Cannot use the offset ${place} in a file of ${size} bytes`);
}
