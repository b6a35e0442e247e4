import assert from "node:assert/strict";
import { encodeAmf0 } from "../../src/amf/mod.ts";
import { RtmpStream, type RtmpStreamHost } from "../../src/client/rtmp_stream.ts";
import { MessageType } from "../../src/tc/format/messages.ts";

function openStream(): RtmpStream {
  const client = { open: () => ({}), call() {}, command() {} };
  return new RtmpStream({ client, drained: async () => {} } as unknown as RtmpStreamHost, 1);
}

function status(level: string, code: string) {
  const payload = encodeAmf0("onStatus", 0, null, { level, code });
  return { type: MessageType.command, timestamp: 0, stream: 1, payload };
}

Deno.test("RtmpStream: each request gets its own answer, in their order", async () => {
  const stream = openStream();
  const [first, second, published] = [stream.play("a"), stream.play("b"), stream.publish("c")];
  stream.receive(status("status", "NetStream.Publish.Start"));
  assert.equal((await published).code, "NetStream.Publish.Start");
  stream.receive(status("error", "NetStream.Play.Failed"));
  await assert.rejects(first, { name: "StatusError" });
  stream.receive(status("status", "NetStream.Play.Start"));
  assert.equal((await second).code, "NetStream.Play.Start");
});

Deno.test("RtmpStream: the end of the connection rejects all pending requests", async () => {
  const stream = openStream();
  const requests = [stream.play("a"), stream.play("b")];
  stream.end();
  for (const request of requests) await assert.rejects(request, /connection has ended/);
});
