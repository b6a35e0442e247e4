// Many RTMP clients that publish, or play each a name: a process of its own. Arguments: port, what
// ("publish" or "play"), clients, seconds, names. Clients take the names `s0`, `s1`, … in turn. Prints
// "ready", then one JSON object.
import { encodeAmf0 } from "../../src/amf/mod.ts";
import { ChunkWriter, type Outgoing } from "../../src/rtmp/chunk_writer.ts";
import { ControlType, writeU32 } from "../../src/rtmp/control.ts";
import {
  commandMessage,
  MessageType,
  UserControl,
  userControlMessage,
} from "../../src/tc/format/messages.ts";

const [port, what] = [Number(Deno.args[0]), Deno.args[1]];
const [count, seconds, names] = Deno.args.slice(2).map(Number);
const HANDSHAKE = 1536;
/** 25 frames a second of so many bytes are 1 Mb/s; every 50th is a key frame. */
const FRAME = 5_000;
const PERIOD = 40;
const CHUNK = 65_536;
let bytes = 0;
let ended = 0;
let running = true;

class Client {
  readonly #writer = new ChunkWriter();
  readonly #block = new Uint8Array(CHUNK * 2);
  #frames = 0;
  #sent = Promise.resolve();

  constructor(readonly conn: Deno.TcpConn) {}

  static async open(name: string): Promise<Client> {
    const conn = await Deno.connect({ hostname: "127.0.0.1", port });
    conn.setNoDelay();
    const client = new Client(conn);
    await writeAll(conn, Uint8Array.of(3, ...new Uint8Array(HANDSHAKE)));
    const answer = new Uint8Array(1 + 2 * HANDSHAKE);
    for (let at = 0; at < answer.length;) at += await conn.read(answer.subarray(at)) ?? Infinity;
    await writeAll(conn, answer.subarray(1, 1 + HANDSHAKE));
    client.#write({ type: ControlType.setChunkSize, payload: writeU32(CHUNK) }, 0, 2);
    const told = encodeAmf0({ app: "bench", tcUrl: "rtmp://127.0.0.1/bench" });
    client.#write(commandMessage("connect", 1, new Uint8Array(0), told), 0);
    client.#write(commandMessage("createStream", 2, new Uint8Array(0)), 0);
    if (what === "publish") {
      client.#write(commandMessage("publish", 3, encodeAmf0(name, "live")), 1);
    } else {
      client.#write(commandMessage("play", 3, encodeAmf0(name, 0)), 1);
      client.#write(userControlMessage(UserControl.setBufferLength, 1, 3_000), 0, 2);
    }
    client.#read();
    return client;
  }

  frame(): void {
    const payload = new Uint8Array(FRAME);
    payload.set([this.#frames % 50 === 0 ? 0x17 : 0x27, 1, 0, 0, 0]);
    const timestamp = PERIOD * this.#frames++;
    this.#write({ type: MessageType.video, payload, timestamp }, 1, 6);
  }

  #write(
    { type, payload, timestamp = 0 }: { type: number; payload: Uint8Array; timestamp?: number },
    stream: number,
    chunkStream = 3,
  ): void {
    const message: Outgoing = { chunkStream, type, timestamp, stream, payload };
    this.#writer.begin(message);
    const block = this.#block.slice(0, this.#writer.write(this.#block, 0));
    this.#sent = this.#sent.then(() => writeAll(this.conn, block)).catch(() => {});
  }

  async #read(): Promise<void> {
    const buffer = new Uint8Array(CHUNK);
    try {
      for (;;) {
        const length = await this.conn.read(buffer);
        if (length === null) break;
        bytes += length;
      }
    } catch {
      // closed
    }
    if (running) ended++;
  }
}

async function writeAll(conn: Deno.TcpConn, data: Uint8Array): Promise<void> {
  for (let at = 0; at < data.length;) at += await conn.write(data.subarray(at));
}

const clients: Client[] = [];
const begun = performance.now();
for (let i = 0; i < count; i++) {
  const client = await Client.open(`s${i % names}`);
  clients.push(client);
  // each at its own moment of the period
  if (what === "publish") {
    setTimeout(() => setInterval(() => client.frame(), PERIOD), i * 7 % PERIOD);
  }
  if (i % 8 === 7) await new Promise((resolve) => setTimeout(resolve, 20));
}
await new Promise((resolve) => setTimeout(resolve, Math.max(3_000, begun - performance.now())));
console.log("ready");
const before = bytes;
await new Promise((resolve) => setTimeout(resolve, seconds * 1_000));
running = false;
console.log(JSON.stringify({ bytes: bytes - before, ended }));
Deno.exit();
