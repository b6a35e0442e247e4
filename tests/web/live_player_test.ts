// LivePlayer of cumulus.js: in Chromium, and with decoders that a test drives.
import assert from "node:assert/strict";
import type { Page } from "playwright-core";
import { flvLoader, LivePlayer, NetStream } from "../../clients/js/cumulus.js";
import { FlvReader } from "../../src/flv/reader.ts";
import { TagType } from "../../src/flv/tags.ts";
import { browserPath } from "../support/browser.ts";
import { TestBrowser } from "../support/test_browser.ts";
import { until } from "../support/wait.ts";
import { live, media, startWeb } from "./support.ts";

// Functions for `evaluate` run in the page.
// deno-lint-ignore no-explicit-any
declare const document: any, player: any, globalThis: any;

const path = browserPath("LivePlayer");

/** A page of an application that plays the stream which its query names. */
const page = `<!doctype html>
<link rel="icon" href="data:,">
<canvas></canvas><button>Sound on</button>
<script type="module">
  import { connect, LivePlayer } from "/cumulus.js";
  const connection = await connect(location.origin + "/live");
  const stream = await connection.createStream();
  const canvas = document.querySelector("canvas");
  const player = globalThis.player = new LivePlayer(stream, { canvas });
  document.querySelector("button").onclick = () => player.muted = !player.muted;
  stream.play(location.search.slice(1));
</script>`;

/** The same page with mpegts.js. */
const loaderPage = `<!doctype html>
<link rel="icon" href="data:,">
<video muted></video>
<script src="/-/mpegts.js"></script>
<script type="module">
  import { connect, flvLoader } from "/cumulus.js";
  const stream = await (await connect(location.origin + "/live")).createStream();
  const customLoader = flvLoader(mpegts, stream);
  stream.play(location.search.slice(1));
  const player = mpegts.createPlayer({ type: "flv", isLive: true, url: "x" }, { customLoader });
  player.on(mpegts.Events.ERROR, (...error) => console.error(JSON.stringify(error)));
  player.attachMediaElement(document.querySelector("video"));
  player.load();
  player.play();
</script>`;

const shown = (page: Page) =>
  page.evaluate(() => {
    const canvas = document.querySelector("canvas")!;
    const { width, height } = canvas;
    let hash = 0;
    for (const byte of canvas.getContext("2d")!.getImageData(0, 0, width, height).data) {
      hash = (Math.imul(hash, 31) + byte) | 0;
    }
    const { currentTime, delay, muted, statistics } = player;
    return { width, height, hash, currentTime, delay, muted, ...statistics };
  });

Deno.test({
  name:
    "LivePlayer of cumulus.js plays through WebCodecs, and flvLoader through mpegts.js, in Chromium",
  ignore: path === undefined,
  sanitizeOps: false,
  sanitizeResources: false,
  async fn(t) {
    const { server, http, ws } = await startWeb({
      "": "",
      "/live": 'function onUnpublish() NOTE("unpublished") end',
      "www/live/web/player.html": page,
      "www/live/web/loader.html": loaderPage,
    });
    try {
      await using browser = await TestBrowser.launch(path);
      const open = async (url: string) => {
        const opened = await browser.newPage();
        opened.on("console", (message) => {
          if (message.type() === "error") browser.problems.push(message.text());
        });
        await opened.goto(url);
        return opened;
      };
      let publisher = await live(ws, "cam");
      const viewer = await open(`${http}/live/player.html?cam`);
      await viewer.waitForFunction(() => globalThis.player?.statistics.pictures > 5);

      await t.step("the player shows changing pictures close behind the publisher", async () => {
        const before = await shown(viewer);
        assert.deepEqual([before.width, before.height], [320, 180]);
        await until(
          async () => (await shown(viewer)).currentTime > before.currentTime + 1,
          "a second",
        );
        const after = await shown(viewer);
        assert.notEqual(after.hash, before.hash, "the picture stands still");
        assert.ok(after.delay < 1, `${after.delay} s behind`);
        assert.deepEqual([after.muted, after.sounds], [true, 0]);
      });

      await t.step("the player plays sound once the user unmutes it", async () => {
        await viewer.click("button");
        await until(async () => (await shown(viewer)).sounds > 20, "sounds");
        await viewer.click("button");
        await until(async () => (await shown(viewer)).muted, "silence");
      });

      await t.step("the player jumps to the live position after its page was busy", async () => {
        const before = await shown(viewer);
        await viewer.evaluate(() => {
          const end = performance.now() + 2500;
          while (performance.now() < end);
        });
        await until(async () => {
          const { currentTime, delay } = await shown(viewer);
          return currentTime > before.currentTime + 2 && delay < 1;
        }, "the stream of now");
      });

      await t.step("the player of a late viewer shows a picture at once", async () => {
        const late = await open(`${http}/live/player.html?cam`);
        await late.waitForFunction(() => globalThis.player?.statistics.pictures > 5);
        const { delay } = await shown(late);
        assert.ok(delay < 1, `${delay} s behind`);
        await late.evaluate(() => player.close());
        const { pictures } = await shown(late);
        await until(async () => (await shown(viewer)).pictures > pictures, "the other's pictures");
        assert.equal((await shown(late)).pictures, pictures, "it is closed");
        await late.close();
      });

      await t.step("the player continues when the publisher returns", async () => {
        const from = server.log.items.length;
        publisher.stop();
        await server.log.find((line) => line.includes("unpublished"), "the publisher's end", from);
        const { pictures } = await shown(viewer);
        publisher = await live(ws, "cam");
        await until(async () => {
          const now = await shown(viewer);
          return now.pictures > pictures + 20 && now.delay < 1;
        }, "the new stream");
      });

      await t.step("flvLoader plays the same stream through mpegts.js", async () => {
        const other = await open(`${http}/live/loader.html?cam`);
        const time = () => other.evaluate(() => document.querySelector("video")!.currentTime);
        await until(async () => await time() > 0.5, "the picture");
        const before = await time();
        await until(async () => await time() > before + 0.5, "time");
        await other.close();
      });
      publisher.stop();
      assert.deepEqual(browser.problems, []);
    } finally {
      await server.stop();
    }
  },
});

/** A decoder that decodes on request, and keeps its input. */
class SlowDecoder {
  static all: SlowDecoder[] = [];
  readonly chunks: Chunk[] = [];
  decodeQueueSize = 0;
  state = "unconfigured";
  config: { codec: string } | undefined;

  constructor(readonly init: { output(frame: unknown): void; error(error: Error): void }) {
    SlowDecoder.all.push(this);
  }

  configure(config: { codec: string }): void {
    this.config = config;
    this.state = "configured";
  }

  decode(chunk: Chunk): void {
    this.chunks.push(chunk);
    this.decodeQueueSize++;
  }

  close(): void {
    this.state = "closed";
  }
}

class Chunk {
  readonly type: string;
  readonly timestamp: number;

  constructor(init: { type: string; timestamp: number }) {
    this.type = init.type;
    this.timestamp = init.timestamp;
  }
}

/** A player with such decoders, and a stream that a test feeds. */
function slowPlayer() {
  SlowDecoder.all = [];
  const classes = {
    VideoDecoder: SlowDecoder,
    AudioDecoder: SlowDecoder,
    EncodedVideoChunk: Chunk,
    EncodedAudioChunk: Chunk,
  };
  Object.assign(globalThis, classes);
  const stream = new NetStream(null!, 1, { write() {}, waiting: () => 0, close() {} });
  const player = new LivePlayer(stream);
  const errors: string[] = [];
  player.addEventListener("error", (event) => {
    errors.push((event as CustomEvent).detail.message);
  });
  return {
    player,
    errors,
    video: (time: number, payload: Uint8Array) => stream.receive(TagType.video, time, payload),
    audio: (time: number, payload: Uint8Array) => stream.receive(TagType.audio, time, payload),
    [Symbol.dispose]: () => {
      player.close();
      for (const name of Object.keys(classes)) Reflect.deleteProperty(globalThis, name);
    },
  };
}

const header = media.find(({ type, data }) => type === TagType.video && data[1] === 0)!.data;
const picture = (isKey: boolean, offset = 0) =>
  Uint8Array.of(isKey ? 0x17 : 0x27, 1, 0, 0, offset, 0, 0, 0, 1, 9);

Deno.test("LivePlayer begins with a key frame, and passes codec and times to the decoder", () => {
  using all = slowPlayer();
  assert.equal(LivePlayer.isSupported, true);
  all.video(0, header);
  all.video(0, picture(false));
  assert.equal(SlowDecoder.all.length, 0);
  all.video(40, picture(true, 80));
  all.video(80, picture(false));
  const [decoder] = SlowDecoder.all;
  assert.match(decoder.config!.codec, /^avc1\.[\da-f]{6}$/);
  assert.deepEqual(decoder.chunks.map(({ type, timestamp }) => [type, timestamp]), [
    ["key", 120_000],
    ["delta", 80_000],
  ]);
  all.video(120, header); // encoders send it again and again
  all.video(120, picture(false));
  assert.equal(decoder.chunks.length, 3);
  assert.equal(all.player.statistics.dropped, 1);
});

Deno.test("LivePlayer drops queued frames of a slow decoder, and continues at a key frame", () => {
  using all = slowPlayer();
  all.video(0, header);
  all.video(0, picture(true));
  for (let i = 1; i <= 700; i++) all.video(i, picture(false));
  const [first] = SlowDecoder.all;
  assert.equal(first.chunks.length, 601, "frames received together at the start are decoded");
  all.video(800, picture(true));
  all.video(840, picture(false));
  assert.equal(first.state, "closed");
  assert.deepEqual(SlowDecoder.all[1].chunks.map(({ timestamp }) => timestamp), [800_000, 840_000]);
  assert.equal(all.player.statistics.dropped, 701);
});

Deno.test("LivePlayer passes no truncated frame to the decoder", () => {
  using slow = slowPlayer();
  slow.video(0, header);
  const [first, second] = [0x91, 0xa1]; // coded frames of "avc1": a key frame, and one in between
  const avc1 = [..."avc1"].map((letter) => letter.charCodeAt(0));
  for (let length = 0; length < 3; length++) {
    slow.video(0, Uint8Array.of(first, ...avc1, ...Array(length).fill(0)));
  }
  assert.equal(SlowDecoder.all.length, 0);
  slow.video(40, Uint8Array.of(first, ...avc1, 0, 0, 80, 1));
  slow.video(80, Uint8Array.of(second, ...avc1, 0xff, 0xff, 0xd8, 1));
  const times = SlowDecoder.all.flatMap(({ chunks }) => chunks.map(({ timestamp }) => timestamp));
  assert.deepEqual(times, [120_000, 40_000]);
});

Deno.test("LivePlayer continues at the key frame after a broken one, and names unsupported codecs", () => {
  using all = slowPlayer();
  all.video(0, header);
  all.video(0, picture(true));
  const [first] = SlowDecoder.all;
  first.init.error(new DOMException("broken", "EncodingError"));
  all.video(40, picture(false));
  assert.equal(SlowDecoder.all.length, 1);
  all.video(80, picture(true));
  assert.equal(SlowDecoder.all[1].chunks.length, 1);
  assert.deepEqual(all.errors, []);
  SlowDecoder.all[1].init.error(new DOMException("no", "NotSupportedError"));
  all.audio(80, Uint8Array.of(0x6a, 1, 2, 3));
  all.audio(90, Uint8Array.of(0x6a, 1, 2, 3));
  all.video(90, Uint8Array.of(0x91, 0x68, 0x76, 0x63, 0x31, 0));
  assert.equal(all.errors.length, 3);
  assert.match(all.errors[0], /^avc1\.\w+ cannot be played$/);
  assert.deepEqual(all.errors.slice(1), ["Nellymoser cannot be played", "hvc1 cannot be played"]);
});

Deno.test("NetStream of cumulus.js reports the class missing in an object of AMF3", () => {
  const stream = new NetStream(null!, 1, { write() {}, waiting: () => 0, close() {} });
  const reference = Uint8Array.of(0, 0x11, 0x0a, 0x05); // to the second of no classes
  assert.throws(
    () => stream.receive(15, 0, reference),
    { name: "RangeError", message: "Cannot find class 1 of 0" },
  );
});

Deno.test("flvLoader keeps frames received before open, and names their kinds in its header", async () => {
  for (const kinds of [[TagType.video, TagType.audio], [TagType.audio]] as TagType[][]) {
    let bytes = new Uint8Array();
    const headerCame = Promise.withResolvers<void>();
    const mpegts = {
      LoaderStatus: { kBuffering: 2, kComplete: 4 },
      BaseLoader: class {
        destroy() {}
        _onDataArrival(chunk: ArrayBuffer, at: number) {
          assert.equal(at, bytes.length);
          bytes = Uint8Array.of(...bytes, ...new Uint8Array(chunk));
          headerCame.resolve();
        }
      },
    };
    const stream = new NetStream(null!, 1, { write() {}, waiting: () => 0, close() {} });
    const loader = new (flvLoader(mpegts, stream))();
    const expected = media.filter(({ type }) => kinds.includes(type)).slice(0, 6);
    const send = (tags: typeof expected) => {
      for (const { type, timestamp, data } of tags) stream.receive(type, timestamp, data);
    };
    send(expected.slice(0, 3));
    assert.equal(bytes.length, 0);
    loader.open();
    send(expected.slice(3));
    await headerCame.promise;
    const tags = new FlvReader().push(bytes);
    assert.equal(bytes[4], kinds.length === 2 ? 5 : 4, "flags");
    assert.deepEqual(
      tags.map(({ type, timestamp, data }) => [type, timestamp, data]),
      expected.map(({ type, timestamp, data }) => [type, timestamp, data]),
    );
    loader.destroy();
    send(expected);
    assert.equal(new FlvReader().push(bytes).length, expected.length);
  }
});
