// What play writes: a file of all that a stream brings.
import { AmfReader, encodeAmf0 } from "../../amf/mod.ts";
import { flvHeader, type FlvTag, flvTag, TagType } from "../../flv/tags.ts";
import { FlvInterleaver } from "../../flv/interleaver.ts";
import { isAudioHeader, isPicture } from "../../flv/codec.ts";
import type { NetStreamHandler } from "../net_stream.ts";
import type { Progress } from "./progress.ts";

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
  #begun = false;
  #closed = false;

  /** Opens a file, which stays as it is until {@link begin}. @throws {Deno.errors} if it cannot */
  static async open(path: string): Promise<Recording> {
    return new Recording(path, await Deno.open(path, { write: true, create: true }));
  }

  private constructor(readonly path: string, readonly file: Deno.FsFile) {}

  get empty(): boolean {
    return this.progress.bytes === 0;
  }

  /** Clears the file, and writes into it what comes. */
  begin(onStatus: (code: string) => void): NetStreamHandler {
    this.#begun = true;
    this.file.truncateSync();
    this.#write(flvHeader(true, true));
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
        if (name.startsWith("|")) return; // for the player alone, such as |RtmpSampleAccess
        this.#add({ type: TagType.data, timestamp, data: asAmf0(payload) });
      },
    };
  }

  /** Waits until nothing has come for `milliseconds`, but no longer than five times that. */
  async settled(milliseconds: number): Promise<void> {
    for (let round = 0; round < 5; round++) {
      const { bytes } = this.progress;
      await new Promise((resolve) => setTimeout(resolve, milliseconds));
      if (bytes === this.progress.bytes) return;
    }
  }

  summary(): string {
    if (this.empty) return "No audio or video was received";
    const { time, videoFrames, audioFrames, bytes } = this.progress;
    return `Played up to ${(time / 1000).toFixed(1)} s: ${videoFrames} video and ${audioFrames} ` +
      `audio frames, ${bytes} bytes into ${this.path}`;
  }

  /** Writes what still waits, and what the header must say. A file that was only made is removed. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    if (!this.#begun) {
      const { isFile, size } = this.file.statSync();
      this.file.close();
      if (isFile && size === 0) Deno.removeSync(this.path);
      return;
    }
    for (const tag of this.#order.end()) this.#write(flvTag(tag));
    if (!this.empty) {
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
    for (const next of this.#order.push(tag)) this.#write(flvTag(next));
  }

  #write(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length;) at += this.file.writeSync(bytes.subarray(at));
  }
}

/** The values of a data message as a file has them: AMF0 stays as it is, AMF3 is written anew. */
export function asAmf0(payload: Uint8Array): Uint8Array {
  const reader = new AmfReader(payload);
  const parts: Uint8Array[] = [];
  while (!reader.done) {
    const start = reader.raw.at;
    const isAmf3 = payload[start] === 0x11;
    const value = reader.readValue();
    parts.push(isAmf3 ? encodeAmf0(value) : payload.slice(start, reader.raw.at));
  }
  const all = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}
