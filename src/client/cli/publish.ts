import { FlvReader, type FlvTag, TagType } from "../flv.ts";
import { isAudioHeader, isKeyFrame, isPicture, isVideoHeader } from "../frames.ts";
import { NetConnection } from "../net_connection.ts";
import type { NetStream } from "../net_stream.ts";
import { ConnectionError } from "../status.ts";
import { parseStreamUrl } from "../url.ts";
import { type Arguments, type Command, numberOption } from "./arguments.ts";
import { connectionOptions, readConnectionOptions } from "./connection_options.ts";
import { Interrupt, within } from "./interrupt.ts";
import { type Progress, ProgressLine, type ProgressOutput } from "./progress.ts";

export const publish: Command = {
  name: "publish",
  operands: "URL FILE.flv",
  count: [2, 2],
  summary: "Publishes a file at the pace of its timestamps. The last segment of URL is the name\n" +
    "of the stream, what stands before it the application.",
  options: {
    name: { value: "NAME", help: "the stream's name; then all of URL is the application" },
    type: { value: "TYPE", help: "live (the default), record or append" },
    repeat: { value: "N", help: "publish the file N times in a row, 0: until Ctrl-C" },
    ...connectionOptions,
  },
  notes: "Example:\n  client publish rtmfp://localhost/live/cam recording.flv",
};

/** Video is left out until the next key frame while more than this waits to be sent. */
const BACKLOG = 4 << 20;
/** Milliseconds between the last time of a file and the first of its repetition. */
const REPEAT_GAP = 40;

/** How long what is still to be sent may take at the end, in milliseconds. */
const CLOSING = 10_000;

/** Runs the command. @returns the exit code */
export async function runPublish(args: Arguments, output: ProgressOutput): Promise<number> {
  const { url, name } = parseStreamUrl(args.operands[0], args.options.get("name"));
  const options = readConnectionOptions(args);
  const repeat = numberOption(args, "repeat", 0) ?? 1;
  const path = args.operands[1];
  await firstTag(path); // a bad file is refused before anyone is bothered

  const connection = await NetConnection.connect(url, options);
  const interrupt = new Interrupt();
  try {
    const stream = await connection.createStream();
    await stream.publish(name, args.options.get("type"));
    const line = new ProgressLine(output);
    line.say(`Publishing ${name}`);
    const sender = new Sender(connection, stream, line, interrupt);
    for (let round = 0; (repeat === 0 || round < repeat) && !interrupt.isRaised; round++) {
      await sender.send(readTags(path));
    }
    line.say(sender.summary());
    if (connection.closed) {
      throw new ConnectionError("The connection has ended before the file did");
    }
    await within(stream.close(), interrupt.isRaised ? 1000 : CLOSING);
    return 0;
  } finally {
    await connection.close();
    interrupt.release();
  }
}

/** Sends tags at the pace of their times. */
class Sender {
  readonly #progress: Progress = {
    time: 0,
    videoFrames: 0,
    audioFrames: 0,
    bytes: 0,
    roundTrip: 0,
  };
  /** When a tag of time 0 is due. */
  #start: number | undefined;
  /** Added to the times of the file. */
  #offset = 0;
  #last = 0;
  #skipping = false;
  #skipped = 0;

  constructor(
    readonly connection: NetConnection,
    readonly stream: NetStream,
    readonly line: ProgressLine,
    readonly interrupt: Interrupt,
  ) {}

  /** Sends a file to its end, or until Ctrl-C or the end of the connection. */
  async send(tags: AsyncIterable<FlvTag>): Promise<void> {
    let shownAt = -Infinity;
    this.#offset = this.#start === undefined ? 0 : this.#last + REPEAT_GAP;
    for await (const tag of tags) {
      const time = (tag.timestamp + this.#offset) >>> 0;
      this.#start ??= performance.now() - time;
      while (true) {
        const now = performance.now();
        if (this.interrupt.isRaised || this.connection.closed) return;
        if (now - shownAt >= ProgressLine.period) {
          shownAt = now;
          this.#progress.roundTrip = this.connection.ping;
          this.line.show(this.#progress, now);
        }
        const wait = this.#start + time - now;
        if (wait <= 0) break;
        await within(this.interrupt.raised, Math.min(wait, ProgressLine.period));
      }
      this.#send(tag, time);
    }
  }

  summary(): string {
    const { videoFrames, audioFrames, bytes, time } = this.#progress;
    const skipped = this.#skipped > 0 ? `, ${this.#skipped} video frames left out` : "";
    return `Published ${(time / 1000).toFixed(1)} s: ${videoFrames} video and ${audioFrames} ` +
      `audio frames, ${bytes} bytes${skipped}`;
  }

  #send({ type, data }: FlvTag, time: number): void {
    const progress = this.#progress;
    this.#last = Math.max(this.#last, time);
    progress.time = this.#last;
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

  /** On a link too slow for the file, whole groups of pictures are left out. */
  #leavesOut(video: Uint8Array): boolean {
    const late = this.stream.queuedBytes > BACKLOG;
    if (isVideoHeader(video)) return false;
    if (late) this.#skipping = true;
    else if (isKeyFrame(video)) this.#skipping = false;
    if (this.#skipping) this.#skipped++;
    return this.#skipping;
  }
}

/** The tags of a file. @throws {FlvError} on a bad one; @throws {Deno.errors.NotFound} */
async function* readTags(path: string): AsyncGenerator<FlvTag> {
  const file = await Deno.open(path);
  try {
    const reader = new FlvReader();
    const buffer = new Uint8Array(1 << 16);
    while (true) {
      const length = await file.read(buffer);
      if (length === null) break;
      yield* reader.push(buffer.subarray(0, length));
    }
    reader.end();
  } finally {
    file.close();
  }
}

async function firstTag(path: string): Promise<void> {
  for await (const _tag of readTags(path)) return;
}
