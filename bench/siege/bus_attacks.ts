// Attacks by a shared NATS server: by senders without the secret, and by malicious servers that know it.
import type { MessageCodec } from "../../src/bus/envelope.ts";
import { Envelope } from "../../src/bus/envelope.ts";
import * as messages from "../../src/bus/messages.ts";
import { Subjects } from "../../src/bus/subjects.ts";
import { encodeAmf } from "../../src/amf/mod.ts";
import { concat } from "../../src/bytes/concat.ts";
import { fromUtf8, toUtf8 } from "../../src/bytes/text.ts";
import { sleep } from "../../src/common/wait.ts";
import { Writer } from "../../src/bytes/writer.ts";
import { NetConnection } from "../../src/client/net_connection.ts";
import { groupId } from "../../src/flash/net_group.ts";
import { hmacSha256, sha256 } from "../../src/server/digests.ts";
import { LeanRtmp } from "../load/lean_rtmp.ts";
import { type Attack, longText } from "./attack.ts";
import { writeAll } from "./raw_rtmp.ts";

const CLUSTER = "siege";
const SECRET = "known to the servers";
/** Maximum bytes of a NATS message: default of nats-server. */
const MAX_MESSAGE = 1 << 20;
/** Bytes of one write. */
const BURST = 1 << 20;

/** The section of a server's configuration. */
export const busSection = (url: string): string =>
  `publicAddress = siege.example:1935\n[bus]\nservers = ${url}\ncluster = ${CLUSTER}\nsecret = ${SECRET}\n`;

const subjects = new Subjects(CLUSTER, sha256);
const random = (length: number) => crypto.getRandomValues(new Uint8Array(length));

/** A forged server of the cluster; other servers reject it if the secret is wrong. */
class Forged {
  readonly #envelope: Envelope;
  #sequence = 10; // as if it had been running

  constructor(secret = SECRET) {
    this.#envelope = new Envelope(random(16), toUtf8(secret), hmacSha256);
  }

  get id(): string {
    return this.#envelope.self;
  }

  message<T>(subject: string, codec: MessageCodec<T>, message: T): Uint8Array {
    return publication(subject, this.#envelope.seal(subject, codec, message));
  }

  heartbeat(told: Partial<messages.Heartbeat> = {}): Uint8Array {
    return this.message(subjects.heartbeat, messages.heartbeat, {
      startedAt: 1,
      sequence: this.#sequence++,
      publicAddress: `${this.id}.example:1935`,
      load: { clients: 0, publications: 0, lag: 0 },
      properties: new Map(),
      paths: [],
      ...told,
    });
  }
}

/** @returns the bytes of NATS that publish a message */
const publication = (subject: string, bytes: Uint8Array): Uint8Array =>
  concat([toUtf8(`PUB ${subject} ${bytes.length}\r\n`), bytes, toUtf8("\r\n")]);

/** Sends what `next` returns, without end, in bursts. */
const flood = (next: () => Uint8Array): Attack => async (doors, until) => {
  const nats = await Nats.connect(doors.bus!);
  try {
    await nats.flood(next, until);
  } finally {
    nats.close();
  }
};

/** A NATS client that receives the messages of the cluster. */
class Nats {
  /** Id of the attacked server, base32. */
  victim = "";
  /** The attacked server's last join for a stream. */
  join: messages.Join | undefined;
  readonly #conn: Deno.TcpConn;
  readonly #envelope = new Envelope(random(16), toUtf8(SECRET), hmacSha256);

  private constructor(conn: Deno.TcpConn) {
    this.#conn = conn;
  }

  static async connect(port: number): Promise<Nats> {
    const nats = new Nats(await Deno.connect({ hostname: "127.0.0.1", port }));
    nats.#read();
    const options = `CONNECT {"verbose":false,"pedantic":false,"echo":false}`;
    await writeAll(nats.#conn, toUtf8(`${options}\r\nSUB cum.${CLUSTER}.> 1\r\n`));
    return nats;
  }

  async flood(next: () => Uint8Array, until: number): Promise<void> {
    while (performance.now() < until) {
      const parts: Uint8Array[] = [];
      for (let length = 0; length < BURST && performance.now() < until;) {
        const part = next();
        parts.push(part);
        length += part.length;
      }
      await writeAll(this.#conn, concat(parts));
    }
  }

  async send(...parts: Uint8Array[]): Promise<void> {
    await writeAll(this.#conn, concat(parts));
  }

  close(): void {
    this.#conn.close();
  }

  async #read(): Promise<void> {
    let bytes = new Uint8Array(0);
    const block = new Uint8Array(65_536);
    try {
      for (let n; (n = await this.#conn.read(block)) !== null;) {
        bytes = concat([bytes, block.subarray(0, n)]);
        for (;;) {
          const end = bytes.indexOf(10);
          if (end < 0) break;
          const [verb, subject, , length] = fromUtf8(bytes.subarray(0, end)).trim().split(" ");
          const from = end + 1;
          const size = verb === "MSG" ? Number(length) + 2 : 0;
          if (bytes.length < from + size) break;
          if (verb === "MSG") this.#onMessage(subject!, bytes.slice(from, from + size - 2));
          if (verb === "PING") await writeAll(this.#conn, toUtf8("PONG\r\n"));
          bytes = bytes.subarray(from + size);
        }
      }
    } catch {
      // closed
    }
  }

  #onMessage(subject: string, bytes: Uint8Array): void {
    const { sender, kind, body } = this.#envelope.open(subject, bytes)!;
    this.victim = sender;
    if (kind === messages.join.kind) this.join = messages.join.read(body);
  }
}

/** Sends the same messages without end, and heartbeats so that receivers keep their sender. */
const repeated = (server: Forged, ...parts: Uint8Array[]): Attack => {
  let i = 0;
  return flood(() => i++ % 100 === 0 ? server.heartbeat() : parts[i % parts.length]!);
};

const calls: Attack = async (doors, until) => {
  const server = new Forged();
  const payload = encodeAmf("x".repeat(10_000));
  const nats = await Nats.connect(doors.bus!);
  while (nats.victim === "" && performance.now() < until) await sleep(10);
  const subject = subjects.server(nats.victim);
  let i = 0;
  await nats.flood(() => {
    if (i++ % 100 === 0) return server.heartbeat();
    const handler = i % 2 ? "tell" : longText(i, 10_000);
    return server.message(subject, messages.call, { handler, payload });
  }, until);
  nats.close();
};

/** Joins for a published stream; each makes the server send its state, of 40 frames. */
const joins: Attack = async (doors, until) => {
  const nothing = () => {};
  const { rtmp: port } = doors;
  const stream = { port, what: "publish", name: "cam", onBytes: nothing, onEnd: nothing } as const;
  const publisher = await LeanRtmp.open(stream);
  for (let i = 0; i < 40; i++) publisher.frame();
  await sleep(300);
  const server = new Forged();
  let request = 0;
  const join = () =>
    server.message(subjects.control("cam"), messages.join, {
      name: "cam",
      from: "",
      id: 0,
      request: request++,
    });
  await flood(() => request % 100 === 0 ? concat([server.heartbeat(), join()]) : join())(
    doors,
    until,
  );
  publisher.conn.close();
};

/** Announces new members, without end, of a group that clients of the attacked server have joined. */
const members: Attack = async (doors, until) => {
  const url = `rtmfp://127.0.0.1:${doors.rtmfp}/bench`;
  const clients = await Promise.all(Array.from({ length: 6 }, () => NetConnection.connect(url)));
  const name = "G:01010103636f6e0d0e73696567652067726f7570";
  for (const client of clients) client.joinGroup(name);
  await sleep(300);
  const server = new Forged();
  const group = groupId(toUtf8(name), sha256);
  let i = 0;
  await flood(() =>
    i++ % 20 === 0 ? server.heartbeat() : server.message(subjects.group(group), messages.members, {
      group,
      peers: Array.from({ length: 1_000 }, () => random(32)),
      complete: false,
      asks: false,
    })
  )(doors, until);
  for (const client of clients) await client.close();
};

/** Frames of a stream with a player, in many pieces of 0 bytes; the last piece never comes. */
const pieces: Attack = async (doors, until) => {
  const nothing = () => {};
  const { rtmp: port } = doors;
  const stream = { port, what: "play", name: "far", onBytes: nothing, onEnd: nothing } as const;
  const player = await LeanRtmp.open({ ...stream, start: -2 });
  await sleep(300);
  const server = new Forged();
  const claim = { name: "far", id: 1, begunAt: 1 };
  const to = new Writer(MAX_MESSAGE);
  for (let i = 0; i < 60_000; i++) to.u8(i === 0 ? 0x80 : 0xc0).u32(0).vlu(0).vlu(0);
  const frames = to.copy();
  const nats = await Nats.connect(doors.bus!);
  await nats.send(
    server.heartbeat(),
    server.message(subjects.control("far"), messages.claim, claim),
  );
  while (!nats.join && performance.now() < until) await sleep(10);
  const state = {
    ...claim,
    request: nats.join!.request,
    next: 0,
    part: 0,
    frames: new Uint8Array(0),
  };
  await nats.send(server.message(subjects.server(nats.victim), messages.state, state));
  let sequence = 0;
  const media = () =>
    server.message(subjects.media("far"), messages.media, {
      ...claim,
      sequence: sequence++,
      frames,
    });
  const next = () => sequence % 20 === 0 ? concat([server.heartbeat(), media()]) : media();
  await nats.flood(next, until);
  nats.close();
  player.conn.close();
};

export const busAttacks: Readonly<Record<string, Attack>> = {
  "bus: large messages of strangers": (() => {
    const stranger = new Forged("guessed");
    const call = { handler: "tell", payload: new Uint8Array(MAX_MESSAGE - 1_000) };
    return repeated(stranger, stranger.message(subjects.calls, messages.call, call));
  })(),
  "bus: small messages of strangers": flood(() =>
    publication(subjects.heartbeat, new Uint8Array(40))
  ),
  "bus: ever new servers of long names": flood(() =>
    new Forged().heartbeat({
      publicAddress: longText(0, 100_000),
      properties: new Map([["zone", longText(0, 400_000)]]),
      paths: Array.from({ length: 400 }, (_, i) => longText(i, 1_000)),
    })
  ),
  "bus: servers that restart without end": (() => {
    let startedAt = 1;
    return flood(() => new Forged().heartbeat({ startedAt: startedAt++, publicAddress: "a:1" }));
  })(),
  "bus: a server that leaves and comes": flood(() => {
    const server = new Forged();
    return concat([
      server.heartbeat(),
      server.message(subjects.heartbeat, messages.bye, undefined),
    ]);
  }),
  "bus: look-ups of peers": (() => {
    const server = new Forged();
    return flood(() =>
      server.message(subjects.lookup, messages.lookup, {
        request: 1,
        peerId: random(32),
        epd: new Uint8Array(1_000),
        tag: random(16),
        addresses: Array(2_000).fill("192.0.2.1:1935"),
        attempts: 1,
      })
    );
  })(),
  "bus: calls": calls,
  "bus: joins for a stream": joins,
  "bus: members of a group": members,
  "bus: frames in pieces": pieces,
};
