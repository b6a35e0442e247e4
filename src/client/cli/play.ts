import { NetConnection } from "../net_connection.ts";
import { ConnectionError } from "../status.ts";
import { parseStreamUrl } from "../url.ts";
import { type Arguments, type Command, numberOption } from "./arguments.ts";
import { connectionOptions, readConnectionOptions } from "./connection_options.ts";
import { Interrupt, within } from "./interrupt.ts";
import { ProgressLine, type ProgressOutput } from "./progress.ts";
import { Recording } from "./recording.ts";

export const play: Command = {
  name: "play",
  operands: "URL FILE.flv",
  count: [2, 2],
  summary: "Plays a stream into a file, times as they come. The last segment of URL is the name\n" +
    "of the stream, what stands before it the application. It ends with the publisher, after\n" +
    "--seconds, or on Ctrl-C.",
  options: {
    name: { value: "NAME", help: "the stream's name; then all of URL is the application" },
    seconds: { value: "N", help: "stop N seconds after the stream was asked for" },
    unreliable: { help: "let the network lose frames rather than wait for them" },
    ...connectionOptions,
  },
  notes: "Example:\n  client play rtmfp://localhost/live/cam copy.flv --seconds 10",
};

/** How long frames may still be on their way when the publisher has ended, in milliseconds. */
const AFTERWARDS = 400;
/** How long the server may take to hear that the stream is over, in milliseconds. */
const CLOSING = 2000;
/** The start value that asks Cumulus for unreliable transport. */
const UNBUFFERED = -3000;

/** Runs the command. @returns the exit code */
export async function runPlay(args: Arguments, output: ProgressOutput): Promise<number> {
  const { url, name } = parseStreamUrl(args.operands[0], args.options.get("name"));
  const options = readConnectionOptions(args);
  const seconds = numberOption(args, "seconds", 0) ?? Infinity;
  const start = args.options.has("unreliable") ? UNBUFFERED : undefined;
  const recording = await Recording.open(args.operands[1]);
  try {
    let ended = () => {};
    const end = new Promise<void>((resolve) => ended = resolve);
    const connection = await NetConnection.connect(url, {
      ...options,
      handler: { onClose: ended },
    });
    const interrupt = new Interrupt();
    try {
      const line = new ProgressLine(output);
      const stream = await connection.createStream();
      let unpublished = false;
      stream.handler = recording.begin((code) => {
        line.say(code);
        if (code !== "NetStream.Play.UnpublishNotify") return;
        unpublished = true;
        ended();
      });
      await stream.play(name, start);
      const deadline = performance.now() + seconds * 1000;
      while (!unpublished && !connection.closed && !interrupt.isRaised) {
        const now = performance.now();
        recording.progress.roundTrip = connection.ping;
        line.show(recording.progress, now);
        if (now >= deadline) break;
        const pause = Math.min(deadline - now, ProgressLine.period);
        await within(Promise.race([end, interrupt.raised]), pause);
      }
      if (unpublished) await recording.settled(AFTERWARDS);
      const lost = connection.closed;
      await within(stream.close(), CLOSING);
      recording.close();
      line.say(recording.summary());
      if (lost) throw new ConnectionError("The connection has ended before the stream did");
      return recording.empty ? 1 : 0;
    } finally {
      await connection.close();
      interrupt.release();
    }
  } finally {
    recording.close();
  }
}
