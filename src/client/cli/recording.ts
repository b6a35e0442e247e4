// The file that play writes.
import { AmfReader, encodeAmf0 } from "../../amf/mod.ts";
import { concat } from "../../bytes/concat.ts";
import { UsageError } from "../../common/arguments.ts";
import { flvHeader, type FlvTag, flvTag, TagType } from "../../flv/tags.ts";
import { FlvInterleaver } from "../../flv/interleaver.ts";
import { isAudioHeader, isPicture } from "../../flv/codec.ts";
import type { NetStreamHandler } from "../net_stream.ts";
import type { Option } from "./arguments.ts";
import type { Progress } from "./progress.ts";

/** The option for {@link Recording.open}. */
export const forceOption: Option = { help: "overwrite FILE.flv if there is one" };

/** A file that is being written. */
export class Recording {
  readonly progress: Progress = {
    time: 0,
    videoFrames: 0,
    audioFrames: 0,
    bytes: 0,
    roundTrip: 0,
  };
  readonly #order = new FlvInterleaver();
  #hasAudio = false;
  #hasVideo = false;
  /** Whether the file has been written to. */
  #begun = false;
  #closed = false;

  /**
   * Opens a file, and leaves it unchanged until the first frame is written.
   *
   * @param force whether a file that is not empty may be overwritten
   * @throws {UsageError} if it may not
   * @throws {Deno.errors} if it cannot be opened
   */
  static async open(path: string, force: boolean): Promise<Recording> {
    if (!force && await holdsSomething(path)) {
      throw new UsageError(`${path} exists already: --force overwrites it`);
    }
    return new Recording(path, await Deno.open(path, { write: true, create: true }));
  }

  /** Pipes and devices are neither truncated nor removed. */
  readonly #isFile: boolean;

  private constructor(readonly path: string, readonly file: Deno.FsFile) {
    this.#isFile = file.statSync().isFile;
  }

  get empty(): boolean {
    return this.progress.bytes === 0;
  }

  /** Writes the frames of a stream. */
  handler(onStatus: (code: string) => void): NetStreamHandler {
    return {
      onStatus: ({ code }) => onStatus(code),
      onAudio: (timestamp, data) => {
        this.#hasAudio = true;
        if (!isAudioHeader(data)) this.progress.audioFrames++;
        this.#take({ type: TagType.audio, timestamp, data: data.slice() });
      },
      onVideo: (timestamp, data) => {
        this.#hasVideo = true;
        if (isPicture(data)) this.progress.videoFrames++;
        this.#take({ type: TagType.video, timestamp, data: data.slice() });
      },
      onData: ({ name, timestamp, payload }) => {
        if (name.startsWith("|")) return; // only for the player, such as |RtmpSampleAccess
        this.#add({ type: TagType.data, timestamp, data: asAmf0(payload) });
      },
    };
  }

  summary(): string {
    if (this.empty) return "No audio or video was received";
    const { time, videoFrames, audioFrames, bytes } = this.progress;
    return `Played up to ${(time / 1000).toFixed(1)} s: ${videoFrames} video and ${audioFrames} ` +
      `audio frames, ${bytes} bytes into ${this.path}`;
  }

  /** Writes the waiting frames, and completes the header. Removes a file without frames. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    for (const tag of this.#order.end()) this.#writeTag(tag);
    if (!this.#begun) {
      const { size } = this.file.statSync();
      this.file.close();
      if (this.#isFile && size === 0) Deno.removeSync(this.path);
      return;
    }
    if (!this.empty && this.#isFile) {
      this.file.seekSync(0, Deno.SeekMode.Start);
      this.#write(flvHeader(this.#hasAudio, this.#hasVideo));
    }
    this.file.close();
  }

  #take(tag: FlvTag): void {
    this.progress.bytes += tag.data.length;
    this.progress.time = Math.max(this.progress.time, tag.timestamp);
    this.#add(tag);
  }

  #add(tag: FlvTag): void {
    if (this.#closed) return;
    for (const next of this.#order.push(tag)) this.#writeTag(next);
  }

  #writeTag(tag: FlvTag): void {
    if (!this.#begun) {
      this.#begun = true;
      if (this.#isFile) this.file.truncateSync();
      this.#write(flvHeader(true, true));
    }
    this.#write(flvTag(tag));
  }

  #write(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length;) at += this.file.writeSync(bytes.subarray(at));
  }
}

/** Whether the path is a file of at least one byte; false for pipes and devices. */
async function holdsSomething(path: string): Promise<boolean> {
  try {
    const { isFile, size } = await Deno.stat(path);
    return isFile && size > 0;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

/** The values of a data message for a file: keeps AMF0, converts AMF3. */
export function asAmf0(payload: Uint8Array): Uint8Array {
  const reader = new AmfReader(payload);
  const parts: Uint8Array[] = [];
  while (!reader.done) {
    const start = reader.raw.at;
    const isAmf3 = payload[start] === 0x11;
    const value = reader.readValue();
    parts.push(isAmf3 ? encodeAmf0(value) : payload.slice(start, reader.raw.at));
  }
  return concat(parts);
}
