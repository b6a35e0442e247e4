// ffmpeg and rtmpdump play recordings, every frame compared with the file.
import assert from "node:assert/strict";
import { runClient } from "../../src/client/cli.ts";
import { NetConnection } from "../../src/client/net_connection.ts";
import { type FlvTag, TagType } from "../../src/flv/tags.ts";
import { isPicture } from "../../src/flv/codec.ts";
import { TestServer } from "../conformance/support/test_server.ts";
import { runClientProcess } from "../support/client_process.ts";
import { freePort } from "../support/ports.ts";
import { shortRecording } from "../support/recording.ts";
import { sleep, until } from "../support/wait.ts";
import {
  faultsOf,
  ffmpegPlays,
  ffmpegPublishes,
  ffmpegSeeks,
  FILE,
  mediaOf,
  peerTest,
  rtmpdumpReads,
  tagsOf,
} from "./peers.ts";

/** Speed of publishing a file, as a multiple of real time. */
const PACE = 4;

const RECORDS = `
  function onPublish(client, publication) assert(publication:record()) end
  function onUnpublish(client, publication) NOTE("unpublished ", publication.recording) end`;

/** A server whose application `live` has the recording `film`; the script of `records` records every publication. */
async function serve() {
  const port = freePort();
  const server = await TestServer.prepare({
    www: { "/live": "", "/records": RECORDS },
    ini: `[rtmp]\nport = ${port}\naddress = 127.0.0.1\n[record]\nenabled = on\n`,
  });
  const folder = `${server.dir}/www/live/streams`;
  Deno.mkdirSync(folder, { recursive: true });
  Deno.copyFileSync(FILE, `${folder}/film.flv`);
  await server.run();
  await server.log.find((line) => line.includes(`RTMP server starts on TCP port ${port}`), "RTMP");
  return {
    server,
    url: (name: string, application = "live") => `rtmp://127.0.0.1:${port}/${application}/${name}`,
    file: (name: string) => `${server.dir}/${name}`,
    [Symbol.asyncDispose]: () => server.stop(),
  };
}

/** The server of all tests but the one that kills it. */
let all: Awaited<ReturnType<typeof serve>>;
Deno.test.beforeAll(async () => {
  all = await serve();
});
Deno.test.afterAll(() => all.server.stop());

/** Digests of frames without times, as players that begin in mid-stream count times differently. */
const digests = (tags: readonly FlvTag[]) => {
  const { audio, video } = mediaOf(tags);
  const digest = (line: string) => line.split(" ")[2];
  return { audio: audio.map(digest), video: video.map(digest) };
};

/** Checks that a player got the last frames of the file, without a gap. */
function assertEndOf(tags: readonly FlvTag[], what: string): void {
  const [all, some] = [digests(tagsOf(FILE)), digests(tags)];
  assert.ok(some.video.length > 0 && some.audio.length > 0, what);
  assert.deepEqual(some.video, all.video.slice(-some.video.length), `${what}: pictures`);
  assert.deepEqual(some.audio, all.audio.slice(-some.audio.length), `${what}: sound`);
}

peerTest("ffmpeg and rtmpdump play every frame of a recording, also from a given time in s", [
  "ffmpeg",
  "rtmpdump",
], async () => {
  const file = (name: string) => all.file(`${name}.flv`);
  await using whole = ffmpegPlays(all.url("film"), file("ffmpeg"));
  await using sought = ffmpegSeeks(all.url("film"), 2.5, file("sought"));
  await using dump = rtmpdumpReads(all.url("flv:film"), file("rtmpdump"));
  await using part = rtmpdumpReads(all.url("film"), file("part"), 2, 4);
  assert.deepEqual(await whole.result, { code: 0, error: "" });
  assert.deepEqual(await sought.result, { code: 0, error: "" });
  await dump.result; // exit code 2, as the duration in the metadata is some ms longer than the last frame
  await part.result;
  const expected = mediaOf(tagsOf(FILE));
  assert.deepEqual(mediaOf(tagsOf(file("ffmpeg"))), expected, "ffmpeg");
  assert.deepEqual(mediaOf(tagsOf(file("rtmpdump"))), expected, "rtmpdump");
  assertEndOf(tagsOf(file("sought")), "ffmpeg -ss");
  assert.equal(digests(tagsOf(file("sought"))).video.length, 75, "from the key frame at 2 s");
  assert.deepEqual(
    digests(tagsOf(file("part"))).video,
    digests(tagsOf(FILE)).video.slice(50, 100),
    "rtmpdump --start 2 --stop 4",
  );
});

peerTest("The server refuses rtmpdump a missing recording, a file outside the folder and a link", [
  "ffmpeg",
  "rtmpdump",
], async () => {
  await Deno.writeTextFile(all.file("www/secret.flv"), "FLV");
  await Deno.symlink(all.file("www/secret.flv"), all.file("www/live/streams/link.flv"));
  for (const name of ["none", "../../secret", "link"]) {
    await using dump = rtmpdumpReads(all.url(name), all.file("none.flv"), 1);
    assert.notEqual((await dump.result).code, 0, name);
  }
});

Deno.test("An RTMFP client plays every frame of a recording in order", async () => {
  const connection = await NetConnection.connect(all.server.url("/live"));
  const stream = await connection.createStream();
  const tags: FlvTag[] = [];
  const codes: string[] = [];
  stream.handler = {
    onAudio: (timestamp, data) => tags.push({ type: TagType.audio, timestamp, data: data.slice() }),
    onVideo: (timestamp, data) => tags.push({ type: TagType.video, timestamp, data: data.slice() }),
    onStatus: ({ code }) => codes.push(code),
    onData: ({ name }) => codes.push(name),
  };
  await stream.play("film");
  await until(() => codes.includes("NetStream.Play.Stop"), "Play.Stop");
  const pictures = tagsOf(FILE).filter(({ type, data }) => type === 9 && isPicture(data)).length;
  await until(() => mediaOf(tags).video.length >= pictures, "all pictures");
  assert.deepEqual(mediaOf(tags), mediaOf(tagsOf(FILE)));
  assert.deepEqual(codes.slice(-2), ["onPlayStatus", "NetStream.Play.Stop"]);
  await connection.close();
});

/** A file of a completed recording, whose duration is known. */
async function recorded(path: string): Promise<FlvTag[]> {
  await until(() => {
    try {
      const [{ data }] = tagsOf(path);
      return new DataView(data.buffer, data.byteOffset).getFloat64(29) > 0;
    } catch {
      return false;
    }
  }, "the end of the recording");
  return tagsOf(path);
}

peerTest("The server records every frame of a publication of ffmpeg in a file without faults", [
  "ffmpeg",
  "ffprobe",
], async () => {
  await using publisher = ffmpegPublishes(FILE, all.url("cam", "records"));
  assert.equal((await publisher.result).code, 0);
  const path = all.file("www/records/streams/cam.flv");
  assert.deepEqual(mediaOf(await recorded(path)), mediaOf(tagsOf(FILE)));
  assert.equal(await faultsOf(path), "");
  await using player = ffmpegPlays(all.url("cam", "records"), all.file("played.flv"));
  assert.equal((await player.result).code, 0);
  assert.deepEqual(mediaOf(tagsOf(all.file("played.flv"))), mediaOf(tagsOf(FILE)));
});

peerTest(
  "The server leaves a readable recording when it is killed",
  ["ffmpeg", "ffprobe"],
  async () => {
    await using killed = await serve();
    await using publisher = ffmpegPublishes(FILE, killed.url("cam", "records"), 1);
    const path = killed.file("www/records/streams/cam.flv");
    await until(() => sizeOf(path) > 64 * 1024, "a part of the recording");
    await killed.server.end("SIGKILL");
    publisher.stop();
    const [some, whole] = [mediaOf(tagsOf(path)), mediaOf(tagsOf(FILE))];
    assert.ok(some.video.length > 10);
    assert.deepEqual(some.video, whole.video.slice(0, some.video.length));
    assert.deepEqual(some.audio, whole.audio.slice(0, some.audio.length));
    assert.equal(await faultsOf(path), "");
  },
);

peerTest("ffmpeg and rtmpdump play a file that an RTMFP client has recorded and appended", [
  "ffmpeg",
  "ffprobe",
  "rtmpdump",
], async () => {
  const tags = tagsOf(FILE);
  for (const type of ["record", "append"]) {
    const connection = await NetConnection.connect(all.server.url("/live"));
    const stream = await connection.createStream();
    const codes: string[] = [];
    stream.handler = { onStatus: ({ code }) => codes.push(code) };
    await stream.publish("cam", type);
    await until(() => codes.includes("NetStream.Record.Start"), "Record.Start");
    const begun = performance.now();
    for (const { type, timestamp, data } of tags) {
      // audio and video use separate flows: sent at once, one would be seconds ahead of the other,
      // and rtmpdump ends at the first frame that is at the end of the file
      await sleep(Math.max(0, begun + timestamp / PACE - performance.now()));
      if (type === TagType.audio) stream.sendAudio(timestamp, data);
      if (type === TagType.video) stream.sendVideo(timestamp, data);
    }
    await stream.close();
    await connection.close();
  }
  const path = all.file("www/live/streams/cam.flv");
  const twice = (digests: string[]) => [...digests, ...digests];
  const { audio, video } = digests(tags);
  const frames = () => Object.values(digests(tagsOf(path))).flat().length;
  await until(() => frames() === 2 * (audio.length + video.length), "both parts");
  assert.deepEqual(digests(tagsOf(path)), { audio: twice(audio), video: twice(video) });
  assert.equal(await faultsOf(path), "");
  await using dump = rtmpdumpReads(all.url("cam"), all.file("dump.flv"));
  await dump.result;
  assert.deepEqual(digests(tagsOf(all.file("dump.flv"))), digests(tagsOf(path)));
});

const sizeOf = (path: string): number => {
  try {
    return Deno.statSync(path).size;
  } catch {
    return 0;
  }
};

Deno.test("client play --start --length writes that part of a recording, then exits", async () => {
  for (const url of [`${all.server.url("/live")}/film`, all.url("film")]) {
    const path = all.file("part.flv");
    const { code, stderr } = await runClientProcess(
      ...["play", url, path, "--start", "2", "--length", "1", "--force"],
    );
    assert.equal(code, 0, stderr);
    assert.deepEqual(digests(tagsOf(path)).video, digests(tagsOf(FILE)).video.slice(50, 75), url);
  }
});

Deno.test("client publish --type record, then append, writes both parts into the file, by RTMFP and by RTMP", async () => {
  const short = shortRecording(600);
  const url = { rtmfp: all.server.url("/live/one"), rtmp: all.url("two") };
  await Promise.all([[url.rtmfp, "one"], [url.rtmp, "two"]].map(async ([target, name]) => {
    for (const type of ["record", "append"]) {
      let error = "";
      const io = { isTerminal: false, write: (text: string) => void (error += text) };
      assert.equal(await runClient(["publish", target, short, "--type", type], io), 0, error);
      assert.match(error, new RegExp(`Recording ${name}`));
    }
    const path = all.file(`www/live/streams/${name}.flv`);
    const { audio, video } = digests(tagsOf(short));
    const frames = () => Object.values(digests(tagsOf(path))).flat().length;
    await until(() => frames() === 2 * (audio.length + video.length), "both parts");
    assert.deepEqual(digests(tagsOf(path)), {
      audio: [...audio, ...audio],
      video: [...video, ...video],
    });
  }));
  Deno.removeSync(short);
});
