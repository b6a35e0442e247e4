import type { ServerResponse } from "node:http";
import { DirectSocket } from "./direct_socket.ts";
import type { DirectWriterSource } from "./native_stream.ts";

/** Destination of a {@link StreamedResponse}. */
export interface ByteSink {
  /** Number of written bytes that the system has not taken yet. */
  readonly waiting: number;
  /**
   * Writes the bytes of a block from offset `from` up to `to`. Uses up to {@link ROOM} bytes before and
   * after them for headers. The block may change as soon as the call returns.
   */
  write(block: Uint8Array, from: number, to: number): void;
  /** Ends the response, as complete or as broken off. */
  end(isWhole: boolean): void;
}

/** Number of bytes before and after written data that framing may overwrite. */
export const ROOM = 16;

/** Events of a {@link StreamedResponse}. */
interface ByteSinkEvents {
  /** The system has taken the waiting bytes. */
  onDrain(): void;
  /** The response has ended, or the connection has closed. */
  onClose(): void;
}

/**
 * A response whose body is written piece by piece without its own queue, for the many viewers of live
 * streams.
 */
export class StreamedResponse {
  constructor(
    readonly headers: Readonly<Record<string, string>>,
    readonly open: (sink: ByteSink) => ByteSinkEvents,
  ) {}
}

/** Sends the body of a live stream. */
export function stream(
  { headers, open }: StreamedResponse,
  to: ServerResponse,
  writers: DirectWriterSource | undefined,
): void {
  to.writeHead(200, headers);
  to.flushHeaders();
  // A response queued behind another one of its connection has no socket yet.
  const direct = DirectSocket.of(to.socket, writers);
  const onDrain = () => events.onDrain();
  const events = open({
    get waiting() {
      return direct ? direct.waiting : to.writableLength;
    },
    write(block, from, end) {
      if (!direct) to.write(block.slice(from, end));
      else if (!to.chunkedEncoding) direct.write(block.subarray(from, end), onDrain);
      else direct.write(chunk(block, from, end), onDrain);
    },
    end: (isWhole) => void (isWhole ? to.end() : to.destroy()),
  });
  to.on("drain", onDrain);
  to.once("close", () => events.onClose());
}

/** Bytes of a block as a chunk of HTTP, written around them. RFC 9112 §7.1. */
function chunk(block: Uint8Array, from: number, to: number): Uint8Array {
  let at = from;
  block[--at] = 10;
  block[--at] = 13;
  for (let length = to - from; length > 0; length = Math.floor(length / 16)) {
    block[--at] = "0123456789abcdef".charCodeAt(length % 16);
  }
  block[to] = 13;
  block[to + 1] = 10;
  return block.subarray(at, to + 2);
}
