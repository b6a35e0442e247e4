import assert from "node:assert/strict";
import { NetConnection } from "../../src/client/net_connection.ts";
import { ConnectionError } from "../../src/client/status.ts";
import { smallServer } from "../support/small_server.ts";
import { until as waitUntil } from "../support/wait.ts";

const until = (done: () => boolean) => waitUntil(done, "the expected event");

/** A server and two clients that know only each other's peer id. */
async function scene() {
  const server = await smallServer();
  const [near, far] = await Promise.all([0, 1].map(() => NetConnection.connect(server.url)));
  await near.call("echo", 1); // the server knows the addresses of both
  await far.call("echo", 1);
  return {
    server,
    near,
    far,
    async [Symbol.asyncDispose]() {
      await near.close();
      await far.close();
      await server[Symbol.asyncDispose]();
    },
  };
}

Deno.test("A client plays directly from another client to which the server has introduced it", async () => {
  await using all = await scene();
  const { near, far, server } = all;
  const publication = near.publishDirect("cam");
  const asked: string[] = [];
  publication.onSubscribe = (peerId) => asked.push(peerId) > 0;
  const stream = await far.openDirect(near.nearId);
  const lines: string[] = [];
  stream.handler = {
    onStatus: ({ code }) => lines.push(code),
    onAudio: (time, data) => lines.push(`audio ${time} ${data.length}`),
    onVideo: (time, data) => lines.push(`video ${time} ${data.length}`),
    onData: ({ name, values }) => lines.push(`${name} ${JSON.stringify(values())}`),
  };
  await stream.play("cam");
  assert.deepEqual(asked, [far.nearId]);
  const [subscriber] = publication.subscribers;
  subscriber.send("hello", 1);
  publication.sendAudio(10, new Uint8Array(100));
  publication.sendVideo(20, new Uint8Array(50_000));
  await until(() => lines.length === 5);
  assert.deepEqual(lines.slice(0, 2), ["NetStream.Play.Reset", "NetStream.Play.Start"]);
  assert.deepEqual(lines.slice(2).sort(), ["audio 10 100", "hello [1]", "video 20 50000"]);
  assert.equal(server.hub.publications.size, 0, "the stream does not pass the server");
  await stream.close();
  await until(() => publication.subscribers.size === 0);
});

Deno.test("A client refuses a peer that plays an unknown stream", async () => {
  await using all = await scene();
  const { near, far } = all;
  const publication = near.publishDirect("cam");
  publication.onSubscribe = () => false;
  const stream = await far.openDirect(near.nearId);
  await assert.rejects(stream.play("other"), /NetStream\.Play\.StreamNotFound/);
  await assert.rejects(stream.play("cam"), /NetStream\.Play\.Failed/);
  await stream.close();
});

Deno.test("DirectStream closes when the publishing peer leaves", async () => {
  await using all = await scene();
  const { near, far } = all;
  near.publishDirect("cam");
  const stream = await far.openDirect(near.nearId);
  let closed = false;
  stream.handler = { onClose: () => closed = true };
  await stream.play("cam");
  await near.close();
  await until(() => closed);
});

Deno.test("openDirect() rejects for an unknown peer, with the time-out in seconds", async () => {
  await using all = await scene();
  await assert.rejects(all.far.openDirect("ab".repeat(32), 300), {
    name: ConnectionError.name,
    message: "Cannot reach peer abababab…: no answer within 0.3 s",
  });
});
