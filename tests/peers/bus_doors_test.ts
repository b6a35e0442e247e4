// A publication on one server is played on another one by every door.
import assert from "node:assert/strict";
import { FlvReader } from "../../src/flv/reader.ts";
import type { FlvTag } from "../../src/flv/tags.ts";
import { freePort } from "../support/ports.ts";
import { until } from "../support/wait.ts";
import { Servers } from "./bus_servers.ts";
import { NatsServer } from "./nats.ts";
import {
  ffmpegPlays,
  ffmpegPublishes,
  FILE,
  mediaOf,
  Peer,
  peerTest,
  rtmpdumpPlays,
  tagsOf,
} from "./peers.ts";

/** Servers with all doors. */
async function start(servers: Servers, zone: string) {
  const [rtmp, web] = [freePort(), freePort()];
  const server = await servers.start(
    zone,
    `[rtmp]\nport = ${rtmp}\n[web]\nport = ${web}\n[application]\nunknown = nearest\n`,
  );
  const file = (name: string) => `${server.dir}/${name}`;
  return { server, file, rtmp: `rtmp://127.0.0.1:${rtmp}/live`, web: `127.0.0.1:${web}/live` };
}

async function fetchTags(url: string): Promise<FlvTag[]> {
  const response = await fetch(url);
  assert.equal(response.status, 200, `${url}: ${response.statusText}`);
  const bytes = new Uint8Array(await response.arrayBuffer());
  assert.equal(bytes[4], 5, "the header tells of sound and picture");
  return new FlvReader().push(bytes);
}

function socketTags(url: string): Promise<FlvTag[]> {
  const reader = new FlvReader();
  const tags: FlvTag[] = [];
  const socket = new WebSocket(url);
  socket.binaryType = "arraybuffer";
  socket.onmessage = ({ data }) => tags.push(...reader.push(new Uint8Array(data)));
  return new Promise((resolve, reject) => {
    socket.onerror = () => reject(new Error(`${url} cannot be opened`));
    socket.onclose = () => resolve(tags);
  });
}

peerTest(
  "rtmpdump, ffmpeg, HTTP and WebSocket players get every frame of a publication on another server of the bus",
  ["nats-server", "ffmpeg", "rtmpdump"],
  async () => {
    await using nats = await NatsServer.start();
    await using servers = new Servers(nats.url);
    const [a, b] = await Promise.all(["a", "b"].map((zone) => start(servers, zone)));
    await a.server.logged(/met b$/);
    const asked = performance.now();
    for (let i = 0; i < 3; i++) {
      const response = await fetch(`http://${b.web}/nothing.flv`);
      assert.equal(response.status, 404);
      await response.body?.cancel();
    }
    assert.ok(performance.now() - asked < 5_000);

    await using publisher = ffmpegPublishes(FILE, `${a.rtmp}/http`, 1);
    await using another = ffmpegPublishes(FILE, `${a.rtmp}/ws`, 1);
    await using third = ffmpegPublishes(FILE, `${a.rtmp}/cam`, 1);
    const status = async (name: string) => {
      const response = await fetch(`http://${b.web}/${name}.flv`, { method: "HEAD" });
      return response.status;
    };
    // Each publication is played as soon as it exists, since it ends with its file.
    const published = (name: string) =>
      until(async () => await status(name) === 200, `${name} at the other server`);
    const byRtmp = b.file("rtmp.flv"), byFfmpeg = b.file("ffmpeg.flv");
    const [http, ws] = await Promise.all([
      published("http").then(() => fetchTags(`http://${b.web}/http.flv`)),
      published("ws").then(() => socketTags(`ws://${b.web}/ws.flv`)),
      published("cam").then(() => {
        const players: Peer[] = [
          rtmpdumpPlays(`${b.rtmp}/cam`, byRtmp),
          ffmpegPlays(`${b.rtmp}/cam`, byFfmpeg),
        ];
        return Promise.all(players.map(({ result }) => result));
      }),
    ]);
    for (const { result } of [publisher, another, third]) assert.equal((await result).code, 0);
    const all = mediaOf(tagsOf(FILE));
    const ending = (lines: string[]) => lines.map((line) => line.split(" ").slice(1).join(" "));
    for (
      const [door, tags] of [
        ["HTTP", http],
        ["WebSocket", ws],
        ["rtmpdump", tagsOf(byRtmp)],
        ["ffmpeg", tagsOf(byFfmpeg)],
      ] as const
    ) {
      for (const kind of ["video", "audio"] as const) {
        const played = ending(mediaOf(tags)[kind]);
        assert.ok(played.length > 20, `${door}: ${played.length} of ${kind}`);
        assert.deepEqual(played, ending(all[kind]).slice(-played.length), `${door}: ${kind}`);
      }
    }
  },
);
