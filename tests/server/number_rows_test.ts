import assert from "node:assert/strict";
import { encodeAmf0 } from "../../src/amf/mod.ts";
import { fromHex } from "../../src/bytes/hex.ts";
import { Frame } from "../../src/media/frame.ts";
import { publicationRow } from "../../src/server/status_rows.ts";
import { FakeOutput, once, world } from "../media/fakes.ts";
import { freePort } from "../support/ports.ts";
import { media, publish, startWeb } from "../web/support.ts";
import { until } from "../support/wait.ts";

/** Video header of x264 for pictures of 322 × 182. */
const AVC_HEADER = fromHex(
  "17000000000164000cffe1001b6764000cacd941519e226c044000000300400000030283c50a658001000668ebe3cb22c0fdf8f800",
);

Deno.test("publicationRow() lists publisher, codecs, and viewers by door", () => {
  const { hub, client } = world();
  const publisher = hub.publish(client(1, "/live"), "cam", 1, new FakeOutput());
  const { publication } = publisher;
  const { videoCodec, audioCodec, size, path, address, protocol } = publicationRow(publication, []);
  assert.deepEqual([videoCodec, audioCodec, size], ["", "", null]);
  assert.deepEqual([path, address, protocol], ["/live", "192.0.2.1:4000", "rtmfp"]);
  publisher.audio(new Frame("audio", 0, fromHex("2f00")), once);
  publisher.video(new Frame("video", 0, AVC_HEADER), once);
  hub.subscriptions.subscribe(client(2), "cam", 2, new FakeOutput()).start();
  hub.subscriptions.subscribe(client(3), "cam", 3, new FakeOutput()).start();
  const row = publicationRow(publication, [1, 2]);
  assert.deepEqual([row.videoCodec, row.audioCodec], ["H.264", "MP3"]);
  assert.deepEqual(row.size, { width: 322, height: 182 });
  assert.deepEqual(row.viewers, { rtmfp: 2 });
  assert.deepEqual(row.rates, [1, 2]);
});

Deno.test("publicationRow() takes the size from the metadata if the headers lack it", () => {
  const { hub, client } = world();
  const publisher = hub.publish(client(), "cam", 1, new FakeOutput());
  publisher.video(new Frame("video", 0, fromHex("14aabb")), once);
  publisher.setDataFrame("onMetaData", encodeAmf0("no object", { width: 640, height: 359.6 }));
  const row = publicationRow(publisher.publication, []);
  assert.deepEqual([row.videoCodec, row.size], ["VP6", { width: 640, height: 360 }]);
  for (const nonsense of [encodeAmf0({ width: "640", height: 0 }), Uint8Array.of(8, 0, 0)]) {
    publisher.setDataFrame("onMetaData", nonsense);
    assert.equal(publicationRow(publisher.publication, []).size, null);
  }
});

Deno.test("/api/publications and /api/status return codecs, the viewers' doors and the bytes of the web door", async () => {
  const port = freePort();
  const { server, http, ws } = await startWeb({ "": "", "/live": "" }, `[http]\nport = ${port}\n`);
  try {
    const publisher = await publish(`${ws}/live`, "a");
    publisher.send(media.filter(({ timestamp }) => timestamp < 1000));
    const viewer = await fetch(`${http}/live/a.flv`);
    const reader = viewer.body!.getReader();
    await reader.read();
    const ask = async (path: string) =>
      await (await fetch(`http://127.0.0.1:${port}/api/${path}`)).json();
    const [row] = (await ask("publications")).rows;
    assert.equal(row.videoCodec, "H.264");
    assert.equal(row.protocol, "rtws");
    assert.deepEqual(row.viewers, { http: 1 });
    assert.ok(row.size.width > 0 && row.size.height > 0, JSON.stringify(row.size));
    const web = async () => {
      const { doors } = await ask("status");
      return doors.find(({ name }: { name: string }) => name === "web");
    };
    await until(async () => {
      const { bytesIn, bytesOut } = await web();
      return bytesIn > 10_000 && bytesOut > 10_000;
    }, "the stream in and out");
    const before = await web();
    assert.ok(before.sessions >= 2 && before.accepted >= 2, JSON.stringify(before));
    await reader.cancel();
    publisher.connection.close();
    await until(async () => (await web()).sessions < before.sessions, "the viewer is gone");
    const after = await web();
    assert.ok(after.bytesOut >= before.bytesOut, "what went over closed connections still counts");
  } finally {
    await server.stop();
  }
});
