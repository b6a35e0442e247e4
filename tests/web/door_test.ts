// The web door of a real server: streams, sockets, remoting and pages.

import assert from "node:assert/strict";
import { connect, CumulusError } from "../../clients/js/cumulus.js";
import { encodeAmf0 } from "../../src/amf/mod.ts";
import { Writer } from "../../src/bytes/writer.ts";
import { toUtf8 } from "../../src/bytes/text.ts";
import { type FlvTag, TagType } from "../../src/flv/tags.ts";
import { freePort } from "../support/ports.ts";
import { until } from "../support/wait.ts";
import { media, publish, readTags, remotingPacket, startWeb } from "./support.ts";

const LIVE = `
function onConnection(client, name)
  if name == "bad" then error("no bad names") end
  function client:add(a, b) return a + b end
  function client:fail() error("it cannot be done") end
  function client:callMe() client.writer:writeAMFMessage("called", {x = 1}, "ä") end
end
function onSubscribe(client, listener)
  INFO("subscribes by " .. client.protocol .. " " .. tostring(listener.properties.token))
  if listener.properties.token == "wrong" then error("wrong token") end
  if listener.properties.token == "short" then
    cumulus:setTimeout(100, function() listener:close() end)
  end
end
function onUnsubscribe(client, listener)
  INFO("ended " .. listener.publication.name)
end
`;
const port = freePort();
const GATE = `
server = cumulus:createTCPServer()
function server:onConnection(client)
  function client:onReception(data) self:send(data:upper()) return 0 end
end
server:start(${port})
`;

const { server, http, ws } = await startWeb({
  "": "",
  "/live": LIVE,
  "/gate": GATE,
  "www/live/web/index.html": "<h1>A page</h1>",
  "www/live/web/deep/a.css": "p { color: red }",
  "www/live/web/.secret": "hidden",
}, `origins = http://good.example\nsockets = ${port}\nlist = on\n`);
const bytesOf = (tags: readonly FlvTag[]) => tags.reduce((sum, { data }) => sum + data.length, 0);

/** Frames up to this time (ms) are sent at once; the rest later. */
const part = (until: number, from = -1) =>
  media.filter(({ timestamp }) => timestamp > from && timestamp <= until);

Deno.test({
  name: "the web door serves streams, sockets, remoting and pages",
  sanitizeOps: false,
  sanitizeResources: false,
  async fn(t) {
    try {
      await t.step(
        "the web door sends an HTTP-FLV viewer headers and a key frame first, then every published frame",
        async () => {
          const publisher = await publish(`${ws}/live`, "a");
          const response = await fetch(`${http}/live/a.flv?token=t`);
          assert.equal(response.status, 200);
          assert.equal(response.headers.get("content-type"), "video/x-flv");
          assert.equal(response.headers.get("cache-control"), "no-store");
          publisher.send(part(2000));
          const expected = part(2000);
          const tags = await readTags(response.body!, (tags) => bytesOf(tags) >= bytesOf(expected));
          assert.deepEqual(
            tags.map(({ data }) => data.length),
            expected.map(({ data }) => data.length),
          );
          for (const [i, { type, data }] of tags.entries()) {
            assert.equal(type, expected[i].type);
            assert.deepEqual(data, expected[i].data);
          }
          await server.log.find((line) => line.includes("subscribes by http t"), "onSubscribe");
          publisher.connection.close();
        },
      );

      await t.step(
        "the web door ends the HTTP-FLV response of a viewer that a script stops",
        async () => {
          const publisher = await publish(`${ws}/live`, "short");
          const response = await fetch(`${http}/live/short.flv?token=short`);
          publisher.send(part(500));
          await server.log.find((line) => line.includes("ended short"), "onUnsubscribe");
          for await (const _ of response.body!) { /* until it ends */ }
          publisher.connection.close();
        },
      );

      await t.step(
        "the web door refuses HTTP-FLV of a stream without a publisher, or waits for it with ?wait",
        async () => {
          const absent = await fetch(`${http}/live/b.flv`);
          assert.equal(absent.status, 404);
          assert.equal(await absent.text(), "No publisher of b\n");
          const waiting = fetch(`${http}/live/b.flv?wait`);
          await server.log.find((line) => line.includes("subscribes by http nil"), "the viewer");
          const publisher = await publish(`${ws}/live`, "b");
          publisher.send(part(1000));
          const tags = await readTags((await waiting).body!, (tags) => tags.length >= 5);
          assert.ok(tags.length >= 5);
          publisher.connection.close();
        },
      );

      await t.step(
        "the web door continues an HTTP-FLV viewer with a returning publisher at increasing times (WEB-021)",
        async () => {
          const first = await publish(`${ws}/live`, "c");
          const response = await fetch(`${http}/live/c.flv`);
          const all: FlvTag[] = [];
          const reading = readTags(response.body!, (tags) => {
            all.splice(0, all.length, ...tags);
            return bytesOf(tags) >= bytesOf(part(1000)) + bytesOf(part(500));
          });
          first.send(part(1000));
          await until(() => bytesOf(all) >= bytesOf(part(1000)), "the first part");
          first.connection.close();
          await until(async () => {
            try {
              const second = await publish(`${ws}/live`, "c");
              second.send(part(500));
              return true;
            } catch (error) {
              if (error instanceof CumulusError) return false; // the first publisher has not left yet
              throw error;
            }
          }, "the second publisher");
          const tags = (await reading).filter(({ type }) => type === TagType.video);
          assert.ok(
            tags.every(({ timestamp }, i) => i === 0 || timestamp >= tags[i - 1].timestamp),
          );
        },
      );

      await t.step(
        "the web door sends the same bytes over WebSocket-FLV as over HTTP-FLV",
        async () => {
          const publisher = await publish(`${ws}/live`, "d");
          const socket = new WebSocket(`${ws}/live/d.flv`);
          socket.binaryType = "arraybuffer";
          const messages = new ReadableStream<Uint8Array>({
            start(controller) {
              socket.onmessage = ({ data }) => controller.enqueue(new Uint8Array(data));
            },
          });
          await new Promise((resolve) => socket.onopen = resolve);
          publisher.send(part(1000));
          const tags = await readTags(messages, (tags) => bytesOf(tags) >= bytesOf(part(1000)));
          assert.deepEqual(tags.map(({ data }) => data), part(1000).map(({ data }) => data));
          socket.close();
          publisher.connection.close();
        },
      );

      await t.step(
        "the web door refuses invalid requests with a status code and a sentence",
        async () => {
          const publisher = await publish(`${ws}/live`, "e");
          const of = async (path: string, init?: RequestInit) => {
            const response = await fetch(`${http}${path}`, init);
            const body = await response.text();
            return `${response.status} ${body.trim()}`;
          };
          assert.equal(await of("/live/e.flv?token=wrong"), "403 wrong token");
          assert.equal(await of("/nowhere/e.flv"), "404 Application /nowhere doesn't exist");
          const foreign = { headers: { origin: "http://evil.example" } };
          assert.match(
            await of("/live/e.flv", foreign),
            /^403 \[web\] origins does not allow pages of http:\/\/evil\.example/,
          );
          assert.match(await of("/live/e.flv", { method: "PUT" }), /^405 /);
          assert.match(await of("/rtws"), /^426 /);
          assert.match(await of("/rtws", foreign), /^403 /);
          assert.match(await of("/tcp/1"), /^404 This port is not in \[web\] sockets/);
          for (
            const path of [
              "/live/..%2fmain.lua",
              "/live/%2e%2e/main.lua",
              "/live/..%5cmain.lua",
              "/live/%00.flv",
              "/live//e.flv",
              "/live/.secret",
              "/live/web/../main.lua",
              "/live/%c0%ae%c0%ae/main.lua",
              "/live/deep/..%252f..%252fmain.lua/",
              `/${"a".repeat(9000)}.flv`,
            ]
          ) {
            const answer = await of(path);
            assert.ok(!answer.includes("onConnection"), `${path}: ${answer}`);
            assert.match(answer, /^(404|431|200 <!doctype)/, path);
          }
          const head = await fetch(`${http}/live/e.flv`, { method: "HEAD" });
          assert.equal(head.status, 200);
          await server.log.find(
            (line) => line.includes("ended e"),
            "the end of the viewer by HEAD",
          );
          const headOf = async (path: string) =>
            (await fetch(`${http}${path}`, { method: "HEAD" })).status;
          assert.equal(await headOf("/live/e.flv?token=wrong"), 403);
          assert.equal(await headOf("/nowhere/e.flv"), 404);
          assert.equal(await headOf("/live/absent.flv"), 404);
          const options = await fetch(`${http}/live/e.flv`, {
            method: "OPTIONS",
            headers: { origin: "http://good.example" },
          });
          assert.equal(options.status, 204);
          assert.equal(options.headers.get("access-control-allow-origin"), "http://good.example");
          publisher.connection.close();
        },
      );

      await t.step(
        "the web door carries calls both ways over RTWebSocket, and the reason of a refusal",
        async () => {
          const connection = await connect(`${ws}/live`, "good");
          assert.equal(await connection.call("add", 1, 2), 3);
          await assert.rejects(connection.call("fail"), /it cannot be done/);
          await assert.rejects(connection.call("nothing"), /not found/);
          const called = new Promise<unknown[]>((resolve) => {
            connection.client.called = (...values: unknown[]) => resolve(values);
          });
          await connection.call("callMe");
          const [object, text] = await called;
          assert.deepEqual({ ...object as object }, { x: 1 });
          assert.equal(text, "ä");
          connection.close();
          await assert.rejects(connect(`${ws}/live`, "bad"), /no bad names/);
          await assert.rejects(connect(`${ws}/nowhere`), /doesn't exist/);
        },
      );

      await t.step(
        "the web door answers remoting calls by POST, and keeps a client's state by a cookie",
        async () => {
          const post = (packet: Uint8Array<ArrayBuffer>, cookie = "") =>
            fetch(`${http}/live`, {
              method: "POST",
              headers: { "content-type": "application/x-amf", cookie },
              body: packet,
            });
          const first = await post(remotingPacket("add", 2, 3));
          assert.equal(first.status, 200);
          assert.equal(first.headers.get("content-type"), "application/x-amf");
          const cookie = first.headers.get("set-cookie")!.split(";")[0];
          assert.deepEqual(
            new Uint8Array(await first.arrayBuffer()),
            remotingResult("/1/onResult", 5),
          );
          const second = await post(remotingPacket("add", 20, 30), cookie);
          assert.equal(second.headers.get("set-cookie"), null, "the same client");
          assert.deepEqual(
            new Uint8Array(await second.arrayBuffer()),
            remotingResult("/1/onResult", 50),
          );
          const failed = new TextDecoder().decode(
            await (await post(remotingPacket("fail"), cookie)).bytes(),
          );
          assert.match(failed, /\/1\/onStatus.*it cannot be done/s);
          const broken = await post(Uint8Array.of(0, 0, 0, 9, 1), cookie);
          assert.equal(broken.status, 400);
          await broken.body?.cancel();
        },
      );

      await t.step(
        "the web door carries binary and text messages of WebSockets to scripts' TCP servers (WEB-407)",
        async () => {
          await (await connect(`${ws}/gate`)).call("x").catch(() => {}); // starts the application
          const socket = new WebSocket(`${ws}/tcp/${port}`);
          socket.binaryType = "arraybuffer";
          const answer = new Promise((resolve) => socket.onmessage = ({ data }) => resolve(data));
          await new Promise((resolve) => socket.onopen = resolve);
          socket.send(toUtf8("flash"));
          assert.equal(new TextDecoder().decode(await answer as ArrayBuffer), "FLASH");
          socket.close();
          const texts = new WebSocket(`${ws}/tcp/${port}`);
          const text = new Promise((resolve) => texts.onmessage = ({ data }) => resolve(data));
          await new Promise((resolve) => texts.onopen = resolve);
          texts.send("text");
          assert.equal(await text, "TEXT");
          texts.close();
        },
      );

      await t.step(
        "the web door serves pages with types and ETags, and redirects folders to a slash",
        async () => {
          const page = await fetch(`${http}/live/`);
          assert.equal(page.headers.get("content-type"), "text/html; charset=utf-8");
          assert.equal(await page.text(), "<h1>A page</h1>");
          const etag = page.headers.get("etag")!;
          const again = await fetch(`${http}/live/`, { headers: { "if-none-match": etag } });
          assert.equal(again.status, 304);
          const style = await fetch(`${http}/live/deep/a.css`);
          assert.equal(style.headers.get("content-type"), "text/css; charset=utf-8");
          await style.body?.cancel();
          const folder = await fetch(`${http}/live`, { redirect: "manual" });
          assert.equal(folder.status, 308);
          assert.equal(folder.headers.get("location"), "/live/");
          await folder.body?.cancel();
          Deno.symlinkSync("../main.lua", `${server.dir}/www/live/web/out.lua`);
          const out = await fetch(`${http}/live/out.lua`);
          assert.ok(!(await out.text()).includes("onConnection"), "a link led out of the folder");
        },
      );

      await t.step("the page / lists live streams, and /app/name shows the player", async () => {
        const publisher = await publish(`${ws}/live`, "on air");
        const streams = await (await fetch(`${http}/-/streams`)).json();
        assert.ok(
          streams.some((one: { path: string; name: string }) =>
            one.path === "/live" && one.name === "on air"
          ),
        );
        const player = await (await fetch(`${http}/live/on%20air`)).text();
        assert.match(player, /<video/);
        let size = player.length;
        for (const [, path] of player.matchAll(/(?:src|href)="(\/-\/[^"]+)"/g)) {
          const part = await fetch(`${http}${path}`);
          assert.equal(part.status, 200, path);
          size += (await part.bytes()).length;
        }
        assert.ok(size > 200_000 && size <= 400_000, `${size} bytes to load the page`);
        publisher.connection.close();
      });
    } finally {
      await server.stop();
    }
  },
});

function remotingResult(target: string, value: number): Uint8Array {
  const body = encodeAmf0(value);
  const to = new Writer(64).u16(0).u16(0).u16(1).u16(target.length).bytes(toUtf8(target));
  return to.u16(0).u32(body.length).bytes(body).copy();
}
