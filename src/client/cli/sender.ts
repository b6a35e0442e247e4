// Sends a file into a stream.
import { waitAtMost } from "../../common/wait.ts";
import { FlvReader } from "../../flv/reader.ts";
import { type FlvTag, TagType } from "../../flv/tags.ts";
import { isAudioHeader, isKeyFrame, isPicture, isVideoHeader } from "../../flv/codec.ts";
import type { AnyStream } from "../connect.ts";
import type { Interrupt } from "./interrupt.ts";
import { type Progress, ProgressLine } from "./progress.ts";

/** Maximum number of bytes that wait to be sent; above it, video is left out until the next key frame. */
const MAX_BACKLOG = 4 << 20;
/** Time (ms) between the last timestamp of a file and the first of its repetition. */
const REPEAT_GAP = 40;

/** Carrier of a stream: a connection, or the session with a peer. */
export interface Way {
  readonly closed: boolean;
  /** It was closed in order: all sent data have arrived. */
  readonly orderly?: boolean;
  /** Round trip in milliseconds; 0 while it is unknown. */
  readonly ping: number;
}

/** Sends tags at the pace of their times. */
export class Sender {
  readonly #progress: Progress = {
    time: 0,
    videoFrames: 0,
    audioFrames: 0,
    bytes: 0,
    roundTrip: 0,
  };
  /** Time (ms) at which the first audio or video tag was due, and its timestamp. */
  #start: { readonly at: number; readonly time: number } | undefined;
  /** Offset (ms) added to the timestamps of the file; undefined until the first media tag of a repetition. */
  #offset: number | undefined = 0;
  /** Timestamp of the last tag sent. */
  #last = 0;
  #skipping = false;
  #skipped = 0;

  /** @param line shows the progress, if given */
  constructor(
    readonly way: Way,
    readonly stream: AnyStream,
    readonly interrupt: Interrupt,
    readonly line?: ProgressLine,
  ) {}

  /** Sends a file to its end, or until Ctrl-C or the end of the connection. */
  async send(tags: AsyncIterable<FlvTag>): Promise<void> {
    let shownAt = -Infinity;
    if (this.#start) this.#offset = undefined;
    for await (const tag of tags) {
      const time = this.#timeOf(tag);
      while (true) {
        const now = performance.now();
        if (this.interrupt.isRaised || this.way.closed) return;
        if (now - shownAt >= ProgressLine.period) {
          shownAt = now;
          this.#progress.roundTrip = this.way.ping;
          this.line?.show(this.#progress, now);
        }
        // Differences are signed: a file may begin below 0, which is near 2^32.
        const wait = this.#start ? this.#start.at + ((time - this.#start.time) | 0) - now : 0;
        if (wait <= 0) break;
        await waitAtMost(this.interrupt.raised, Math.min(wait, ProgressLine.period));
      }
      this.#send(tag, time);
    }
  }

  /** Whether any audio or video has been sent. */
  get begun(): boolean {
    return this.#start !== undefined;
  }

  /** The timestamp to send a tag with, 32 bits. Data before all media are sent at once. */
  #timeOf({ type, timestamp }: FlvTag): number {
    const isMedia = type !== TagType.data;
    if (isMedia) this.#offset ??= this.#last + REPEAT_GAP - timestamp;
    if (this.#offset === undefined) return (this.#last + REPEAT_GAP) >>> 0;
    const time = (timestamp + this.#offset) >>> 0;
    if (isMedia) this.#start ??= { at: performance.now(), time };
    return time;
  }

  summary(): string {
    const { videoFrames, audioFrames, bytes, time } = this.#progress;
    const skipped = this.#skipped > 0 ? `, ${this.#skipped} video frames left out` : "";
    return `Published ${(time / 1000).toFixed(1)} s: ${videoFrames} video and ${audioFrames} ` +
      `audio frames, ${bytes} bytes${skipped}`;
  }

  #send({ type, data }: FlvTag, time: number): void {
    const progress = this.#progress;
    if (this.#start && type !== TagType.data) {
      if (((time - this.#last) | 0) > 0 || progress.bytes === 0) this.#last = time;
      progress.time = Math.max(0, (this.#last - this.#start.time) | 0);
    }
    if (type === TagType.data) return this.stream.sendData(time, data);
    if (type === TagType.audio) {
      this.stream.sendAudio(time, data);
      if (!isAudioHeader(data)) progress.audioFrames++;
    } else {
      if (this.#leavesOut(data)) return;
      this.stream.sendVideo(time, data);
      if (isPicture(data)) progress.videoFrames++;
    }
    progress.bytes += data.length;
  }

  /** Whether to leave a frame out: on a link too slow for the file, whole groups of pictures are. */
  #leavesOut(video: Uint8Array): boolean {
    const late = this.stream.queuedBytes > MAX_BACKLOG;
    if (isVideoHeader(video)) return false;
    if (late) this.#skipping = true;
    else if (isKeyFrame(video)) this.#skipping = false;
    if (this.#skipping) this.#skipped++;
    return this.#skipping;
  }
}

/** The tags of a file. @throws {FlvError} on a bad one; @throws {Deno.errors.NotFound} */
export async function* readTags(path: string): AsyncGenerator<FlvTag> {
  const file = await Deno.open(path);
  try {
    const reader = new FlvReader();
    const buffer = new Uint8Array(1 << 16);
    while (true) {
      const length = await file.read(buffer);
      if (length === null) break;
      yield* reader.push(buffer.subarray(0, length));
    }
    yield* reader.end();
  } finally {
    file.close();
  }
}

/** Checks that a file can be sent. @throws as {@link readTags} */
export async function firstTag(path: string): Promise<void> {
  for await (const _tag of readTags(path)) return;
}
