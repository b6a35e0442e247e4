// An RTMP client that sends any bytes as chunks.
import type { AmfValue } from "../../src/amf/mod.ts";
import { encodeAmf0 } from "../../src/amf/mod.ts";
import { Writer } from "../../src/bytes/writer.ts";
import { ControlType, writeU32 } from "../../src/rtmp/control.ts";
import { commandMessage } from "../../src/tc/format/messages.ts";

const HANDSHAKE = 1536;
/** The maximum chunk size: one message is one chunk. */
export const MAX_CHUNK_SIZE = 0xff_ffff;

/** A message in chunks, the first with a full header. @param chunk the announced chunk size */
export function chunksOf(
  type: number,
  payload: Uint8Array,
  { stream = 0, chunk = MAX_CHUNK_SIZE, chunkStream = 3 } = {},
): Uint8Array {
  const to = new Writer(payload.length + 64).u8(chunkStream).u24(0).u24(payload.length).u8(type);
  for (let shift = 0; shift < 32; shift += 8) to.u8(stream >>> shift & 0xff);
  for (let at = 0; at < payload.length || at === 0; at += chunk) {
    if (at > 0) to.u8(0xc0 | chunkStream);
    to.bytes(payload.subarray(at, at + chunk));
  }
  return to.copy();
}

export async function writeAll(conn: Deno.TcpConn, data: Uint8Array): Promise<void> {
  for (let at = 0; at < data.length;) at += await conn.write(data.subarray(at));
}

/** Reads and discards all bytes until the connection ends. */
export async function discard(conn: Deno.TcpConn): Promise<void> {
  const block = new Uint8Array(65_536);
  try {
    while (await conn.read(block) !== null);
  } catch {
    // closed
  }
}

export class RawRtmp {
  #id = 2;

  private constructor(readonly conn: Deno.TcpConn) {}

  /** Does the handshake, and announces {@link MAX_CHUNK_SIZE}. */
  static async open(port: number): Promise<RawRtmp> {
    const conn = await Deno.connect({ hostname: "127.0.0.1", port });
    await writeAll(conn, Uint8Array.of(3, ...new Uint8Array(HANDSHAKE)));
    const answer = new Uint8Array(1 + 2 * HANDSHAKE);
    for (let at = 0; at < answer.length;) {
      const length = await conn.read(answer.subarray(at));
      if (length === null) throw new Error("refused");
      at += length;
    }
    await writeAll(conn, answer.subarray(1, 1 + HANDSHAKE));
    const client = new RawRtmp(conn);
    await client.send(ControlType.setChunkSize, writeU32(MAX_CHUNK_SIZE));
    discard(conn);
    return client;
  }

  /** Opens a connection, and sends connect for the application of the benchmarks. */
  static async connect(port: number, properties: Record<string, AmfValue> = {}): Promise<RawRtmp> {
    const client = await RawRtmp.open(port);
    const url = "rtmp://127.0.0.1/bench";
    await client.command("connect", encodeAmf0({ app: "bench", tcUrl: url, ...properties }), 0, 1);
    return client;
  }

  async send(type: number, payload: Uint8Array, stream = 0): Promise<void> {
    await writeAll(this.conn, chunksOf(type, payload, { stream }));
  }

  /** Calls a function, or sends a command. @param values AMF0 */
  async command(name: string, values: Uint8Array, stream = 0, id = this.#id++): Promise<void> {
    const isCommand = name === "connect";
    const { type, payload } = isCommand
      ? commandMessage(name, id, new Uint8Array(0), values.slice())
      : commandMessage(name, id, values);
    await this.send(type, payload, stream);
  }

  close(): void {
    try {
      this.conn.close();
    } catch {
      // the server has closed it
    }
  }
}
