import assert from "node:assert/strict";
import { FlvReader } from "../../src/flv/reader.ts";
import { TagType } from "../../src/flv/tags.ts";
import { type Packet, Peer } from "../conformance/support/peer.ts";
import { TestServer } from "../conformance/support/test_server.ts";

const root = new URL("../../", import.meta.url);
const flv = Deno.readFileSync(new URL("tests/fixtures/test.flv", root));
const script = Deno.readTextFileSync(new URL("www/video/main.lua", root));

/** 20 by default; CI has time for more clients, and for a minute. */
const listeners = Number(Deno.env.get("VIDEO_LISTENERS") ?? 20);
const seconds = Number(Deno.env.get("VIDEO_SECONDS") ?? 9);

Deno.test(`www/video plays a file in a loop to ${listeners} clients in time and without a gap`, async () => {
  const server = await TestServer.prepare({
    www: {
      "": "",
      "/video": `${script}
      local start = onStart
      function onStart(path) start(path) NOTE("began ", players.test.began) end`,
    },
    // Times are the publisher's, also for late viewers.
    ini: "[video]\nfiles = test, missing\n[rtmfp]\nrebase = off\n",
  });
  Deno.writeFileSync(`${server.dir}/www/video/test.flv`, flv);
  const peers: Peer[] = [];
  try {
    await server.run();
    const first = await Peer.connect(server.url("/video"));
    peers.push(first);
    await server.logged(/^ERROR .*missing\.flv/);
    const began = Number(/\d+$/.exec(await server.logged(/began \d+$/))![0]);
    let best = -Infinity;
    const watching = [await first.play("test")];
    while (watching.length < listeners) {
      const peer = await Peer.connect(server.url("/video"));
      peers.push(peer);
      watching.push(await peer.play("test"));
    }
    await assert.rejects(first.publish("mine"), /Only the server publishes here/);
    for (const stream of watching) {
      const { packets } = stream;
      const { time: first } = await stream.packet("video");
      const end = Math.max(seconds * 1000, first + 3000); // a late client sees some frames, too
      const isEnd = (packet: Packet) => packet.kind === "video" && packet.time >= end;
      await packets.find(isEnd, `${end} ms of it`, 0, 10 * end);
      const video = packets.items.filter(({ kind, data }) => kind === "video" && data[1] === 1);
      const times = video.map(({ time }) => time);
      for (let i = 1; i < times.length; i++) {
        const step = times[i] - times[i - 1];
        assert.ok(step > 0 && step <= 160, `${step} ms from ${times[i - 1]} on`); // 152 at the loop
      }
      // On a busy machine some frames are late, but playing catches up by the end.
      const ahead = video.map(({ time, at }) => time - (at - began));
      const [last] = times.slice(-1);
      const inTheEnd = Math.max(...ahead.filter((_, i) => times[i] > last - 3000));
      assert.ok(inTheEnd > 0, `${-inTheEnd} ms late`);
      best = Math.max(best, ...ahead);
    }
    // Frames pushed ahead last for the two seconds until the next push, and no longer.
    assert.ok(best >= 2000 && best <= 2600, `${best} ms ahead`);
    const frames = new FlvReader().push(flv).filter(({ type }) => type === TagType.video);
    const shown = watching[0].packets.items.filter(({ kind }) => kind === "video");
    assert.ok(frames.some(({ data }) => data.every((byte, i) => byte === shown[3].data[i])));
    assert.equal(watching[0].data.items[0].name, "onMetaData");
  } finally {
    await Promise.all(peers.map((peer) => peer.close()));
    await server.stop();
  }
});
