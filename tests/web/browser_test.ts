// The pages of the web door in a real browser.

import assert from "node:assert/strict";
import type { Page } from "playwright-core";
import { Writer } from "../../src/bytes/writer.ts";
import { flvHeader, flvTag } from "../../src/flv/tags.ts";
import { browserPath } from "../support/browser.ts";
import { TestBrowser } from "../support/test_browser.ts";
import { until } from "../support/wait.ts";
import { live, LOOP, media, publish, startWeb } from "./support.ts";

// Functions for `evaluate` run in the page.
// deno-lint-ignore no-explicit-any
declare const document: any;

const path = browserPath("pages of the web door");

const LOOPS = 120;

/** The recording in a loop of 10 min, more than a player loads ahead. */
function longFile(): Uint8Array {
  const [headers, frames] = [media.slice(0, 2), media.slice(2)];
  const parts = [flvHeader(true, true), ...headers.map(flvTag)];
  for (let loop = 0; loop < LOOPS; loop++) {
    for (const tag of frames) {
      parts.push(flvTag({ ...tag, timestamp: loop * LOOP + tag.timestamp }));
    }
  }
  const to = new Writer(24 << 20);
  for (const part of parts) to.bytes(part);
  return to.view();
}

/** State of the page's video. */
const shown = (page: Page) =>
  page.evaluate(() => {
    const video = document.querySelector("video")!;
    const canvas = document.createElement("canvas");
    [canvas.width, canvas.height] = [32, 18];
    const context = canvas.getContext("2d")!;
    context.drawImage(video, 0, 0, 32, 18);
    const pixels = context.getImageData(0, 0, 32, 18).data;
    let hash = 0;
    for (const byte of pixels) hash = (Math.imul(hash, 31) + byte) | 0;
    const { currentTime, buffered } = video;
    const end = buffered.length > 0 ? buffered.end(buffered.length - 1) : 0;
    return { currentTime, hash, delay: end - currentTime };
  });

Deno.test({
  name: "the pages of the web door play streams and recordings, and carry a chat, in Chromium",
  ignore: path === undefined,
  sanitizeOps: false,
  sanitizeResources: false,
  async fn(t) {
    const chat = Deno.readTextFileSync(new URL("../../www/chat/main.lua", import.meta.url));
    const page = (name: string) =>
      Deno.readTextFileSync(new URL(`../../www/chat/web/${name}`, import.meta.url));
    const { server, http, ws } = await startWeb({
      "": "",
      "/live": "",
      "/closed": `function onSubscribe() error("not for you") end`,
      "/chat": chat,
      ...Object.fromEntries(
        ["index.html", "chat.js", "chat.css"].map((name) => [`www/chat/web/${name}`, page(name)]),
      ),
    }, "origins = http://other.example\n");
    try {
      await using browser = await TestBrowser.launch(path);
      const open = async (url: string) => {
        const opened = await browser.newPage();
        await opened.goto(url);
        return opened;
      };

      await t.step("the player shows a changing stream with less than 2 s of delay", async () => {
        const publisher = await live(ws, "cam");
        const player = await open(`${http}/live/cam`);
        await until(async () => (await shown(player)).currentTime > 0.5, "the picture");
        const before = await shown(player);
        await until(async () => (await shown(player)).currentTime > before.currentTime + 1, "time");
        const after = await shown(player);
        assert.notEqual(after.hash, before.hash, "the picture stands still");
        assert.ok(after.delay < 2, `${after.delay} s behind`);
        assert.equal(await player.textContent("#name"), "cam");
        const line = await player.inputValue("#embed");
        assert.match(line, /^<iframe src="http:\/\/127\.0\.0\.1:\d+\/live\/cam\?embed" /);
        await player.click("summary");
        const [copy, field] = await Promise.all(
          ["#copy", "#embed"].map((id) => player.locator(id).boundingBox()),
        );
        assert.ok(copy!.x > field!.x + field!.width && copy!.y < field!.y + field!.height);
        await player.click("summary");
        const framed = await open(`${http}/-/list.css`);
        await framed.setContent(line);
        await framed.frameLocator("iframe").locator("body.small video").waitFor();
        await framed.close();
        await player.click("#sound");
        assert.equal(await player.evaluate(() => document.querySelector("video")!.muted), false);
        await server.log.find((line) => line.includes("2 clients"), "publisher and player");
        const from = server.log.items.length; // "1 client" may stand above, from before the player
        publisher.stop();
        await server.log.find((line) => line.includes("1 client"), "the publisher's end", from);
        const again = await live(ws, "cam");
        const stood = (await shown(player)).currentTime;
        await until(async () => {
          const { currentTime } = await shown(player);
          return currentTime > stood + 1 || (currentTime > 0.5 && currentTime < stood - 1);
        }, "the stream of the publisher that came again");
        again.stop();
        await player.close();
      });

      await t.step("the player shows an error for an absent stream, and retries", async () => {
        const player = await open(`${http}/live/absent`);
        await until(
          async () => (await player.textContent("#message"))?.includes("not live"),
          "the message",
        );
        const publisher = await live(ws, "absent");
        await until(async () => (await shown(player)).currentTime > 0.3, "the picture");
        publisher.stop();
        await player.close();
      });

      await t.step("the player seeks in a recording, by ranges of it", async () => {
        const folder = `${server.dir}/www/live/streams`;
        Deno.mkdirSync(folder);
        Deno.writeFileSync(`${folder}/film.flv`, longFile());
        const ranges: string[] = [];
        const player = await browser.newPage();
        player.on("request", (request) => {
          const range = request.headers().range;
          if (request.url().includes("film.flv") && range) ranges.push(range);
        });
        await player.goto(`${http}/live/film?recorded`);
        await until(async () => (await shown(player)).currentTime > 0.3, "the picture");
        const length = await player.evaluate(() => document.querySelector("video")!.duration);
        assert.ok(Math.abs(length - LOOPS * LOOP / 1_000) < 1, `${length} s`);
        assert.equal(await player.title(), "film");
        const target = 500;
        await player.fill("#seek", String(target));
        await until(
          async () => (await shown(player)).currentTime > target + 0.5,
          "the sought position",
        );
        assert.ok(ranges.some((range) => /^bytes=[1-9]\d{6}/.test(range)), ranges.join());
        await player.close();
      });

      await t.step("the player of a stream that is not live shows its recording", async () => {
        const player = await open(`${http}/live/film`);
        await player.waitForURL(/\/live\/film\?recorded/);
        await until(async () => (await shown(player)).currentTime > 0.3, "the picture");
        assert.equal(await player.isVisible("#seek"), true);
        assert.equal(await player.isVisible("#live"), false);
        assert.match(await player.inputValue("#embed"), /\/live\/film\?recorded&embed"/);
        await player.close();
      });

      await t.step("the player shows the reason of a refusal", async () => {
        const publisher = await publish(`${ws}/closed`, "secret");
        const player = await open(`${http}/closed/secret`);
        await player.getByText("You may not watch this stream: not for you.").waitFor();
        publisher.connection.close();
        await player.close();
      });

      await t.step(
        "the chat page carries messages of two users, and shows markup as text",
        async () => {
          const enter = async (name: string) => {
            const person = await open(`${http}/chat/`);
            await person.fill("#name", name);
            await person.click("#enter button");
            await person.waitForSelector("#room:not([hidden])");
            return person;
          };
          const anna = await enter("Anna");
          const bert = await enter("Bert");
          await until(
            async () => (await anna.textContent("#said"))?.includes("Bert has come"),
            "Bert",
          );
          await bert.fill("#text", "<img src=x onerror=alert(1)> hello");
          await bert.click("#say button");
          const text = await until(async () => {
            const said = await anna.textContent("#said");
            return said?.includes("hello") ? said : undefined;
          }, "the text");
          assert.ok(text.includes("<img src=x onerror=alert(1)> hello"));
          assert.equal(await anna.textContent("#people"), "Anna, Bert");
          const third = await open(`${http}/chat/`);
          await third.fill("#name", "Anna");
          await third.click("#enter button");
          await until(
            async () => (await third.textContent("#problem"))?.includes("called Anna already"),
            "the refusal",
          );
        },
      );

      await t.step("the web door refuses the WebSocket of a page from another origin", async () => {
        const publisher = await live(ws, "mine");
        const page = await open(`${http}/-/list.css`);
        const outcome = await page.evaluate(async (url) => {
          const frame = document.createElement("iframe");
          frame.sandbox.add("allow-scripts"); // gives it an opaque origin: "null"
          frame.srcdoc = `<script>
            const socket = new WebSocket(${JSON.stringify(url.replace("http", "ws"))});
            socket.onopen = () => parent.postMessage("open", "*");
            socket.onclose = () => parent.postMessage("closed", "*");
          </script>`;
          const message = new Promise((resolve) =>
            addEventListener("message", (event) => resolve((event as MessageEvent).data))
          );
          document.documentElement.append(frame);
          return await message;
        }, `${http}/live/mine.flv`);
        assert.equal(outcome, "closed");
        publisher.stop();
      });
      assert.deepEqual(browser.problems, []);
    } finally {
      await server.stop();
    }
  },
});
