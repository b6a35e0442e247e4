// A minimal RTMP client for benchmarks.
import { encodeAmf0 } from "../../src/amf/mod.ts";
import { ChunkWriter, type OutgoingMessage } from "../../src/rtmp/chunk_writer.ts";
import { ControlType, writeU32 } from "../../src/rtmp/control.ts";
import {
  commandMessage,
  MessageType,
  UserControl,
  userControlMessage,
} from "../../src/tc/format/messages.ts";

/** Bytes of C1 and S1. */
export const HANDSHAKE = 1536;
const CHUNK = 65_536;
/** Bytes of a frame (1 Mb/s at 25 frames a second); every 50th is a key frame. */
export const FRAME = 5_000;
/** Milliseconds between two frames. */
export const PERIOD = 40;
/** Offset of the sending time in a frame: after the header of a video tag. */
export const MARK = 5;

export interface LeanRtmpOptions {
  readonly port: number;
  readonly what: "publish" | "play" | "nothing";
  readonly name: string;
  /** Start of a play: 0 for a recording, -2 for a live stream. */
  readonly start?: number;
  /** @param bytes valid until the call returns */
  onBytes(bytes: Uint8Array): void;
  onEnd(): void;
}

/** Writes the messages of an RTMP client after its handshake. */
export class LeanSpeaker {
  readonly #writer = new ChunkWriter();
  readonly #block = new Uint8Array(CHUNK * 2);
  #length = 0;
  #frames = 0;

  /** @returns connect, and publish or play. @param start 0 for a recording, -2 for a live stream */
  opening(what: LeanRtmpOptions["what"], name: string, start: number): Uint8Array {
    this.#write({ type: ControlType.setChunkSize, payload: writeU32(CHUNK) }, 0, 2);
    const told = encodeAmf0({ app: "bench", tcUrl: "rtmp://127.0.0.1/bench" });
    this.#write(commandMessage("connect", 1, new Uint8Array(0), told), 0);
    this.#write(commandMessage("createStream", 2, new Uint8Array(0)), 0);
    if (what === "publish") {
      this.#write(commandMessage("publish", 3, encodeAmf0(name, "live")), 1);
    } else if (what === "play") {
      this.#write(commandMessage("play", 3, encodeAmf0(name, start)), 1);
      this.#write(userControlMessage(UserControl.setBufferLength, 1, 3_000), 0, 2);
    }
    return this.#take();
  }

  /** @returns the next frame of the publication */
  frame(): Uint8Array {
    const payload = new Uint8Array(FRAME);
    payload.set([this.#frames % 50 === 0 ? 0x17 : 0x27, 1, 0, 0, 0]);
    new DataView(payload.buffer).setFloat64(MARK, performance.now());
    const timestamp = PERIOD * this.#frames++;
    this.#write({ type: MessageType.video, payload, timestamp }, 1, 6);
    return this.#take();
  }

  #write(
    { type, payload, timestamp = 0 }: { type: number; payload: Uint8Array; timestamp?: number },
    stream: number,
    chunkStream = 3,
  ): void {
    const message: OutgoingMessage = { chunkStream, type, timestamp, stream, payload };
    this.#writer.begin(message);
    this.#length = this.#writer.write(this.#block, this.#length);
  }

  #take(): Uint8Array {
    const bytes = this.#block.slice(0, this.#length);
    this.#length = 0;
    return bytes;
  }
}

export class LeanRtmp {
  readonly #speaker = new LeanSpeaker();
  #sent = Promise.resolve();

  private constructor(readonly conn: Deno.TcpConn, readonly options: LeanRtmpOptions) {}

  static async open(options: LeanRtmpOptions): Promise<LeanRtmp> {
    const { port, what, name, start = 0 } = options;
    const conn = await Deno.connect({ hostname: "127.0.0.1", port });
    conn.setNoDelay();
    const client = new LeanRtmp(conn, options);
    await writeAll(conn, Uint8Array.of(3, ...new Uint8Array(HANDSHAKE)));
    const answer = new Uint8Array(1 + 2 * HANDSHAKE);
    for (let at = 0; at < answer.length;) at += await conn.read(answer.subarray(at)) ?? Infinity;
    await writeAll(conn, answer.subarray(1, 1 + HANDSHAKE));
    client.#send(client.#speaker.opening(what, name, start));
    client.#read();
    return client;
  }

  frame(): void {
    this.#send(this.#speaker.frame());
  }

  #send(bytes: Uint8Array): void {
    this.#sent = this.#sent.then(() => writeAll(this.conn, bytes)).catch(() => {});
  }

  async #read(): Promise<void> {
    const buffer = new Uint8Array(CHUNK);
    try {
      for (;;) {
        const length = await this.conn.read(buffer);
        if (length === null) break;
        this.options.onBytes(buffer.subarray(0, length));
      }
    } catch {
      // closed
    }
    this.options.onEnd();
  }
}

async function writeAll(conn: Deno.TcpConn, data: Uint8Array): Promise<void> {
  for (let at = 0; at < data.length;) at += await conn.write(data.subarray(at));
}
