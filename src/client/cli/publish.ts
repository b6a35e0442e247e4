import { waitAtMost } from "../../common/wait.ts";
import { connectTo, parseAnyStreamUrl } from "../connect.ts";
import { ConnectionError } from "../status.ts";
import { type Arguments, type Command, numberOption, UsageError } from "./arguments.ts";
import { connectionOptions, readConnectionOptions } from "./connection_options.ts";
import { Interrupt } from "./interrupt.ts";
import { ProgressLine, type ProgressOutput } from "./progress.ts";
import { firstTag, readTags, Sender } from "./sender.ts";

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

/** How long what is still to be sent may take at the end, in milliseconds. */
const CLOSING = 10_000;

/** Runs the command. @returns the exit code */
export async function runPublish(args: Arguments, output: ProgressOutput): Promise<number> {
  const { url, name } = parseAnyStreamUrl(args.operands[0], args.options.get("name"));
  const options = readConnectionOptions(args, url);
  const repeat = numberOption(args, "repeat", 0) ?? 1;
  const type = args.options.get("type") ?? "live";
  if (!["live", "record", "append"].includes(type)) {
    throw new UsageError(`Option --type needs live, record or append, not "${type}"`);
  }
  const path = args.operands[1];
  await firstTag(path); // a bad file is refused before anyone is bothered

  const connection = await connectTo(url, options);
  const interrupt = new Interrupt();
  try {
    const stream = await connection.createStream();
    await stream.publish(name, type);
    const line = new ProgressLine(output);
    line.say(`Publishing ${name}`);
    const sender = new Sender(connection, stream, interrupt, line);
    for (let round = 0; repeat === 0 || round < repeat; round++) {
      await sender.send(readTags(path));
      // Without audio and video nothing keeps the pace: one round has said it all.
      if (interrupt.isRaised || connection.closed || !sender.begun) break;
    }
    line.say(sender.summary());
    if (connection.closed) {
      throw new ConnectionError("The connection has ended before the file did");
    }
    await waitAtMost(stream.close(), interrupt.isRaised ? 1000 : CLOSING);
    return 0;
  } finally {
    await connection.close();
    interrupt.release();
  }
}
