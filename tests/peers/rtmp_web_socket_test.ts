// RTMP in a WebSocket: a program that speaks RTMP by TCP, behind a bridge to the web door.

import assert from "node:assert/strict";
import { freePort } from "../support/ports.ts";
import { publish, startWeb } from "../web/support.ts";
import { FILE, mediaOf, peerTest, rtmpdumpPlays, tagsOf } from "./peers.ts";

/** Connects each TCP connection to a separate WebSocket. */
function bridge(url: string): { port: number; close(): void } {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: freePort() });
  (async () => {
    for await (const conn of listener) join(conn, url);
  })().catch(() => {}); // closed
  return { port: (listener.addr as Deno.NetAddr).port, close: () => listener.close() };
}

async function join(conn: Deno.TcpConn, url: string): Promise<void> {
  const socket = new WebSocket(url);
  socket.binaryType = "arraybuffer";
  await new Promise((resolve) => socket.onopen = resolve);
  const writer = conn.writable.getWriter();
  socket.onmessage = ({ data }) => void writer.write(new Uint8Array(data)).catch(() => {});
  socket.onclose = () => void writer.close().catch(() => {});
  try {
    for await (const bytes of conn.readable) socket.send(bytes);
  } catch {
    // the program has ended
  }
  socket.close();
}

peerTest(
  "rtmpdump plays every published frame by RTMP inside a WebSocket",
  ["rtmpdump"],
  async () => {
    const { server, ws } = await startWeb({ "": "", "/live": "" });
    const { port, close } = bridge(`${ws}/rtmp`);
    try {
      const publisher = await publish(`${ws}/live`, "cam");
      const file = `${server.dir}/cam.flv`;
      await using player = rtmpdumpPlays(`rtmp://127.0.0.1:${port}/live/cam`, file);
      await server.log.find((line) => line.includes("2 clients"), "the player");
      const tags = tagsOf(FILE);
      publisher.send(tags);
      publisher.stream.close();
      await player.result;
      assert.deepEqual(mediaOf(tagsOf(file)), mediaOf(tags));
      publisher.connection.close();
    } finally {
      close();
      await server.stop();
    }
  },
);
