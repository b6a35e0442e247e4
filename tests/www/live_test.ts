import assert from "node:assert/strict";
import { RtmpConnection } from "../../src/client/rtmp_connection.ts";
import { parseRtmpTarget } from "../../src/rtmp/url.ts";
import { keyFrame } from "../conformance/support/media.ts";
import { freePort } from "../support/ports.ts";
import { www } from "./support.ts";

const ini = "[live]\npublish = open sesame\nplay = please\n";

www(
  "tells a publisher the number of its viewers",
  "live",
  async ({ connect }) => {
    const camera = await connect(["open sesame"]);
    const out = await camera.publish("show");
    const first = await connect(["please"]);
    const watching = await first.play("show");
    assert.deepEqual(await camera.called("onViewers"), ["show", 1]);
    const second = await connect([], "password=please");
    await second.play("show");
    await camera.calls.find(({ args }) => args[1] === 2, "two viewers");
    assert.deepEqual(await second.call("streams"), [{ name: "show", viewers: 2 }]);
    out.net.sendVideo(0, keyFrame(1));
    assert.deepEqual((await watching.packet("video")).data, keyFrame(1));
    await second.close();
    await camera.calls.find(({ args }) => args[1] === 1, "one viewer", 2);
    await out.net.close();
    await watching.status("NetStream.Play.UnpublishNotify");
    assert.deepEqual(await first.call("streams"), []);
  },
  { ini },
);

www(
  "requires the password, and refuses publishing with the viewers' password",
  "live",
  async ({ connect }) => {
    await assert.rejects(connect(["wrong"]), /That is not the password/);
    await assert.rejects(connect(), /That is not the password/);
    const viewer = await connect(["please"]);
    await assert.rejects(viewer.publish("mine"), /Publish\.Failed: Publishing takes a password/);
  },
  { ini, refuses: /password$/ },
);

www("lets every client watch if only publishing has a password", "live", async ({ connect }) => {
  const viewer = await connect();
  await viewer.play("show");
  await assert.rejects(viewer.publish("show"), /Publishing takes a password/);
  const camera = await connect(["open sesame"]);
  await camera.publish("show");
}, { ini: "[live]\npublish = open sesame\n", refuses: /password$/ });

www("lets every client publish and watch without passwords", "live", async ({ connect }) => {
  const peer = await connect();
  await peer.publish("show");
  await peer.play("show");
  assert.deepEqual(await peer.called("onViewers"), ["show", 1]);
});

const rtmpPort = freePort();

www(
  "accepts the password after the stream's name from encoders and players of RTMP",
  "live",
  async ({ server }) => {
    await server.log.find((line) => line.includes("RTMP server starts"), "the RTMP door");
    const connect = (query = "") =>
      RtmpConnection.connect(parseRtmpTarget(`rtmp://127.0.0.1:${rtmpPort}/live${query}`), {});
    await assert.rejects(connect("?password=wrong"), /That is not the password/);
    const stream = async (by: RtmpConnection) => await by.createStream();
    const encoder = await connect();
    await (await stream(encoder)).publish("show?password=open%20sesame");
    const stranger = await connect();
    await assert.rejects(stranger.call("streams"), /not found/);
    await assert.rejects((await stream(stranger)).play("show"), /Playing takes a password/);
    await assert.rejects((await stream(stranger)).play("show?password=no"), /Playing takes/);
    await (await stream(stranger)).play("show?password=please");
    const wrong = await connect();
    for (const name of ["other", "other?password=please"]) {
      await assert.rejects((await stream(wrong)).publish(name), /Publishing takes a password/);
    }
    for (const one of [encoder, stranger, wrong]) await one.close();
  },
  { ini: `${ini}[rtmp]\nport = ${rtmpPort}\n`, refuses: /password$/ },
);
