// The application that records publications, and its page.
import assert from "node:assert/strict";
import { FlvReader } from "../../src/flv/reader.ts";
import { TagType } from "../../src/flv/tags.ts";
import { until } from "../support/wait.ts";
import { media, publish, startWeb } from "../web/support.ts";

const read = (path: string) =>
  Deno.readTextFileSync(new URL(`../../www/vod/${path}`, import.meta.url));
const FILES = ["main.lua", "web/index.html", "web/vod.js", "web/vod.css"];

Deno.test("www/vod records, lists and plays a publication", async () => {
  const files = Object.fromEntries(FILES.map((path) => [`www/vod/${path}`, read(path)]));
  const { server, http, ws } = await startWeb({ "": "", ...files }, "list = on\n");
  try {
    const publisher = await publish(`${ws}/vod`, "cam");
    publisher.send(media);
    const playing = await fetch(`${http}/vod/cam.flv?wait`);
    await playing.body!.cancel(); // the first bytes have arrived
    await until(async () => {
      const [{ viewers }] = await (await fetch(`${http}/-/streams`)).json();
      return viewers === 0; // the recorder is a listener, but no viewer
    }, "no viewer in the list");
    publisher.connection.close();
    await server.logged(/Recorded cam/);
    const [one] = await until(async () => {
      const list = await (await fetch(`${http}/-/recordings/vod`)).json();
      return list.length > 0 && list[0].size > 100_000 ? list : undefined;
    }, "the recording in the list");
    assert.equal(one.name, "cam");
    const bytes = new Uint8Array(await (await fetch(`${http}/vod/cam.flv`)).arrayBuffer());
    const frames = new FlvReader().push(bytes).filter(({ type }) => type !== TagType.data);
    assert.equal(frames.length, media.length);
    assert.match(await (await fetch(`${http}/vod/`)).text(), /<h1>Recordings<\/h1>/);
    const none = await fetch(`${http}/-/recordings/..%2f`);
    assert.equal(none.status, 404);
    await none.body?.cancel();
  } finally {
    await server.stop();
  }
});

Deno.test("www/vod requires the configured key for publishing", async () => {
  const script = read("main.lua").replace("local key = nil", 'local key = "secret"');
  const { server, ws } = await startWeb({ "/vod": script });
  try {
    await assert.rejects(publish(`${ws}/vod`, "cam"), /publishing needs the key/);
    const publisher = await publish(`${ws}/vod`, "cam?key=secret");
    publisher.connection.close();
  } finally {
    await server.stop();
  }
});
