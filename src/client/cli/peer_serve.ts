import { waitAtMost } from "../../common/wait.ts";
import type { Subscriber } from "../direct.ts";
import { NetConnection } from "../net_connection.ts";
import { ConnectionError } from "../status.ts";
import { parseStreamUrl } from "../url.ts";
import { type Arguments, type Command, numberOption, operand } from "./arguments.ts";
import { connectionOptions, readConnectionOptions } from "./connection_options.ts";
import { Interrupt } from "./interrupt.ts";
import { ProgressLine, type ProgressOutput } from "./progress.ts";
import { firstTag, readTags, Sender } from "./sender.ts";

export const peerServe: Command = {
  name: "peer serve",
  operands: "URL FILE.flv",
  count: [2, 2],
  summary: "Connects to a server, prints its peer id, and publishes a file to other clients of\n" +
    "the server directly: each that plays gets all of it, at the pace of its timestamps. The\n" +
    "last segment of URL is the name of the stream, the part before it the application. It\n" +
    "ends on Ctrl-C, or when the server closes the connection.",
  options: {
    name: { value: "NAME", help: "the stream's name; then all of URL is the application" },
    repeat: { value: "N", help: "give each peer the file N times in a row, 0: without end" },
    peers: { value: "N", help: "end when N peers have received the file" },
    ...connectionOptions,
  },
  notes: "Example:\n  client peer serve rtmfp://localhost/live/cam recording.flv\n" +
    "and elsewhere, with the id that it prints:\n" +
    "  client peer play rtmfp://localhost/live/cam PEERID copy.flv",
};

/** How long the end of a stream may take to be known to the peer, in milliseconds. */
const CLOSING = 3000;

/** Runs the command. @returns the exit code */
export async function runPeerServe(
  args: Arguments,
  output: ProgressOutput,
  print: (line: string) => void,
): Promise<number> {
  const { url, name } = parseStreamUrl(operand(args, 0), args.options.get("name"));
  const options = readConnectionOptions(args);
  const repeat = numberOption(args, "repeat", 0) ?? 1;
  let wanted = numberOption(args, "peers", 1) ?? Infinity;
  const path = operand(args, 1);
  await firstTag(path); // a bad file is refused before anyone is bothered

  let ended = () => {};
  const end = new Promise<void>((resolve) => ended = resolve);
  const connection = await NetConnection.connect(url, { ...options, handler: { onClose: ended } });
  const interrupt = new Interrupt();
  const line = new ProgressLine(output);

  const serve = async (stream: Subscriber) => {
    const peer = `Peer ${stream.peerId.slice(0, 8)}…`;
    line.say(`${peer} plays ${name}`);
    const { session } = connection.loop.peers.get(stream.peerId)!;
    const way = {
      get closed() {
        return stream.closed || !publication.subscribers.has(stream);
      },
      get ping() {
        return session.rtt;
      },
    };
    const sender = new Sender(way, stream, interrupt);
    for (let round = 0; (repeat === 0 || round < repeat) && !way.closed; round++) {
      if (interrupt.isRaised) break;
      await sender.send(readTags(path));
      if (!sender.begun) break;
    }
    const whole = !way.closed && !interrupt.isRaised;
    publication.subscribers.delete(stream);
    await waitAtMost(stream.close(), CLOSING);
    line.say(`${peer} ${whole ? "has all of it" : "has left"}. ${sender.summary()}`);
    if (--wanted === 0) ended();
  };

  const publication = connection.publishDirect(name);
  const serving = new Set<Promise<void>>();
  publication.onSubscriber = (stream) => {
    const served = serve(stream).finally(() => serving.delete(served));
    serving.add(served);
  };
  try {
    print(connection.nearId);
    line.say(`Waiting for peers to play ${name}`);
    await Promise.race([end, interrupt.raised]);
    await waitAtMost(publication.close(), CLOSING);
    await waitAtMost(Promise.all(serving), CLOSING);
    if (wanted > 0 && connection.closed) {
      throw new ConnectionError("The server closed the connection");
    }
    return 0;
  } finally {
    await connection.close();
    interrupt.release();
  }
}
