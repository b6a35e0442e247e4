import { waitAtMost } from "../../common/wait.ts";
import type { DirectPublication, Subscriber } from "../direct.ts";
import { NetConnection } from "../net_connection.ts";
import { ConnectionError } from "../status.ts";
import { parseStreamUrl } from "../url.ts";
import { type Arguments, type Command, numberOption, operand } from "./arguments.ts";
import { connectionOptions, readConnectionOptions } from "./connection_options.ts";
import { Interrupt } from "./interrupt.ts";
import { ProgressLine, type ProgressOutput } from "./progress.ts";
import { firstTag, readTags, Sender, type Way } from "./sender.ts";

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

/** Maximum time (ms) until the peer has acknowledged the end of a stream. */
const CLOSE_TIMEOUT = 3000;

/** Runs the command. @returns the exit code */
export async function runPeerServe(
  args: Arguments,
  output: ProgressOutput,
  print: (line: string) => void,
): Promise<number> {
  const { url, name } = parseStreamUrl(operand(args, 0), args.options.get("name"));
  const options = readConnectionOptions(args);
  const file: ServedFile = {
    name,
    path: operand(args, 1),
    repeat: numberOption(args, "repeat", 0) ?? 1,
    peers: numberOption(args, "peers", 1) ?? Infinity,
  };
  await firstTag(file.path); // refuses a bad file before connecting

  const ended = Promise.withResolvers<void>();
  const handler = { onClose: () => ended.resolve() };
  const connection = await NetConnection.connect(url, { ...options, handler });
  const interrupt = new Interrupt();
  const line = new ProgressLine(output);
  try {
    const service = new FileService(connection, file, interrupt, line);
    print(connection.nearId);
    line.say(`Waiting for peers to play ${name}`);
    await Promise.race([ended.promise, interrupt.raised, service.complete]);
    await service.close();
    if (!service.isComplete && connection.closed) {
      throw new ConnectionError("The server closed the connection");
    }
    return 0;
  } finally {
    await connection.close();
    interrupt.release();
  }
}

/** A file to publish directly. */
interface ServedFile {
  /** Name of the stream. */
  readonly name: string;
  readonly path: string;
  /** Number of times in a row that each peer gets it; 0: without end. */
  readonly repeat: number;
  /** Number of peers that must receive it. */
  readonly peers: number;
}

/** Sends a file to each peer that plays its stream, from its start. */
class FileService {
  readonly #publication: DirectPublication;
  readonly #serving = new Set<Promise<void>>();
  readonly #complete = Promise.withResolvers<void>();
  /** Number of peers that have not received it yet. */
  #missing: number;

  constructor(
    readonly connection: NetConnection,
    readonly file: ServedFile,
    readonly interrupt: Interrupt,
    readonly line: ProgressLine,
  ) {
    this.#missing = file.peers;
    this.#publication = connection.publishDirect(file.name);
    this.#publication.onSubscriber = (stream) => {
      const served = this.#serve(stream).finally(() => this.#serving.delete(served));
      this.#serving.add(served);
    };
  }

  /** Resolves once the required number of peers have received the file or have left. */
  get complete(): Promise<void> {
    return this.#complete.promise;
  }

  get isComplete(): boolean {
    return this.#missing <= 0;
  }

  /** Ends the stream for all peers. */
  async close(): Promise<void> {
    await waitAtMost(this.#publication.close(), CLOSE_TIMEOUT);
    await waitAtMost(Promise.all(this.#serving), CLOSE_TIMEOUT);
  }

  async #serve(stream: Subscriber): Promise<void> {
    const peer = `Peer ${stream.peerId.slice(0, 8)}…`;
    this.line.say(`${peer} plays ${this.file.name}`);
    const way = this.#wayTo(stream);
    const sender = new Sender(way, stream, this.interrupt);
    await this.#sendAll(sender);
    const whole = !way.closed && !this.interrupt.isRaised;
    this.#publication.subscribers.delete(stream);
    await waitAtMost(stream.close(), CLOSE_TIMEOUT);
    this.line.say(`${peer} ${whole ? "has all of it" : "has left"}. ${sender.summary()}`);
    if (--this.#missing === 0) this.#complete.resolve();
  }

  async #sendAll(sender: Sender): Promise<void> {
    const { path, repeat } = this.file;
    for (let round = 0; (repeat === 0 || round < repeat) && !sender.way.closed; round++) {
      if (this.interrupt.isRaised) return;
      await sender.send(readTags(path));
      if (!sender.begun) return; // without audio and video the file has no pace
    }
  }

  #wayTo(stream: Subscriber): Way {
    const { session } = this.connection.loop.peers.get(stream.peerId)!;
    const { subscribers } = this.#publication;
    return {
      get closed() {
        return stream.closed || !subscribers.has(stream);
      },
      get ping() {
        return session.rtt;
      },
    };
  }
}
