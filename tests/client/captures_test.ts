// NetStream reads what a peer with librtmfp published directly.
import assert from "node:assert/strict";
import { NetStream } from "../../src/client/net_stream.ts";
import { readTcMetadata } from "../../src/tc/format/metadata.ts";
import type { FlowReceiver } from "../../src/rtmfp/flow/handlers.ts";
import type { ReceiveFlow } from "../../src/rtmfp/flow/receive_flow.ts";
import { recordedMessages } from "../flash/recorded.ts";

Deno.test("NetStream reads all media of librtmfp, and its statuses without the null argument", () => {
  const messages = recordedMessages("librtmfp-cumulus-p2p").filter(({ session, fromInitiator }) =>
    session.responderCertificate.length !== 77 && !fromInitiator
  );
  const stream = new NetStream({
    encoding: 3,
    openFlow: () => assert.fail("the stream sends nothing"),
    sendControl() {},
    wake() {},
    forget() {},
  }, readTcMetadata(messages[0].metadata)!.stream);
  const came: string[] = [];
  stream.handler = {
    onStatus: ({ level, code }) => came.push(`${level} ${code}`),
    onAudio: () => came.push("audio"),
    onVideo: () => came.push("video"),
    onData: ({ name }) => came.push(name),
  };
  const receivers = new Map<number, FlowReceiver>();
  for (const { flow: id, metadata, message } of messages) {
    const flow = { id, metadata } as ReceiveFlow;
    if (!receivers.has(id)) receivers.set(id, stream.accept(flow));
    receivers.get(id)!.onMessage(message, flow);
  }
  assert.deepEqual(came.filter((what) => what !== "audio" && what !== "video"), [
    "status NetStream.Play.Reset",
    "status NetStream.Play.Start",
    "|RtmpSampleAccess",
    "@setDataFrame",
  ]);
  assert.equal(came.filter((what) => what === "audio").length, 261);
  assert.equal(came.filter((what) => what === "video").length, 152);
});
