// Attacks on the UDP port, HTTP, WebSockets and the port for other servers.
import { encodeAmf0 } from "../../src/amf/mod.ts";
import { concat } from "../../src/bytes/concat.ts";
import { toUtf8 } from "../../src/bytes/text.ts";
import { NetConnection } from "../../src/client/net_connection.ts";
import { FrameWriter } from "../../src/cluster/frame.ts";
import { writeIdentity } from "../../src/cluster/identity.ts";
import { sleep } from "../../src/common/wait.ts";
import { Writer } from "../../src/bytes/writer.ts";
import { writeFlowOpen, writePing, writeUserData } from "../../src/rtws/messages.ts";
import { Generator } from "../load/generator.ts";
import { LeanRtmp } from "../load/lean_rtmp.ts";
import { type Attack, crowd, type SiegeDoors } from "./attack.ts";
import { remotingPacket, worstOf } from "./messages.ts";
import { discard, writeAll } from "./raw_rtmp.ts";

/** The headers of a request that opens a WebSocket. */
const UPGRADE = "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n" +
  "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";

/** Opens a TCP connection, and closes it when `use` has ended. */
async function connected(port: number, use: (conn: Deno.TcpConn) => Promise<void>): Promise<void> {
  const conn = await Deno.connect({ hostname: "127.0.0.1", port });
  try {
    await use(conn);
  } finally {
    try {
      conn.close();
    } catch {
      // the server has closed it
    }
  }
}

/** @returns a datagram with an IHello for a URL */
function helloTo(url: string): Uint8Array {
  let hello = new Uint8Array(0);
  const target = { hostname: "127.0.0.1", port: 1 };
  const generator = new Generator({
    url,
    target,
    transport: () => ({
      name: "none",
      open: () => 0,
      send: (_socket, buffer, length) => void (hello = buffer.slice(0, length)),
      poll() {},
      close() {},
    }),
  });
  generator.add().prepare().open();
  return hello;
}

const hellos: Attack = async ({ rtmfp }, until) => {
  const hello = helloTo(`rtmfp://127.0.0.1/bench?${"%&".repeat(500)}`);
  const sockets = Array.from(
    { length: 16 },
    () => Deno.listenDatagram({ transport: "udp", hostname: "127.0.0.1", port: 0 }),
  );
  const to = { transport: "udp", hostname: "127.0.0.1", port: rtmfp } as const;
  while (performance.now() < until) {
    for (const socket of sockets) await socket.send(hello, to).catch(() => 0);
    await sleep(1);
  }
  for (const socket of sockets) socket.close();
};

const pageUrls: Attack = ({ rtmfp }, until) =>
  crowd(4, until, async (number) => {
    const pageUrl = `http://${number}`.padEnd(15_000_000, "x");
    const connection = await NetConnection.connect(`rtmfp://127.0.0.1:${rtmfp}/bench`, { pageUrl });
    await sleep(until - performance.now());
    await connection.close();
  });

const slowHeaders = (door: (doors: SiegeDoors) => number): Attack => (doors, until) =>
  crowd(300, until, (number) =>
    connected(door(doors), async (conn) => {
      discard(conn);
      await writeAll(conn, toUtf8(`GET /${number} HTTP/1.1\r\nHost: a\r\nX: `));
      for (; performance.now() < until; await sleep(200)) await writeAll(conn, toUtf8("x"));
    }));

const requests = (lines: (number: number) => string, count = 8): Attack => ({ web }, until) =>
  crowd(count, until, (number) =>
    connected(web, async (conn) => {
      await writeAll(conn, toUtf8(`${lines(number)}\r\nHost: a\r\nConnection: close\r\n\r\n`));
      await discard(conn);
    }));

/** Opens WebSockets, and runs `attack` on each, whose `send` writes raw bytes. */
const webSocket = (
  path: string,
  count: number,
  attack: (send: (message: Uint8Array) => Promise<void>, until: number) => Promise<void>,
): Attack =>
({ web }, until) =>
  crowd(count, until, () =>
    connected(web, async (conn) => {
      await writeAll(
        conn,
        toUtf8(
          `GET ${path} HTTP/1.1\r\nHost: a\r\n${UPGRADE}\r\n`,
        ),
      );
      discard(conn);
      await attack((bytes) => writeAll(conn, bytes), until);
    }));

/** A client's frame with a mask of zero. @param length announced length; longer than `payload`: unfinished */
function frame(payload: Uint8Array, length = payload.length): Uint8Array {
  const to = new Writer(payload.length + 14).u8(0x82);
  if (length < 126) to.u8(0x80 | length);
  else if (length < 65_536) to.u8(0x80 | 126).u16(length);
  else to.u8(0x80 | 127).u32(0).u32(length);
  return to.u32(0).bytes(payload).copy();
}

const rtwsFlood = (messages: readonly Uint8Array[]) =>
  webSocket("/rtws", 4, async (send, until) => {
    const all = concat(messages.map((message) => frame(message)));
    while (performance.now() < until) await send(all);
  });

/** Sends all but the last bytes of a message of the maximum size, without connect. */
const unfinished = (path: string) =>
  webSocket(path, 40, async (send, until) => {
    const [whole, part] = [16 << 20, 1 << 20];
    await send(frame(new Uint8Array(part), whole));
    for (let sent = part; sent < whole - part; sent += part) await send(new Uint8Array(part));
    await sleep(until - performance.now());
  });

/** Viewers of a stream of 8 Mb/s that never read. */
const stalledViewers = (upgrade: string): Attack => async ({ rtmp, web }, until) => {
  const nothing = () => {};
  const publisher = await LeanRtmp.open({
    port: rtmp,
    what: "publish",
    name: "cam",
    onBytes: nothing,
    onEnd: nothing,
  });
  publisher.frame();
  await sleep(200);
  const viewers = crowd(400, until, () =>
    connected(web, async (conn) => {
      await writeAll(conn, toUtf8(`GET /bench/cam.flv HTTP/1.1\r\nHost: a\r\n${upgrade}\r\n`));
      await sleep(until - performance.now());
    }));
  while (performance.now() < until) {
    for (let i = 0; i < 8; i++) publisher.frame();
    await sleep(40);
  }
  await viewers;
  publisher.conn.close();
};

const remoting = (packets: readonly Uint8Array<ArrayBuffer>[]): Attack => ({ web }, until) =>
  crowd(4, until, async (number) => {
    const response = await fetch(`http://127.0.0.1:${web}/bench`, {
      method: "POST",
      headers: { "content-type": "application/x-amf" },
      body: packets[number % packets.length],
    });
    await response.bytes();
  });

const silentLinks: Attack = ({ servers }, until) =>
  crowd(200, until, (number) =>
    connected(servers, async (conn) => {
      if (number % 2) await writeAll(conn, Uint8Array.of(0, 0, 255, 0, 1));
      await discard(conn);
    }));

const floodingLinks: Attack = ({ servers }, until) =>
  crowd(4, until, (number) =>
    connected(servers, async (conn) => {
      discard(conn);
      const writer = new FrameWriter(toUtf8);
      const to = new Writer(65_536);
      const reach = { publicAddress: `192.0.2.${number % 250}:1935` };
      writer.write(to, undefined, writeIdentity({ reach, properties: new Map() }));
      const payload = Uint8Array.of(0xff);
      for (let i = 0; i < 9_000; i++) writer.write(to, "tell", payload);
      await writeAll(conn, to.copy());
      to.clear();
      for (let i = 0; i < 9_000; i++) writer.write(to, i % 2 ? "tell" : "nothing", payload);
      const flood = to.copy();
      while (performance.now() < until) await writeAll(conn, flood);
    }));

const api: Attack = ({ http }, until) =>
  crowd(16, until, async (number) => {
    const paths = [
      `/api/clients?filter=${"a".repeat(8_000)}&sort=${"-".repeat(4_000)}`,
      `/api/streams?${"sort=name&".repeat(800)}`,
      `/api/clients?limit=1e99&offset=-1&sort=address`,
      "/api/status",
      "/metrics",
      "/api/history",
      "/api/reload",
    ];
    const method = number % paths.length === 6 ? "POST" : "GET";
    const response = await fetch(`http://127.0.0.1:${http}${paths[number % paths.length]}`, {
      method,
    });
    await response.bytes();
  });

const BODY = 1 << 20;

export const otherAttacks: Readonly<Record<string, Attack>> = {
  "long page URLs": pageUrls,
  "hellos that are hard to decode": hellos,
  "silent links": silentLinks,
  "flooding links": floodingLinks,
  "slow headers to the web door": slowHeaders(({ web }) => web),
  "slow headers to the metrics port": slowHeaders(({ http }) => http),
  "requests for evil names": requests((number) =>
    `GET /${["bench/", "..%2f", "%00", "%ff", "a/".repeat(500)][number % 5]}${
      "%25".repeat(2_000)
    }.flv HTTP/1.1`
  ),
  "requests for files that do not exist": requests(
    (number) => `GET /${"a/".repeat(30)}${number} HTTP/1.1`,
    64,
  ),
  "many ranges": requests(
    (number) =>
      `GET /bench/none${number}.flv?recorded HTTP/1.1\r\nRange: bytes=${"0-1,".repeat(3_000)}`,
  ),
  "messages of RTWebSocket that are never whole": unfinished("/rtws"),
  "messages of RTMP in WebSockets that are never whole": unfinished("/rtmp"),
  "flows of RTWebSocket": rtwsFlood(
    Array.from({ length: 2_000 }, (_, i) => writeFlowOpen(i, undefined, new Uint8Array(64))),
  ),
  "pings of RTWebSocket": rtwsFlood(Array(2_000).fill(writePing(new Uint8Array(64)))),
  "fragments of RTWebSocket": rtwsFlood([
    writeFlowOpen(0, undefined, Uint8Array.of(0x54, 0x43, 0x04, 0)),
    ...Array(4_000).fill(writeUserData(0, new Uint8Array(2), 0, 1)),
  ]),
  "viewers by HTTP that do not read": stalledViewers(""),
  "viewers by WebSocket that do not read": stalledViewers(UPGRADE),
  "remoting bombs": remoting([
    remotingPacket("f", 20_000, encodeAmf0(null)),
    ...worstOf(BODY - 100).map((values) => remotingPacket("echo", 1, values)),
  ]),
  "queries of the metrics port": api,
};
