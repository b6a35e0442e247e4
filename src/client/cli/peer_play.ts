import { UsageError } from "../../common/arguments.ts";
import { NetConnection } from "../net_connection.ts";
import { ConnectionError, StatusError } from "../status.ts";
import { parseStreamUrl } from "../url.ts";
import { type Arguments, type Command, numberOption, operand } from "./arguments.ts";
import { connectionOptions, readConnectionOptions } from "./connection_options.ts";
import { Interrupt } from "./interrupt.ts";
import { record } from "./play.ts";
import type { ProgressOutput } from "./progress.ts";
import { forceOption, Recording } from "./recording.ts";

export const peerPlay: Command = {
  name: "peer play",
  operands: "URL PEERID FILE.flv",
  count: [3, 3],
  summary:
    "Plays a stream that another client of the server publishes directly, into a file. The\n" +
    "server only brings the two together. The last segment of URL is the name of the stream,\n" +
    "the part before it is the application; PEERID is the nearID of the publisher (64\n" +
    'digits), as "peer serve" prints it.',
  options: {
    name: { value: "NAME", help: "the stream's name; then all of URL is the application" },
    seconds: { value: "N", help: "stop N seconds after requesting the stream" },
    force: forceOption,
    ...connectionOptions,
  },
  notes: "Example:\n  client peer play rtmfp://localhost/live/cam PEERID copy.flv --seconds 10",
};

/** Runs the command. @returns the exit code */
export async function runPeerPlay(args: Arguments, output: ProgressOutput): Promise<number> {
  const { url, name } = parseStreamUrl(operand(args, 0), args.options.get("name"));
  const options = readConnectionOptions(args);
  const seconds = numberOption(args, "seconds", 0) ?? Infinity;
  const peerId = operand(args, 1);
  if (!/^[0-9a-f]{64}$/i.test(peerId)) {
    throw new UsageError(`Invalid peer id "${peerId}" (64 hexadecimal digits)`);
  }
  const recording = await Recording.open(operand(args, 2), args.options.has("force"));
  try {
    const connection = await NetConnection.connect(url, options);
    const interrupt = new Interrupt();
    try {
      const stream = await connection.openDirect(peerId.toLowerCase(), options.timeout);
      const way = {
        get closed() {
          return stream.peer.closed;
        },
        get orderly() {
          return stream.peer.orderly; // the end of the stream if the peer closes without a message
        },
        get ping() {
          return stream.peer.session.rtt;
        },
      };
      return await record({ stream, way, name, seconds }, recording, interrupt, output);
    } catch (error) {
      if (!(error instanceof StatusError)) throw error;
      throw new ConnectionError(`The peer refused: ${error.message}`);
    } finally {
      await connection.close();
      interrupt.release();
    }
  } finally {
    recording.close();
  }
}
