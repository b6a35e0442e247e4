import { flvHeader, type FlvTag, flvTag, TAG_HEADER, TagType, TRAILER } from "../flv/tags.ts";
import { Writer } from "../bytes/writer.ts";
import { FlvIndex } from "./flv_index.ts";
import { canPatch, metadataData, PATCH } from "./recording_metadata.ts";
import type { IndexedFile } from "./indexes.ts";
import type { WritableFile } from "./stored_file.ts";
import { TagReader } from "./tag_reader.ts";

/** Minimum bytes of one write, and maximum ms after which fewer are written. */
const MIN_WRITE = 64 * 1024;
const WRITE_TIMEOUT = 500;
/** Bytes after which a write takes no further tag. */
const MAX_WRITE = 1 << 20;
/** Bytes of the header of a file, including the length after it. */
const HEADER = 13;
/** Bytes of a tag besides its data. */
const TAG_OVERHEAD = TAG_HEADER + TRAILER;
/** Offset in the header of the byte that tells whether there is audio and video. */
const FLAGS_AT = 4;

interface WriterEvents {
  /** A write of `bytes` bytes has ended: call {@link FlvWriter.run}. */
  written(bytes: number): void;
  /** The file is closed. */
  ended(key: string, indexed: IndexedFile): void;
  /** A write failed; see {@link FlvWriter.clear}. */
  failed(error: string): void;
}

/**
 * Writes tags to a file, many at once and one write at a time. Each write ends with a whole tag, so that the
 * file is valid whenever the process ends. VOD-210, VOD-211.
 */
export class FlvWriter {
  /** Bytes that are not written yet. */
  queuedBytes = 0;
  #queue: FlvTag[] = [];
  /** Time (ms) at which the oldest tag of the queue was added. */
  #since = Infinity;
  #file: WritableFile | undefined;
  #indexed: IndexedFile | undefined;
  /** Offset of the next write. */
  #position = 0;
  #busy = false;
  #prefix: Uint8Array | undefined;
  #finished: (() => void) | undefined;

  constructor(readonly events: WriterEvents) {}

  /** Bytes of the file, including queued ones. */
  get size(): number {
    return this.#position + this.queuedBytes;
  }

  get index(): FlvIndex | undefined {
    return this.#indexed?.index;
  }

  /** Time (ms) of the next {@link run} that writes. */
  get deadline(): number {
    if (this.#busy || !this.#file) return Infinity;
    if (this.queuedBytes >= MIN_WRITE || this.#finished) return 0;
    return this.#since + WRITE_TIMEOUT;
  }

  /** Begins to write queued tags. @param indexed index of the file, which is empty or continued */
  open(file: WritableFile, indexed: IndexedFile): void {
    this.#file = file;
    this.#indexed = indexed;
    this.#position = indexed.size;
  }

  /**
   * Writes the start of the file, before its first tag.
   *
   * @param metadata the AMF of the values of the publisher's `onMetaData`
   */
  begin(metadata: Uint8Array | undefined): void {
    const data = metadataData(metadata);
    const tag = flvTag({ type: TagType.data, timestamp: 0, data });
    this.#prefix = new Writer(HEADER + tag.length).bytes(flvHeader(true, true)).bytes(tag).copy();
    this.queuedBytes += this.#prefix.length;
  }

  push(tag: FlvTag, now: number): void {
    this.#queue.push(tag);
    this.queuedBytes += tag.data.length + TAG_OVERHEAD;
    this.#since = Math.min(this.#since, now);
  }

  /** Drops the queued tags of a type. @returns their number */
  abandon(type: TagType): number {
    const kept = this.#queue.filter((tag) => tag.type !== type);
    const given = this.#queue.length - kept.length;
    for (const tag of this.#queue) {
      if (tag.type === type) this.queuedBytes -= tag.data.length + TAG_OVERHEAD;
    }
    this.#queue = kept;
    return given;
  }

  run(now: number): void {
    if (this.#busy || !this.#file) return;
    if (this.#finished && this.queuedBytes === 0) this.#patch();
    else if (now >= this.deadline) this.#write(now);
  }

  /** Closes the file after writing all queued tags. @param done called when the file is closed and on the disk */
  finish(done: () => void): void {
    this.#finished = done;
  }

  /** Drops all queued tags, after a write failed. */
  clear(): void {
    this.queuedBytes = 0;
    this.#queue = [];
    this.#prefix = undefined;
  }

  #write(now: number): void {
    const taken: Uint8Array[] = this.#prefix ? [this.#prefix] : [];
    let length = this.#prefix?.length ?? 0;
    let count = 0;
    for (const tag of this.#queue) {
      if (count > 0 && length >= MAX_WRITE) break;
      count++;
      const bytes = flvTag(tag);
      taken.push(bytes);
      length += bytes.length;
    }
    this.#queue.splice(0, count);
    this.#since = this.#queue.length > 0 ? now : Infinity;
    const skip = this.#prefix ? HEADER : 0;
    this.#prefix = undefined;
    const to = new Writer(length);
    for (const bytes of taken) to.bytes(bytes);
    const block = to.view();
    this.#busy = true;
    this.#file!.write(this.#position, block, (error) => {
      this.#busy = false;
      if (error !== undefined) return this.events.failed(error);
      this.queuedBytes = Math.max(0, this.queuedBytes - length);
      this.#addToIndex(block.subarray(skip), this.#position + skip);
      this.#position += length;
      this.#indexed!.size = this.#position;
      this.events.written(length);
    });
  }

  #addToIndex(bytes: Uint8Array, position: number): void {
    const reader = new TagReader(position);
    reader.setBlock(bytes);
    for (let tag = reader.next(); tag; tag = reader.next()) this.#indexed!.index.add(tag);
  }

  /** Writes duration, size and the kinds of frames into the places reserved for them, and closes the file. */
  #patch(): void {
    if (this.#position === 0) return this.#close();
    const { index } = this.#indexed!;
    const { metadata, metadataPosition, hasAudio, hasVideo } = index;
    const patches: [number, Uint8Array][] = [[
      FLAGS_AT,
      Uint8Array.of((hasAudio ? 4 : 0) | (hasVideo ? 1 : 0)),
    ]];
    if (metadata && canPatch(metadata)) {
      const data = metadataPosition + TAG_HEADER;
      const number = (value: number) => new Writer(8).f64(value).copy();
      patches.push([data + PATCH.duration, number(index.duration / 1_000)]);
      patches.push([data + PATCH.filesize, number(this.#position)]);
    }
    this.#busy = true;
    const next = () => {
      const patch = patches.shift();
      if (patch) this.#file!.write(...patch, next);
      else this.#close();
    };
    next();
  }

  #close(): void {
    const file = this.#file!;
    file.close((size, modified) => {
      const indexed = this.#indexed!;
      indexed.size = size;
      indexed.modified = modified;
      indexed.growing = false;
      this.events.ended(file.key, indexed);
      this.#finished!();
    });
  }
}
