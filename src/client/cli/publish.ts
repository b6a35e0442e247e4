import { UsageError } from "../../common/arguments.ts";
import { waitAtMost } from "../../common/wait.ts";
import { type AnyStream, connectTo, parseAnyStreamUrl } from "../connect.ts";
import type { Status } from "../../tc/format/status.ts";
import { ConnectionError, StatusError } from "../status.ts";
import { type Arguments, type Command, numberOption, operand } from "./arguments.ts";
import { connectionOptions, readConnectionOptions } from "./connection_options.ts";
import { Interrupt } from "./interrupt.ts";
import { ProgressLine, type ProgressOutput } from "./progress.ts";
import { firstTag, readTags, Sender } from "./sender.ts";

export const publish: Command = {
  name: "publish",
  operands: "URL FILE.flv",
  count: [2, 2],
  summary: "Publishes a file at the pace of its timestamps. The last segment of URL is the name\n" +
    "of the stream, the part before it the application.",
  options: {
    name: { value: "NAME", help: "the stream's name; then all of URL is the application" },
    type: { value: "TYPE", help: "live (the default), record, append or appendWithGap" },
    repeat: { value: "N", help: "publish the file N times in a row, 0: until Ctrl-C" },
    ...connectionOptions,
  },
  notes: "Example:\n  client publish rtmfp://localhost/live/cam recording.flv",
};

const TYPES = ["live", "record", "append", "appendWithGap"];
/** Maximum time (ms) to wait for the server's message that it records. */
const RECORD_TIMEOUT = 5_000;
/** Maximum time (ms) for sending the remaining frames at the end. */
const CLOSE_TIMEOUT = 10_000;

/** Runs the command. @returns the exit code */
export async function runPublish(args: Arguments, output: ProgressOutput): Promise<number> {
  const { url, name } = parseAnyStreamUrl(operand(args, 0), args.options.get("name"));
  const options = readConnectionOptions(args, url);
  const repeat = numberOption(args, "repeat", 0) ?? 1;
  const type = args.options.get("type") ?? "live";
  if (!TYPES.includes(type)) {
    throw new UsageError(
      `Option --type needs live, record, append or appendWithGap, not "${type}"`,
    );
  }
  const path = operand(args, 1);
  await firstTag(path); // refuses a bad file before connecting

  const connection = await connectTo(url, options);
  const interrupt = new Interrupt();
  try {
    const stream = await connection.createStream();
    const line = new ProgressLine(output);
    const recording = recordingOf(stream, line);
    await stream.publish(name, type);
    line.say(`Publishing ${name}`);
    if (type !== "live" && !await waitAtMost(recording, RECORD_TIMEOUT)) {
      line.say("The server does not say whether it records");
    }
    const sender = new Sender(connection, stream, interrupt, line);
    for (let round = 0; repeat === 0 || round < repeat; round++) {
      await sender.send(readTags(path));
      // Without audio and video the file has no pace: one round has sent all of it.
      if (interrupt.isRaised || connection.closed || !sender.begun) break;
    }
    line.say(sender.summary());
    if (connection.closed) {
      throw new ConnectionError("The connection ended before the end of the file");
    }
    await waitAtMost(stream.close(), interrupt.isRaised ? 1000 : CLOSE_TIMEOUT);
    return 0;
  } finally {
    await connection.close();
    interrupt.release();
  }
}

/**
 * Prints the server's messages about the recording.
 * @returns its status when it begins @throws {StatusError} if it does not begin
 */
function recordingOf(stream: AnyStream, line: ProgressLine): Promise<Status> {
  const begun = Promise.withResolvers<Status>();
  begun.promise.catch(() => {}); // no unhandled rejection without --type record
  stream.handler = {
    onStatus: (status) => {
      if (!status.code.startsWith("NetStream.Record.")) return;
      line.say(status.description || status.code);
      if (status.level === "error") begun.reject(new StatusError(status));
      else begun.resolve(status);
    },
  };
  return begun.promise;
}
