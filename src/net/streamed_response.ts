import type { ServerResponse } from "node:http";
import { DirectSocket } from "./direct_socket.ts";
import type { DirectWriterSource } from "./native_stream.ts";

/** Where a {@link StreamedResponse} writes. */
export interface ByteSink {
  /** Bytes that were written and not taken by the system. */
  readonly waiting: number;
  /**
   * Writes the bytes of a block from one place up to another. The block may change as soon as the call
   * returns, which uses up to {@link ROOM} bytes before and behind for headers.
   */
  write(block: Uint8Array, from: number, to: number): void;
  /** Ends the response, in good order or as one that broke off. */
  end(isWhole: boolean): void;
}

/** Free bytes before and after written data, for framing. */
export const ROOM = 16;

/** Events of a {@link StreamedResponse}. */
interface ByteSinkEvents {
  /** What waited was taken. */
  onDrain(): void;
  /** The far end is gone, or has all. */
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
  // A response that waits behind another has no socket yet.
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
