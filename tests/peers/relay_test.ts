// nginx-rtmp as target and source of relays, every frame compared.
import assert from "node:assert/strict";
import { TestServer } from "../conformance/support/test_server.ts";
import { freePort } from "../support/ports.ts";
import { until } from "../support/wait.ts";
import {
  ffmpegPlays,
  ffmpegPublishes,
  FILE,
  mediaOf,
  NginxRtmp,
  peerTest,
  tagsOf,
} from "./peers.ts";

const PROGRAMS = ["ffmpeg", "nginx"];
const MAIN = "[application]\nunknown = nearest\n";
/** What a push is told of the stream there. */
const SECRET = "key-that-nobody-sees";

/** A server with an RTMP port. */
async function serve(script: string, ini = "") {
  const port = freePort();
  const server = await TestServer.start({
    www: { "": script },
    ini: `${MAIN}[rtmp]\nport = ${port}\naddress = 127.0.0.1\n${ini}`,
  });
  await server.log.find((line) => line.includes(`RTMP server starts on TCP port ${port}`), "RTMP");
  return {
    server,
    url: (name: string) => `rtmp://127.0.0.1:${port}/live/${name}`,
    file: (name: string) => `${server.dir}/${name}`,
    logs: (text: string) =>
      until(() => server.log.items.some((line) => line.includes(text)), `the line ${text}`),
    [Symbol.asyncDispose]: () => server.stop(),
  };
}

/** What a file has, which may be played before it is written. */
const mediaIn = (file: string) => {
  try {
    return mediaOf(tagsOf(file));
  } catch {
    return { audio: [], video: [] };
  }
};

const expected = mediaOf(tagsOf(FILE));

peerTest(
  "publication:push sends to nginx-rtmp, whose player has every frame",
  PROGRAMS,
  async () => {
    await using nginx = new NginxRtmp("publish_notify on;");
    await using all = await serve(`
    function onPublish(client, publication)
      local relay = publication:push("${nginx.url(SECRET)}")
      NOTE("pushes to ", relay.url, " ", relay.name, " ", relay.direction)
    end`);
    const file = all.file("pushed.flv");
    await using player = ffmpegPlays(nginx.url(SECRET), file);
    await using publisher = ffmpegPublishes(FILE, all.url("cam"), 4);
    await all.logs("The push of cam to");
    assert.equal((await publisher.result).code, 0);
    await player.result;
    const { audio, video } = mediaIn(file);
    assert.deepEqual(video, expected.video);
    assert.deepEqual(audio, expected.audio);
    assert.deepEqual(all.server.log.items.filter((line) => line.includes(SECRET)), []);
  },
);

peerTest(
  "[relay] push and pull: out to nginx-rtmp and back under another name",
  PROGRAMS,
  async () => {
    await using nginx = new NginxRtmp("publish_notify on;");
    await using all = await serve(
      "",
      `[relay]\npush = cam ${nginx.url("there")}\npull = back ${nginx.url("there")}\n`,
    );
    await all.logs("The pull of back from");
    const file = all.file("back.flv");
    await using player = ffmpegPlays(all.url("back"), file);
    await using publisher = ffmpegPublishes(FILE, all.url("cam"), 4);
    assert.equal((await publisher.result).code, 0);
    await player.result;
    const { audio, video } = mediaIn(file);
    assert.deepEqual(video, expected.video);
    assert.deepEqual(audio, expected.audio);
  },
);
