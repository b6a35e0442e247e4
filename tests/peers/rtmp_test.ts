// ffmpeg and rtmpdump against this server, every frame compared.
import assert from "node:assert/strict";
import { NetConnection } from "../../src/client/net_connection.ts";
import { type FlvTag, TagType } from "../../src/flv/tags.ts";
import { TestServer } from "../conformance/support/test_server.ts";
import { freePort } from "../support/ports.ts";
import { sleep, until } from "../support/wait.ts";
import {
  ffmpegPlays,
  ffmpegPublishes,
  FILE,
  mediaOf,
  peerTest,
  rtmpdumpPlays,
  tagsOf,
} from "./peers.ts";

const SCRIPT = `
  function onPublish(client, publication)
    if publication.name == "closed" then error("wrong key") end
    NOTE("publishes ", publication.name, " ", client.protocol, " ", publication.properties.token)
  end
  function onSubscribe(client, listener)
    NOTE("plays ", listener.publication.name, " ", client.protocol)
  end`;
const MAIN = "[application]\nunknown = nearest\n";

/** A server with a port for RTMP and one for RTMPS, and a folder for the files of players. */
async function serve() {
  const [port, tlsPort] = [freePort(), freePort()];
  const tls = new URL("../net/tls/", import.meta.url).pathname;
  const server = await TestServer.start({
    www: { "": SCRIPT },
    ini: `${MAIN}[rtmp]\nport = ${port}\naddress = 127.0.0.1\n` +
      `tlsPort = ${tlsPort}\ncertificate = ${tls}localhost.pem\nkey = ${tls}localhost.key\n`,
  });
  for (
    const text of [
      `RTMP server starts on TCP port ${port}`,
      `RTMPS server starts on TCP port ${tlsPort}`,
    ]
  ) {
    await server.log.find((line) => line.includes(text), text);
  }
  return {
    server,
    url: (name: string) => `rtmp://127.0.0.1:${port}/live/${name}`,
    tlsUrl: (name: string) => `rtmps://127.0.0.1:${tlsPort}/live/${name}`,
    file: (name: string) => `${server.dir}/${name}`,
    /** Waits until the log has a number of lines with a text. */
    logs: (text: string, count = 1) =>
      until(
        () => server.log.items.filter((line) => line.includes(text)).length >= count,
        `${count} × ${text}`,
      ),
  };
}

/** The server of all tests, each of which has a stream of its own. */
let all: Awaited<ReturnType<typeof serve>>;
Deno.test.beforeAll(async () => {
  all = await serve();
});
Deno.test.afterAll(() => all.server.stop());

/** Tags that our RTMFP client plays. */
async function rtmfpPlays(url: string, name: string) {
  const connection = await NetConnection.connect(url);
  const stream = await connection.createStream();
  const tags: FlvTag[] = [];
  stream.handler = {
    onAudio: (timestamp, data) => tags.push({ type: TagType.audio, timestamp, data: data.slice() }),
    onVideo: (timestamp, data) => tags.push({ type: TagType.video, timestamp, data: data.slice() }),
  };
  await stream.play(name);
  return {
    tags,
    /** Waits for a number of frames. */
    gets: (count: number) => until(() => mediaCount(tags) >= count, `${count} frames`),
    [Symbol.asyncDispose]: () => connection.close(),
  };
}

/** Speed of publishing a file, as a multiple of real time. */
const PACE = 4;

const mediaCount = (tags: readonly FlvTag[]) => {
  const { audio, video } = mediaOf(tags);
  return audio.length + video.length;
};

peerTest("ffmpeg, rtmpdump and an RTMFP client get every frame that ffmpeg publishes by RTMP", [
  "ffmpeg",
  "rtmpdump",
], async () => {
  await using flash = await rtmfpPlays(all.server.url("/live"), "cam");
  await using ffmpeg = ffmpegPlays(all.url("cam"), all.file("ffmpeg.flv"));
  await using rtmpdump = rtmpdumpPlays(all.url("cam"), all.file("rtmpdump.flv"));
  await all.logs("plays cam", 3);
  await using publisher = ffmpegPublishes(FILE, all.url("cam?token=abc"));
  const { code, error } = await publisher.result;
  assert.equal(code, 0, error);
  assert.ok(all.server.log.items.some((line) => line.includes("publishes cam rtmp abc")));
  const expected = mediaOf(tagsOf(FILE));
  await flash.gets(mediaCount(tagsOf(FILE)));
  assert.deepEqual(mediaOf(flash.tags), expected, "RTMFP");
  assert.equal((await ffmpeg.result).code, 0);
  assert.deepEqual(mediaOf(tagsOf(all.file("ffmpeg.flv"))), expected, "ffmpeg");
  assert.equal((await rtmpdump.result).code, 0);
  assert.deepEqual(mediaOf(tagsOf(all.file("rtmpdump.flv"))), expected, "rtmpdump");
});

peerTest("ffmpeg and rtmpdump get every frame that an RTMFP client publishes", [
  "ffmpeg",
  "rtmpdump",
], async () => {
  await using ffmpeg = ffmpegPlays(all.url("flash"), all.file("ffmpeg.flv"));
  await using rtmpdump = rtmpdumpPlays(all.url("flash"), all.file("rtmpdump.flv"));
  await all.logs("plays flash rtmp", 2);
  const connection = await NetConnection.connect(all.server.url("/live"));
  const stream = await connection.createStream();
  await stream.publish("flash");
  const tags = tagsOf(FILE);
  const begun = performance.now();
  for (const { type, timestamp, data } of tags) {
    // audio and video use separate flows: sent at once, one would be seconds ahead of the other
    await sleep(Math.max(0, begun + timestamp / PACE - performance.now()));
    if (type === TagType.audio) stream.sendAudio(timestamp, data);
    if (type === TagType.video) stream.sendVideo(timestamp, data);
  }
  await stream.close();
  await connection.close();
  for (const [name, peer] of Object.entries({ ffmpeg, rtmpdump })) {
    const { code, error } = await peer.result;
    assert.equal(code, 0, `${name}: ${error}`);
    assert.deepEqual(mediaOf(tagsOf(all.file(`${name}.flv`))), mediaOf(tags), name);
  }
});

peerTest("ffmpeg publishes and plays every frame by RTMPS", ["ffmpeg"], async () => {
  const url = all.tlsUrl("secure");
  await using player = ffmpegPlays(url, all.file("tls.flv"));
  await all.logs("plays secure rtmps");
  await using publisher = ffmpegPublishes(FILE, url);
  const { code, error } = await publisher.result;
  assert.equal(code, 0, error);
  assert.equal((await player.result).code, 0);
  assert.deepEqual(mediaOf(tagsOf(all.file("tls.flv"))), mediaOf(tagsOf(FILE)));
});

peerTest(
  "ffmpeg prints the application's error and exits when the application refuses publishing",
  ["ffmpeg"],
  async () => {
    await using publisher = ffmpegPublishes(FILE, all.url("closed"));
    const { code, error } = await publisher.result;
    assert.notEqual(code, 0);
    assert.match(error, /wrong key/);
  },
);
