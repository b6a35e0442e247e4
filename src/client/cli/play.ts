import { UsageError } from "../../common/arguments.ts";
import { waitAtMost } from "../../common/wait.ts";
import { type AnyStream, connectTo, parseAnyStreamUrl } from "../connect.ts";
import { ConnectionError } from "../status.ts";
import { type Arguments, type Command, numberOption, operand } from "./arguments.ts";
import { connectionOptions, readConnectionOptions } from "./connection_options.ts";
import { Interrupt } from "./interrupt.ts";
import { ProgressLine, type ProgressOutput } from "./progress.ts";
import { forceOption, Recording } from "./recording.ts";
import type { Way } from "./sender.ts";

export const play: Command = {
  name: "play",
  operands: "URL FILE.flv",
  count: [2, 2],
  summary:
    "Plays a stream or a recording into a file with its timestamps. The last segment of URL is the name\n" +
    "of the stream, the part before it the application. It ends with the publisher or\n" +
    "the recording, after --seconds, or on Ctrl-C.",
  options: {
    name: { value: "NAME", help: "the stream's name; then all of URL is the application" },
    start: { value: "S", help: "play the recording from second S on, not the live stream" },
    length: { value: "S", help: "play S seconds of it" },
    seconds: { value: "N", help: "stop N seconds after requesting the stream" },
    unreliable: { help: "let the network lose frames rather than wait for them" },
    force: forceOption,
    ...connectionOptions,
  },
  notes: "Example:\n  client play rtmfp://localhost/live/cam copy.flv --seconds 10\n" +
    "  client play rtmfp://localhost/live/film part.flv --start 60 --length 30",
};

/** Time (ms) without a message after the publisher's end that ends the stream. */
const SILENCE_TIMEOUT = 5000;
/** Time-out (ms) of closing the stream at the server. */
const CLOSE_TIMEOUT = 2000;
/** The start value that requests unreliable transport of a CumulusServer. */
const UNBUFFERED = -3000;

/** Status codes at the end of a live stream, and of a recording. */
const ENDS = ["NetStream.Play.UnpublishNotify", "NetStream.Play.Stop"];

/** The range to play, in milliseconds as for {@link NetStream.play}. */
function rangeOf(args: Arguments): { start?: number; length?: number } {
  const [start, length] = ["start", "length"].map((name) => {
    const seconds = numberOption(args, name, 0);
    return seconds === undefined ? undefined : Math.round(seconds * 1_000);
  });
  if (start !== undefined && args.options.has("unreliable")) {
    throw new UsageError("Recordings are not played with --unreliable");
  }
  return { start: args.options.has("unreliable") ? UNBUFFERED : start, length };
}

/** Runs the command. @returns the exit code */
export async function runPlay(args: Arguments, output: ProgressOutput): Promise<number> {
  const { url, name } = parseAnyStreamUrl(operand(args, 0), args.options.get("name"));
  const options = readConnectionOptions(args, url);
  const seconds = numberOption(args, "seconds", 0) ?? Infinity;
  const range = rangeOf(args);
  const recording = await Recording.open(operand(args, 1), args.options.has("force"));
  try {
    const connection = await connectTo(url, options);
    const interrupt = new Interrupt();
    try {
      const stream = await connection.createStream();
      const source = { stream, way: connection, name, seconds, ...range };
      return await record(source, recording, interrupt, output);
    } finally {
      await connection.close();
      interrupt.release();
    }
  } finally {
    recording.close();
  }
}

/** A stream to be recorded, from a server or a peer. */
interface Source {
  readonly stream: AnyStream;
  readonly way: Way;
  readonly name: string;
  /** As {@link NetStream.play} has it. */
  readonly start?: number;
  readonly length?: number;
  /** Maximum duration in seconds. */
  readonly seconds: number;
}

/**
 * Plays a stream into a file, until it ends.
 *
 * @returns the exit code
 * @throws {ConnectionError} if it breaks off
 */
export async function record(
  { stream, way, name, start, length, seconds }: Source,
  recording: Recording,
  interrupt: Interrupt,
  output: ProgressOutput,
): Promise<number> {
  const line = new ProgressLine(output);
  let unpublished = false;
  let over = () => {};
  const ended = new Promise<void>((resolve) => over = resolve);
  stream.handler = {
    ...recording.handler((code) => {
      line.say(code);
      if (!ENDS.includes(code)) return;
      unpublished = true;
      over();
    }),
    onClose: () => over(),
  };
  await stream.play(name, start, length);
  const deadline = performance.now() + seconds * 1000;
  while (!unpublished && !way.closed && !interrupt.isRaised) {
    const now = performance.now();
    recording.progress.roundTrip = way.ping;
    line.show(recording.progress, now);
    if (now >= deadline) break;
    const pause = Math.min(deadline - now, ProgressLine.period);
    await waitAtMost(Promise.race([ended, interrupt.raised]), pause);
  }
  if (unpublished) await lastFrames(stream, interrupt);
  const lost = way.closed && !unpublished && !way.orderly;
  await waitAtMost(stream.close(), CLOSE_TIMEOUT);
  recording.close();
  line.say(recording.summary());
  if (lost) throw new ConnectionError("The connection ended before the stream");
  return recording.empty ? 1 : 0;
}

/**
 * Waits for the frames in flight when the publisher has ended: audio and video have flows of their own,
 * and may arrive after the message of its end.
 */
async function lastFrames(stream: AnyStream, interrupt: Interrupt): Promise<void> {
  let drained = false;
  const done = stream.drain().then(() => drained = true);
  for (let before = -1; !drained && !interrupt.isRaised;) {
    const fragments = stream.receivedFragments;
    if (fragments === before) return; // the peer does not end its flows
    before = fragments;
    await waitAtMost(Promise.race([done, interrupt.raised]), SILENCE_TIMEOUT);
  }
}
