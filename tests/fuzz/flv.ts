// Targets: the reader of published FLV files, the index of played ones, and the file of an index.
// Reader and index receive the same bytes in pieces of two sizes, and must have the same result.
import assert from "node:assert/strict";
import { crc32 } from "../../src/bytes/crc32.ts";
import { FlvReader } from "../../src/flv/reader.ts";
import { FlvError, type FlvTag } from "../../src/flv/tags.ts";
import { FlvIndex } from "../../src/store/flv_index.ts";
import { readIndexFile, writeIndexFile } from "../../src/store/flv_index_file.ts";
import { buildIndex } from "../../src/store/index_builder.ts";
import { FILE_HEADER, firstTagOffset, TagReader } from "../../src/store/tag_reader.ts";
import { film, flvFile } from "../store/fakes.ts";
import type { FuzzTarget } from "./harness.ts";

const samples = () => [
  flvFile(film().slice(0, 12)),
  flvFile(film(2 ** 31 - 100).slice(0, 9)),
  flvFile([]),
];

/** The tags of a file in pieces, up to the first error. */
function tagsOf(bytes: Uint8Array, piece: number): { tags: FlvTag[]; error: string } {
  const reader = new FlvReader();
  const tags: FlvTag[] = [];
  try {
    for (let at = 0; at < bytes.length; at += piece) {
      tags.push(...reader.push(bytes.subarray(at, at + piece)));
    }
    tags.push(...reader.end());
    return { tags, error: "" };
  } catch (error) {
    if (!(error instanceof FlvError)) throw error;
    return { tags, error: error.message };
  }
}

function readInPieces(bytes: Uint8Array): void {
  const small = tagsOf(bytes, bytes.length > 4_096 ? 1_000 : 7);
  const whole = tagsOf(bytes, Math.max(1, bytes.length));
  assert.equal(small.error, whole.error);
  // A piece with an error yields no tags, also not the ones before the error.
  if (whole.error === "") assert.equal(small.tags.length, whole.tags.length);
  for (const [i, tag] of whole.tags.entries()) {
    const other = small.tags[i];
    assert.ok(tag.type === other.type && tag.timestamp === other.timestamp);
    assert.equal(tag.data.length, other.data.length);
  }
}

/** The index of a file, built from the smallest possible blocks. */
function indexInBlocks(bytes: Uint8Array): FlvIndex | undefined {
  const first = firstTagOffset(bytes.subarray(0, FILE_HEADER));
  if (first === undefined) return undefined;
  const index = new FlvIndex(first);
  const reader = new TagReader(first);
  for (;;) {
    const { position, needed } = reader;
    const block = bytes.subarray(position, position + needed);
    reader.setBlock(block);
    for (let tag = reader.next(false); tag; tag = reader.next(false)) {
      if (!index.add(tag, bytes.length)) return index;
    }
    if (block.length < needed || reader.ended || reader.position >= bytes.length) return index;
  }
}

function indexOf(bytes: Uint8Array): FlvIndex | undefined {
  let index: FlvIndex | undefined;
  buildIndex({
    key: "file",
    size: bytes.length,
    modified: 0,
    read: (position, length, done) => done(bytes.slice(position, position + length)),
    close: () => {},
  }, (built) => index = built);
  return index;
}

function index(bytes: Uint8Array): void {
  const built = indexOf(bytes);
  const other = indexInBlocks(bytes);
  assert.equal(built?.end, other?.end);
  if (!built || !other) return;
  assert.ok(built.end <= Math.max(bytes.length, built.firstPosition));
  assert.equal(built.duration, other.duration);
  assert.equal(built.headers.length, other.headers.length);
  for (const kind of ["video", "audio"] as const) {
    assert.equal(built[kind].length, other[kind].length);
    let [time, position] = [-1, 0];
    for (const point of built[kind].values()) {
      assert.ok(point.time > time && point.position > position);
      [time, position] = [point.time, point.position];
    }
    assert.ok(position < bytes.length || position === 0);
  }
}

/** A stored index with mutated content and a correct checksum. */
function keptIndex(bytes: Uint8Array): void {
  if (bytes.length >= 8) new DataView(bytes.buffer).setUint32(4, crc32(bytes.subarray(8)));
  const { index } = readIndexFile(bytes);
  const { position } = index.pointBefore(5_000);
  assert.ok(index.headersAt(position).length <= index.headers.length);
}

export const flvTargets: readonly FuzzTarget[] = [
  { name: "flv reader", samples, run: readInPieces },
  { name: "flv index", samples, run: index },
  {
    name: "flv index file",
    samples: () =>
      samples().map((bytes) =>
        writeIndexFile({ index: indexOf(bytes)!, size: bytes.length, modified: 1 })!
      ),
    run: keptIndex,
  },
];
