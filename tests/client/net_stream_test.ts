import assert from "node:assert/strict";
import type { AmfValue } from "../../src/amf/mod.ts";
import { NetConnection } from "../../src/client/net_connection.ts";
import type { NetStream } from "../../src/client/net_stream.ts";
import { StatusError } from "../../src/client/status.ts";
import { smallServer } from "../support/small_server.ts";
import { sleep, until as waitUntil } from "../support/wait.ts";

const KEY = 0x17;
const INTER = 0x27;
const until = (done: () => boolean) => waitUntil(done, "the expected event");

/** All events of a stream as lines. */
function log(stream: NetStream): string[] {
  const lines: string[] = [];
  stream.handler = {
    onStatus: ({ level, code }) => lines.push(`${level} ${code.replace("NetStream.", "")}`),
    onAudio: (time, data) => lines.push(`audio ${time} ${data.length} ${data[0]}`),
    onVideo: (time, data) => lines.push(`video ${time} ${data.length} ${data[0]}`),
    onData: ({ name, timestamp, values }) =>
      lines.push(`data ${timestamp} ${name} ${JSON.stringify(values())}`),
    onClose: () => lines.push("close"),
  };
  return lines;
}

const video = (first: number, length: number) => {
  const data = new Uint8Array(length).fill(7);
  data.set([first, 1, 0, 0, 0]);
  return data;
};

/** A server, a publisher and a listener, each with a stream. */
async function scene(objectEncoding: 0 | 3 = 3) {
  const server = await smallServer();
  const near = await NetConnection.connect(`${server.url}/live`, { objectEncoding });
  const far = await NetConnection.connect(`${server.url}/live`, { objectEncoding });
  const [publisher, listener] = [await near.createStream(), await far.createStream()];
  return {
    server,
    near,
    far,
    publisher,
    listener,
    async [Symbol.asyncDispose]() {
      await near.close();
      await far.close();
      await server[Symbol.asyncDispose]();
    },
  };
}

for (const objectEncoding of [3, 0] as const) {
  Deno.test(`NetStream receives published frames with their times in ms (object encoding ${objectEncoding})`, async () => {
    await using all = await scene(objectEncoding);
    const { publisher, listener } = all;
    const lines = log(listener);
    await listener.play("cam");
    assert.equal((await publisher.publish("cam")).code, "NetStream.Publish.Start");
    await until(() => lines.includes("status Play.PublishNotify"));
    publisher.send("onMetaData", { width: 320, title: "é" });
    publisher.sendAudio(10, Uint8Array.of(0x2f, 1, 2));
    publisher.sendVideo(0xfffffff0, video(KEY, 40_000));
    publisher.sendVideo(0xfffffff8, video(INTER, 5000));
    await publisher.close();
    await until(() => lines.includes("status Play.UnpublishNotify") && lines.length >= 8);
    assert.deepEqual(lines.filter((line) => line.startsWith("video")), [
      `video ${0xfffffff0} 40000 ${KEY}`,
      `video ${0xfffffff8} 5000 ${INTER}`,
    ]);
    assert.ok(lines.includes("audio 10 3 47"), lines.join("\n"));
    assert.ok(lines.includes('data 0 onMetaData [{"width":320,"title":"é"}]'), lines.join("\n"));
  });
}

Deno.test("NetStream receives 100 large frames that the publisher sent just before closing", async () => {
  await using all = await scene();
  const { publisher, listener } = all;
  const lines = log(listener);
  await listener.play("cam");
  await publisher.publish("cam");
  for (let i = 0; i < 100; i++) publisher.sendVideo(i, video(i === 0 ? KEY : INTER, 20_000));
  await publisher.close();
  assert.ok(publisher.closed);
  await until(() => lines.filter((line) => line.startsWith("video")).length === 100);
  assert.equal(all.server.hub.publications.get("cam")?.publisher, undefined);
});

Deno.test("NetStream publishes and plays again after closeStream()", async () => {
  await using all = await scene();
  const { publisher } = all;
  const lines = log(publisher);
  await publisher.publish("a");
  publisher.closeStream();
  await until(() => lines.includes("status Unpublish.Success"));
  await publisher.publish("b");
  assert.ok(all.server.hub.publications.get("b")?.publisher);
  publisher.closeStream();
  await publisher.play("c");
});

Deno.test("NetStream rejects a refused publish() or play(), and then plays another stream", async () => {
  await using all = await scene();
  const { publisher, listener } = all;
  await publisher.publish("cam");
  await assert.rejects(listener.publish("cam"), (error) => {
    assert.ok(error instanceof StatusError);
    assert.equal(error.status.code, "NetStream.Publish.BadName");
    return true;
  });
  await assert.rejects(listener.publish("secret"), /NetStream\.Publish\.Failed/);
  await assert.rejects(listener.play("secret"), /NetStream\.Play\.Failed/);
  await listener.play("cam");
});

Deno.test("NetStream.receiveAudio() and receiveVideo() select the received kinds", async () => {
  await using all = await scene();
  const { publisher, listener } = all;
  const lines = log(listener);
  await publisher.publish("cam");
  await listener.play("cam");
  const { hub, log: events } = all.server;
  const [there] = hub.publications.get("cam")!.listeners.values();
  const send = async (time: number) => {
    publisher.sendAudio(time, Uint8Array.of(0x2f, 1));
    publisher.sendVideo(time, video(KEY, 100));
    await until(() => events.includes(`audio ${time}`) && events.includes(`video ${time}`));
  };
  await send(0);
  listener.receiveAudio(false);
  await until(() => !there.receiveAudio);
  await send(10);
  listener.receiveAudio(true);
  listener.receiveVideo(false);
  await until(() => there.receiveAudio && !there.receiveVideo);
  await send(20);
  const media = () => lines.filter((line) => /^(audio|video)/.test(line));
  await until(() => media().length >= 4);
  await sleep(50); // time for unwanted frames to arrive
  assert.deepEqual(media().map((line) => line.slice(0, 8)).sort(), [
    "audio 0 ",
    "audio 20",
    "video 0 ",
    "video 10",
  ]);
});

Deno.test("NetStream closes when its connection closes", async () => {
  const all = await scene();
  const { listener, publisher, near } = all;
  const lines = log(publisher);
  await publisher.publish("cam");
  await near.close();
  assert.deepEqual(lines.at(-1), "close");
  publisher.sendAudio(1, Uint8Array.of(1));
  await publisher.close();
  await assert.rejects(publisher.play("x"), /The stream is closed/);
  assert.ok(!listener.closed);
  await all[Symbol.asyncDispose]();
});

Deno.test("NetGroup tells a new member the ids of earlier members", async () => {
  await using all = await scene();
  const { near, far } = all;
  const id = new Uint8Array(32).fill(9);
  const heard: AmfValue[] = [];
  const first = near.joinGroup(id);
  first.handler = { onMember: () => heard.push("the first member was told a member") };
  await until(() => all.server.hub.groups.size === 1);
  const second = far.joinGroup(id);
  second.handler = { onMember: (peerId) => heard.push(peerId.toHex()) };
  await until(() => heard.length > 0);
  assert.deepEqual(heard, [near.nearId]);
  second.close();
  await until(() => [...all.server.hub.groups.values()][0]?.members.length === 1);
  first.close();
  await until(() => all.server.hub.groups.size === 0);
});
