// Unexpected messages of a peer.
import assert from "node:assert/strict";
import { PeerSession } from "../../src/client/peer_session.ts";
import { Peers } from "../../src/client/peers.ts";
import { GROUP_METADATA, writeTcMetadata } from "../../src/tc/format/metadata.ts";
import type { Endpoint } from "../../src/rtmfp/endpoint.ts";
import type { ReceiveFlow } from "../../src/rtmfp/flow/receive_flow.ts";
import type { SendFlow } from "../../src/rtmfp/flow/send_flow.ts";
import type { Session } from "../../src/rtmfp/session/session.ts";
import { seeded, seededBytes } from "../support/random.ts";
import { command } from "../flash/fakes.ts";

/** A session with a fake peer; the data sent to it, and whether it was closed. */
function scene() {
  const sent: Uint8Array[] = [];
  let finished = 0;
  const session = {
    peerId: new Uint8Array(32).fill(0xab),
    openFlow: () => ({ write: (message: Uint8Array) => sent.push(message), close() {} }),
    finish: () => finished++,
  } as unknown as Session;
  const peers = new Peers({ endpoint: {} as Endpoint, wake() {} });
  const peer = new PeerSession(session, peers);
  const flow = (metadata: Uint8Array, association?: SendFlow) => {
    const rejected = { count: 0 };
    const flow = {
      metadata,
      association,
      reject: () => rejected.count++,
    } as unknown as ReceiveFlow;
    return { flow, rejected, receiver: peer.onFlow(flow) };
  };
  return { peers, peer, sent, flow, finished: () => finished };
}

const STREAM = writeTcMetadata(2_000_001);

Deno.test("PeerSession rejects flows with unknown metadata, and of groups that the client is not in", () => {
  const { flow } = scene();
  assert.equal(
    flow(Uint8Array.of(0x47, 0x52, 0x1c)).receiver,
    null,
    "a private flow of a Flash group",
  );
  assert.equal(flow(writeTcMetadata(0)).receiver, null);
  assert.equal(flow(writeTcMetadata(1)).receiver, null);
  assert.equal(flow(new Uint8Array(0)).receiver, null);
  assert.equal(flow(STREAM, {} as SendFlow).receiver, null, "an answer without a question");
  const { flow: group, receiver, rejected } = flow(GROUP_METADATA);
  receiver!.onMessage(Uint8Array.of(0x01, 0x21, 0x15, ...new Uint8Array(32)), group);
  assert.equal(rejected.count, 1, "a group that this client is not in");
});

Deno.test("PeerSession throws no exception for arbitrary messages, and keeps no subscriber", () => {
  const random = seeded(5);
  const bytes = seededBytes(6);
  const { peers, flow, sent } = scene();
  const publication = peers.publications.add("cam");
  for (let round = 0; round < 3000; round++) {
    const one = flow(round % 3 === 0 ? GROUP_METADATA : STREAM);
    for (let i = 0; i < 4; i++) {
      const message = round % 5 === 0
        ? command("play", 0, null, "cam").slice()
        : bytes(Math.floor(random() * 60));
      const at = Math.floor(random() * message.length);
      if (message.length > 0 && random() < 0.7) message[at] = Math.floor(random() * 256);
      const whole = message.subarray(0, Math.floor(random() * (message.length + 1)));
      one.receiver?.onMessage(whole, one.flow);
    }
    one.receiver?.onEnd?.(one.flow);
  }
  assert.equal(publication.subscribers.size, 0);
  assert.ok(sent.length < 20_000);
});

Deno.test("PeerSession ignores a second play on a stream, and removes the subscriber when the stream ends", () => {
  const { peers, flow, sent } = scene();
  const publication = peers.publications.add("cam");
  const { flow: stream, receiver } = flow(STREAM);
  receiver!.onMessage(command("play", 0, null, "cam"), stream);
  const answers = sent.length;
  receiver!.onMessage(command("play", 0, null, "cam"), stream);
  assert.equal(sent.length, answers);
  assert.equal(publication.subscribers.size, 1);
  receiver!.onMessage(command("closeStream", 0, null), stream);
  assert.equal(publication.subscribers.size, 0);
  receiver!.onMessage(command("play", 0, null, "cam"), stream);
  assert.equal(publication.subscribers.size, 1, "a third play after closeStream");
  receiver!.onEnd!(stream);
  assert.equal(publication.subscribers.size, 0);
});

Deno.test("PeerSession stays open while either end uses it", () => {
  const { peer, flow, finished } = scene();
  peer.retain();
  peer.retain();
  const { receiver, flow: stream } = flow(STREAM);
  peer.release();
  assert.equal(finished(), 0, "one use is left");
  peer.release();
  assert.equal(finished(), 0, "the peer still plays");
  receiver!.onEnd!(stream);
  peer.retain();
  peer.release();
  assert.equal(finished(), 1);
});
