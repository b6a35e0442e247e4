import assert from "node:assert/strict";
import { FlvReader, TagType } from "../../src/client/flv.ts";
import { sleep } from "../conformance/support/inbox.ts";
import { Peer } from "../conformance/support/peer.ts";
import { TestServer } from "../conformance/support/test_server.ts";

const root = new URL("../../", import.meta.url);
const flv = Deno.readFileSync(new URL("tests/media/test.flv", root));
const script = Deno.readTextFileSync(new URL("www/video/main.lua", root));

/** 20 unless told; CI has the time for more, and for a minute. */
const listeners = Number(Deno.env.get("VIDEO_LISTENERS") ?? 20);
const seconds = Number(Deno.env.get("VIDEO_SECONDS") ?? 9);

Deno.test(`www/video: ${listeners} clients see a file in a loop, in time and without a gap`, async () => {
  const server = await TestServer.prepare({
    www: { "": "", "/video": script },
    ini: "[video]\nfiles = test, missing\n",
  });
  Deno.writeFileSync(`${server.dir}/www/video/test.flv`, flv);
  const peers: Peer[] = [];
  try {
    await server.run();
    const first = await Peer.connect(server.url("/video"));
    peers.push(first);
    const began = Date.now();
    await server.logged(/^ERROR .*missing\.flv/);
    const watching = [await first.play("test")];
    while (watching.length < listeners) {
      const peer = await Peer.connect(server.url("/video"));
      peers.push(peer);
      watching.push(await peer.play("test"));
    }
    await assert.rejects(first.publish("mine"), /Nobody publishes here/);
    await sleep(seconds * 1000 - (Date.now() - began));
    const now = Date.now() - began;
    for (const { packets } of watching) {
      const video = packets.items.filter(({ kind, data }) => kind === "video" && data[1] === 1);
      const times = video.map(({ time }) => time);
      for (let i = 1; i < times.length; i++) {
        const step = times[i] - times[i - 1];
        assert.ok(step > 0 && step <= 160, `${step} ms from ${times[i - 1]} on`); // 152 at the loop
      }
      // never late, and no more than what is pushed ahead, two seconds and a half
      const last = times.at(-1)!;
      assert.ok(last >= now - 50 && last <= now + 2700, `at ${last} ms after ${now} ms`);
    }
    const frames = new FlvReader().push(flv).filter(({ type }) => type === TagType.video);
    const shown = watching[0].packets.items.filter(({ kind }) => kind === "video");
    assert.ok(frames.some(({ data }) => data.every((byte, i) => byte === shown[3].data[i])));
    assert.equal(watching[0].data.items[0].name, "onMetaData");
  } finally {
    await Promise.all(peers.map((peer) => peer.close()));
    await server.stop();
  }
});
