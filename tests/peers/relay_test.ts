// nginx-rtmp as target and source of relays, every frame compared.
import assert from "node:assert/strict";
import { TestServer } from "../conformance/support/test_server.ts";
import { RtmpConnection } from "../../src/client/rtmp_connection.ts";
import { type FlvTag, TagType } from "../../src/flv/tags.ts";
import { parseRtmpStreamUrl } from "../../src/rtmp/url.ts";
import { freePort } from "../support/ports.ts";
import { until } from "../support/wait.ts";
import { ffmpegPublishes, FILE, mediaOf, NginxRtmp, peerTest, tagsOf } from "./peers.ts";

const PROGRAMS = ["ffmpeg", "nginx"];
const MAIN = "[application]\nunknown = nearest\n";
/** The stream name for a push. */
const SECRET = "key-that-nobody-sees";

/** A server with an RTMP port. */
async function serve(script: string, ini = "") {
  const [port, http] = [freePort(), freePort()];
  const server = await TestServer.start({
    www: { "": script },
    ini: `${MAIN}[rtmp]\nport = ${port}\naddress = 127.0.0.1\n[http]\nport = ${http}\n${ini}`,
  });
  await server.log.find((line) => line.includes(`RTMP server starts on TCP port ${port}`), "RTMP");
  return {
    server,
    http,
    url: (name: string) => `rtmp://127.0.0.1:${port}/live/${name}`,
    logs: (text: string) =>
      until(() => server.log.items.some((line) => line.includes(text)), `the line ${text}`),
    [Symbol.asyncDispose]: () => server.stop(),
  };
}

/** Plays from a server until the publisher ends. @returns after the start of playing */
async function plays(url: string) {
  const { name, ...target } = parseRtmpStreamUrl(url);
  const connect = () => RtmpConnection.connect(target, {}).catch(() => undefined);
  const connection = await until(connect, "the server"); // the server may still be starting
  const stream = await connection.createStream();
  const tags: FlvTag[] = [];
  const ended = Promise.withResolvers<void>();
  stream.handler = {
    onAudio: (timestamp, data) => tags.push({ type: TagType.audio, timestamp, data: data.slice() }),
    onVideo: (timestamp, data) => tags.push({ type: TagType.video, timestamp, data: data.slice() }),
    onStatus: ({ code }) => code === "NetStream.Play.UnpublishNotify" && ended.resolve(),
  };
  await stream.play(name);
  return {
    media: async () => {
      await ended.promise;
      return mediaOf(tags);
    },
    [Symbol.asyncDispose]: () => connection.close(),
  };
}

const expected = mediaOf(tagsOf(FILE));

/** Checks that a relay began at a key frame, and sent every later frame with its time. */
function assertTail(actual: readonly string[], expected: readonly string[]): void {
  assert.ok(actual.length >= 25, `${actual.length} frames`);
  const tail = expected.slice(-actual.length).map((line) => line.split(" "));
  const first = Number(tail[0][0]);
  const lines = tail.map(([time, ...rest]) => [Number(time) - first, ...rest].join(" "));
  assert.deepEqual(actual, lines);
}

peerTest(
  "publication:push() sends a stream to nginx-rtmp, whose player gets every frame from a key frame on",
  PROGRAMS,
  async () => {
    await using nginx = new NginxRtmp("publish_notify on;");
    await using all = await serve(`
    function onPublish(client, publication)
      local relay = publication:push("${nginx.url(SECRET)}")
      NOTE("pushes to ", relay.url, " ", relay.name, " ", relay.direction)
    end`);
    await using player = await plays(nginx.url(SECRET));
    await using publisher = ffmpegPublishes(FILE, all.url("cam"), 2);
    await all.logs("The push of cam to");
    assert.equal((await publisher.result).code, 0);
    const { audio, video } = await player.media();
    assertTail(video, expected.video);
    assertTail(audio, expected.audio);
    assert.deepEqual(all.server.log.items.filter((line) => line.includes(SECRET)), []);
  },
);

peerTest(
  "[relay] pushes a stream to nginx-rtmp, and pulls it back under another name",
  PROGRAMS,
  async () => {
    await using nginx = new NginxRtmp("publish_notify on;");
    await using all = await serve(
      "",
      `[relay]\npush = cam ${nginx.url("there")}\npull = back ${nginx.url("there")}\n`,
    );
    await all.logs("The pull of back from");
    const relays = async () => {
      const response = await fetch(`http://127.0.0.1:${all.http}/api/relays`);
      const { rows } = await response.json();
      return rows as { direction: string; state: string; target: string; bytesIn: number }[];
    };
    const [push, pull] = await relays();
    assert.deepEqual([push.direction, push.state], ["push", "idle"]);
    assert.deepEqual([pull.direction, pull.state], ["pull", "running"]);
    assert.equal(pull.target, nginx.url("…"));
    await using player = await plays(all.url("back"));
    await using publisher = ffmpegPublishes(FILE, all.url("cam"), 2);
    assert.equal((await publisher.result).code, 0);
    const { audio, video } = await player.media();
    assertTail(video, expected.video);
    assertTail(audio, expected.audio);
    assert.ok(
      (await relays())[1].bytesIn > pull.bytesIn + 20_000,
      "the stream's bytes are counted",
    );
    const metrics = await (await fetch(`http://127.0.0.1:${all.http}/metrics`)).text();
    assert.match(metrics, /^cumulus_relays\{direction="pull",state="running"\} 1$/m);
    assert.ok(!metrics.includes(nginx.url("there")), "the stream's name there is a secret");
  },
);
