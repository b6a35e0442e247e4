// VLC, mpv, ffmpeg and curl play a publication: every picture they decode is one of the publisher's.
import assert from "node:assert/strict";
import { TestServer } from "../conformance/support/test_server.ts";
import { freePort } from "../support/ports.ts";
import { until } from "../support/wait.ts";
import { faultsOf, ffmpegPublishes, FILE, mediaOf, Peer, peerTest, tagsOf } from "./peers.ts";

/** Speed of publishing a file, as a multiple of real time. */
const PACE = 2;

/** A server with the doors of players, and a folder for their output. */
async function serve() {
  const [rtmp, web] = [freePort(), freePort()];
  const server = await TestServer.start({
    www: {
      "": "",
      "/live":
        'function onSubscribe(client, listener) NOTE("plays ", listener.publication.name) end',
    },
    ini: `[rtmp]\nport = ${rtmp}\n[web]\nport = ${web}\n`,
  });
  await server.log.find((line) => line.includes(`HTTP server starts on TCP port ${web}`), "HTTP");
  await Deno.chmod(server.dir, 0o777); // VLC may run as another user
  return {
    server,
    rtmp: (name: string) => `rtmp://127.0.0.1:${rtmp}/live/${name}`,
    http: (name: string) => `http://127.0.0.1:${web}/live/${name}.flv?wait`,
    file: (name: string) => `${server.dir}/${name}`,
    /** Waits until a number of players play a stream. */
    players: (count: number, name: string) =>
      until(
        () => server.log.items.filter((line) => line.includes(`plays ${name}`)).length >= count,
        `${count} players of ${name}`,
      ),
  };
}

/** The server of all tests, each of which has a stream of its own. */
let all: Awaited<ReturnType<typeof serve>>;
Deno.test.beforeAll(async () => {
  all = await serve();
});
Deno.test.afterAll(() => all.server.stop());

/** VLC plays into a file until the stream ends. It refuses to run as root. */
function vlcPlays(url: string, file: string): Peer {
  const vlc = [
    ...["cvlc", "-q", "--intf", "dummy", "--no-one-instance"],
    ...["--sout", `#std{access=file,mux=ts,dst=${file}}`, "--play-and-exit", url, "vlc://quit"],
  ];
  if (Deno.uid() === 0) vlc.unshift("runuser", "-u", "nobody", "--");
  return new Peer(vlc[0], vlc.slice(1));
}

/** mpv plays until the stream ends, and writes a digest of each picture that it has decoded. */
const mpvPlays = (url: string, file: string): Peer =>
  new Peer("mpv", [
    ...["--no-config", "--really-quiet", "--no-audio"],
    ...[`--o=${file}`, "--of=framemd5", "--ovc=rawvideo", url],
  ]);

/** The digests of a file in the format of ffmpeg's framemd5. */
const digestsIn = (text: string) =>
  text.split("\n").filter((line) => /^0,/.test(line)).map((line) => line.split(",").at(-1)!.trim());

/** Digests of all decoded pictures of a file. */
async function picturesOf(file: string): Promise<string[]> {
  const args = ["-v", "error", "-i", file, "-map", "0:v", "-f", "framemd5", "-"];
  const { stdout } = await new Deno.Command("ffmpeg", { args, stderr: "null" }).output();
  return digestsIn(new TextDecoder().decode(stdout));
}

/**
 * Checks that a player has shown the publisher's pictures in order, without a gap.
 *
 * @param least minimum number of pictures: VLC drops its last second at the end of a live stream
 */
function assertSeen(seen: readonly string[], published: readonly string[], least: number): void {
  assert.ok(seen.length >= least, `${seen.length} of ${published.length} pictures`);
  const first = published.indexOf(seen[0]);
  assert.deepEqual(seen, published.slice(first, first + seen.length));
}

peerTest("VLC and mpv play a stream by RTMP and HTTP-FLV, and exit when the stream ends", [
  "ffmpeg",
  "cvlc",
  "mpv",
], async () => {
  await using vlcByRtmp = vlcPlays(all.rtmp("cam"), all.file("rtmp.ts"));
  await using vlcByHttp = vlcPlays(all.http("cam"), all.file("http.ts"));
  await using mpvByRtmp = mpvPlays(all.rtmp("cam"), all.file("rtmp.md5"));
  await using mpvByHttp = mpvPlays(all.http("cam"), all.file("http.md5"));
  await all.players(4, "cam");
  await using publisher = ffmpegPublishes(FILE, all.rtmp("cam"), PACE);
  assert.equal((await publisher.result).code, 0);
  const published = await picturesOf(FILE);
  for (const [name, peer] of Object.entries({ vlcByRtmp, vlcByHttp, mpvByRtmp, mpvByHttp })) {
    const { code, error } = await peer.result;
    assert.equal(code, 0, `${name}: ${error}`);
  }
  for (const door of ["rtmp", "http"]) {
    const pictures = (await picturesOf(all.file(`${door}.ts`))).slice(0, -1); // the last may be cut off
    assertSeen(pictures, published, published.length / 2);
    const digests = digestsIn(Deno.readTextFileSync(all.file(`${door}.md5`)));
    assertSeen(digests, published, published.length - 2);
  }
});

peerTest(
  "ffmpeg and curl get every frame of a stream by HTTP-FLV",
  ["ffmpeg", "curl"],
  async () => {
    const [played, copied] = [all.file("ffmpeg.flv"), all.file("curl.flv")];
    await using ffmpeg = new Peer("ffmpeg", [
      ...[
        "-hide_banner",
        "-nostdin",
        "-loglevel",
        "error",
        "-i",
        all.http("copied"),
        "-c",
        "copy",
        played,
      ],
    ]);
    await using curl = new Peer("curl", ["-sSf", "-o", copied, all.http("copied")]);
    await all.players(2, "copied");
    await using publisher = ffmpegPublishes(FILE, all.rtmp("copied"));
    assert.equal((await publisher.result).code, 0);
    for (const peer of [ffmpeg, curl]) {
      const { code, error } = await peer.result;
      assert.equal(code, 0, error);
    }
    assert.deepEqual(mediaOf(tagsOf(played)), mediaOf(tagsOf(FILE)));
    assert.deepEqual(mediaOf(tagsOf(copied)), mediaOf(tagsOf(FILE)));
    assert.equal(await faultsOf(copied), "");
  },
);
