import assert from "node:assert/strict";
import { type AmfObject, AmfWriter, decodeAmf, encodeAmf } from "../../src/amf/mod.ts";
import { fromHex, toHex } from "../../src/bytes/hex.ts";
import { readMessage, writeMessage } from "../../src/tc/format/messages.ts";
import { readTcMetadata, writeTcMetadata } from "../../src/tc/format/metadata.ts";
import { readJoin } from "../../src/flash/net_group.ts";
import { portable } from "../../src/rtmfp/crypto/portable.ts";
import { captureNames } from "../support/captures.ts";
import { type FakeClient, type FakeInFlow, flashWorld, textOf } from "./fakes.ts";
import { type Recorded, recordedMessages } from "./recorded.ts";

const isMedia = (message: Uint8Array) => message[0] === 8 || message[0] === 9;

/** Messages of both sides of the first session of a capture, without media: `>` is the client's. */
function conversation(name: string): string[] {
  const all = recordedMessages(name);
  return all.filter(({ session, message }) => session === all[0].session && !isMedia(message))
    .map(({ fromInitiator, metadata, message }) =>
      `${fromInitiator ? ">" : "<"} ${readTcMetadata(metadata)!.stream} ${textOf(message)}`
    );
}

Deno.test("readMessage() and writeMessage() read and rewrite every message of every capture unchanged", () => {
  const counts: Record<string, number> = {};
  for (const name of captureNames) {
    const messages = recordedMessages(name);
    for (const { metadata, message } of messages) {
      if (readTcMetadata(metadata)) {
        const { type, timestamp, payload } = readMessage(message)!;
        assert.equal(toHex(writeMessage(type, timestamp, payload)), toHex(message));
        assert.ok(textOf(message, metadata).length > 0);
      } else if (toHex(metadata) === "4743") {
        const join = readJoin(message, (bytes) => portable.sha256(bytes));
        assert.ok(join ? join.length === 32 : message[0] === 0x0b && message.length === 33);
      }
    }
    counts[name] = messages.length;
  }
  assert.ok(counts["librtmfp-cumulus-connect"] >= 3);
  assert.ok(counts["librtmfp-cumulus-calls"] >= 14);
  assert.ok(counts["librtmfp-cumulus-publish_play"] > 100);
  assert.ok(counts["librtmfp-cumulus-netgroup"] > 10);
});

Deno.test("The capture of librtmfp connecting to the original has connect, its result, setPeerInfo and event 41", () => {
  const [asked, answered, told, kept] = conversation("librtmfp-cumulus-connect");
  assert.match(asked, /^> 0 connect 0$/);
  assert.match(answered, /^< 0 _result 0 \[status\] NetConnection.Connect.Success/);
  assert.equal(told, '> 0 setPeerInfo 0 "192.0.2.2:51559" "[fd00::2]:59059"');
  assert.equal(kept, "< 0 event 41 15000 10000");
});

Deno.test("The capture of librtmfp publishing to the original has createStream, publish and metadata in order", () => {
  const lines = conversation("librtmfp-cumulus-publish_play");
  const order = [
    "> 0 createStream 0",
    "< 0 _result 0 1",
    '> 1 publish 0 "cap1"',
    "< 1 onStatus 0 [status] NetStream.Publish.Start: cap1 is now published",
  ];
  assert.deepEqual(lines.filter((line) => order.includes(line)), order);
  assert.ok(lines.some((line) => line.startsWith('> 1 data 0 @setDataFrame "onMetaData"')));
});

/** Plays the client's half of sessions to our server; returns its answers in order, one per line. */
class Replay {
  readonly here = flashWorld({
    connect: () => {
      const writer = new AmfWriter({ form: "amf0" });
      writer.writeValue({ flag: true });
      return writer.bytes().subarray(1, -3);
    },
    call: (client, name, values) => {
      if (name === "echo") client.writer.result(encodeAmf(values.readValue()));
      else if (name === "add") {
        client.writer.result(encodeAmf(Number(values.readValue()) + Number(values.readValue())));
      } else if (name === "push") {
        client.writer.message("onPush", encodeAmf(values.readValue(), 42));
        client.writer.result(encodeAmf("pushed"));
      } else if (name === "obj") client.writer.result(encodeAmf({ name: "cumulus" }));
      else return false;
      return true;
    },
  });
  readonly #clients = new Map<unknown, { client: FakeClient; flows: Map<number, FakeInFlow> }>();

  constructor(messages: Recorded[]) {
    for (const recorded of messages) if (recorded.fromInitiator) this.#deliver(recorded);
  }

  clients(): FakeClient[] {
    return [...this.#clients.values()].map(({ client }) => client);
  }

  #deliver({ session, flow: id, metadata, message }: Recorded): void {
    let known = this.#clients.get(session);
    if (!known) {
      const client = this.here.flash(portable.sha256(session.initiatorCertificate));
      known = { client, flows: new Map([[id, client.control]]) };
      this.#clients.set(session, known);
    }
    let flow = known.flows.get(id);
    if (!flow) {
      // Our server numbers streams in each session, the original over all sessions.
      const stream = readTcMetadata(metadata)?.stream;
      flow = known.client.flow(stream ? writeTcMetadata(1) : metadata);
      known.flows.set(id, flow);
    }
    assert.ok(flow.receiver, `flow ${id} of ${toHex(metadata)} was rejected`);
    flow.deliver(message);
  }
}

Deno.test("Our server answers only connect of librtmfp's replayed calls of transaction 0", () => {
  const messages = recordedMessages("librtmfp-cumulus-calls");
  const [client] = new Replay(messages).clients();
  const theirs = messages.filter(({ fromInitiator }) => !fromInitiator)
    .map(({ message }) => message);
  const answered = theirs.filter((message) => /^_(result|error) 0/.test(textOf(message)));
  assert.equal(answered.length, 6); // the original answered all
  const [connected, ...rest] = client.session.flows[0].messages.map((message) => toHex(message));
  assert.match(textOf(fromHex(connected)), /^_result 0 .*Connect.Success/);
  const others = theirs.filter((message) => !answered.includes(message));
  assert.deepEqual(rest, others.map((message) => toHex(message)));
});

Deno.test("Our server sends a listener all of librtmfp's replayed stream from its key frame on", () => {
  const messages = recordedMessages("librtmfp-cumulus-publish_play");
  const replay = new Replay(messages);
  const [publisher, listener, ...others] = replay.clients();
  assert.equal(others.length, 0);
  const lines = (client: FakeClient) => client.session.log;
  assert.ok(
    lines(publisher).includes(
      "stream 1: onStatus 0 [status] NetStream.Publish.Start: cap1 is now published",
    ),
  );
  assert.ok(
    lines(listener).includes(
      "stream 1: onStatus 0 [status] NetStream.Play.Start: Started playing cap1",
    ),
  );
  assert.ok(lines(listener).some((line) => line.startsWith("stream 1: data 0 onMetaData")));
  // The replay keeps the recorded order: the listener must get all media sent after its play.
  const play = messages.findIndex(({ message, fromInitiator }) =>
    fromInitiator && textOf(message).startsWith("play ")
  );
  const sent = messages.slice(play).filter(({ fromInitiator, message }) =>
    fromInitiator && message[0] === 9
  ).map(({ message }) => toHex(message));
  const key = sent.findIndex((hex) => hex.slice(10, 12) === "17" && hex.slice(12, 14) === "01");
  const got = listener.session.flows[3].messages.map((message) => toHex(message))
    .filter((hex) => hex.startsWith("09"));
  assert.ok(key >= 0 && sent.length - key > 5);
  assert.deepEqual(got.slice(-(sent.length - key)), sent.slice(key));
  assert.deepEqual(replay.here.logged, []);
});

Deno.test("Our server answers librtmfp's replayed group and peers as the original did", () => {
  for (const name of ["librtmfp-cumulus-netgroup", "librtmfp-cumulus-p2p"]) {
    // The third session is between the peers.
    const messages = recordedMessages(name).filter(({ session }) =>
      session.responderCertificate.length === 77
    );
    const clients = new Replay(messages).clients();
    assert.equal(clients.length, 2);
    const sessions = [...new Set(messages.map(({ session }) => session))];
    for (const [i, session] of sessions.entries()) {
      const theirs = messages.filter((one) => one.session === session && !one.fromInitiator);
      const ours = clients[i].session.flows;
      const hex = (messages: Uint8Array[]) => messages.map((message) => toHex(message)).sort();
      assert.deepEqual(
        hex(ours.flatMap((flow) => flow.messages).filter((message) => !isResult(message))),
        hex(theirs.map(({ message }) => message).filter((message) => !isResult(message))),
        name,
      );
      assert.deepEqual(
        [...new Set(ours.map(({ metadata }) => toHex(metadata)))],
        [...new Set(theirs.map(({ metadata }) => toHex(metadata)))],
      );
    }
  }
});

Deno.test("Our server answers rtmfp-cpp's replayed calls", () => {
  const [client] = new Replay(recordedMessages("rtmfpcpp_g14-tcserver-rpc")).clients();
  assert.deepEqual(client.session.log, [
    "control: _result 1 [status] NetConnection.Connect.Success: Connection succeeded",
    "control: _error 2 [error] NetConnection.Call.Failed: Method 'nosuchmethod' not found",
    "control: _result 3 undefined",
  ]);
  const info = decodeAmf(client.session.flows[0].messages[0].subarray(5))[3] as AmfObject;
  assert.equal(info.objectEncoding, 0);
});

Deno.test("Our server sends a listener the end of rtmfp-cpp's replayed stream", () => {
  const messages = recordedMessages("rtmfpcpp-tcserver_strict-publish_play");
  const [publisher, listener] = new Replay(messages).clients();
  assert.equal(
    publisher.session.log.at(-1),
    "stream 1: onStatus 0 [status] NetStream.Publish.Start: tc3 is now published",
  );
  const [session] = messages.map(({ session }) => session);
  const theirs = messages.filter((one) => one.fromInitiator && one.session === session);
  const [, data, sound, picture] = listener.session.flows;
  assert.ok(data.messages.some((message) => textOf(message).startsWith("data 0 onMetaData ")));
  for (const [type, flow] of [[8, sound], [9, picture]] as const) {
    const sent = theirs.filter(({ message }) => message[0] === type);
    const got = flow.messages.filter((message) => message[0] === type);
    assert.ok(got.length > 5 && got.length <= sent.length + 1);
    assert.equal(toHex(got.at(-1)!), toHex(sent.at(-1)!.message));
  }
});

/** True for the answer to connect, whose extra members depend on the script. */
const isResult = (message: Uint8Array) => message[0] === 0x14;
