import { writeData } from "../tc/flow_messages.ts";
import assert from "node:assert/strict";
import { type AmfValue, encodeAmf, encodeAmf0 } from "../../src/amf/mod.ts";
import { fromHex, toHex } from "../../src/bytes/hex.ts";
import { MessageType, writeMessage } from "../../src/tc/format/messages.ts";
import { Refused } from "../../src/media/refused.ts";
import type { Listener } from "../../src/media/listener.ts";
import { command, type FakeClient, type FakeInFlow, flashWorld } from "./fakes.ts";

const SYNC = "event 34 0 3";
const KEY = "1701000000aa";
const INTER = "2701000000bb";
const audio = (time: number, hex = "af01cc") => writeMessage(MessageType.audio, time, fromHex(hex));
const video = (time: number, hex = KEY) => writeMessage(MessageType.video, time, fromHex(hex));

/** A stream of a client, on one flow. */
class FakeStream {
  readonly flow: FakeInFlow;
  constructor(readonly client: FakeClient, readonly id = 1) {
    client.call("createStream", 1);
    this.flow = client.stream(id);
  }
  /** Sends a command; returns the server's immediate messages to this client. */
  do(name: string, ...values: AmfValue[]) {
    this.flow.deliver(command(name, 0, null, ...values));
    return this.client.session.take();
  }
  send(...messages: Uint8Array[]) {
    for (const message of messages) this.flow.deliver(message);
    return this.client.session.take();
  }
}

function stage(steps: Parameters<typeof flashWorld>[0] = {}) {
  const here = flashWorld(steps);
  return { ...here, stream: () => new FakeStream(here.connected()) };
}

Deno.test("NetStream answers publish on a flow of the stream, associated with the control flow", () => {
  const { stream, hub } = stage();
  const one = stream();
  assert.deepEqual(one.do("publish", "foo", "live"), [
    "stream 1: onStatus 0 [status] NetStream.Publish.Start: foo is now published",
  ]);
  const flow = one.client.session.flows[1];
  assert.equal(flow.options.association, one.client.control);
  assert.equal(flow.options.timeCritical, false);
  assert.ok(hub.publications.get("foo")!.publishing);
});

Deno.test("NetStream accepts librtmfp's captured publish with the name in AMF3 and no type", () => {
  const { stream } = stage();
  const one = stream();
  one.flow.deliver(fromHex("14000000000200077075626c6973680000000000000000000511060963617031"));
  // byte for byte the original's answer
  assert.equal(
    toHex(one.client.session.flows[1].messages[0]),
    "14000000000200086f6e537461747573000000000000000000050300056c6576656c020006737461747573000463" +
      "6f64650200174e657453747265616d2e5075626c6973682e5374617274000b6465736372697074696f6e020015" +
      "63617031206973206e6f77207075626c6973686564000009",
  );
});

Deno.test("NetStream refuses to publish a name in use, and reports a refusal with and without a reason", () => {
  let words: string | undefined;
  const { stream, logged } = stage({
    publish: () => {
      if (words !== undefined) throw new Refused(words);
    },
  });
  stream().do("publish", "foo");
  const two = stream();
  assert.deepEqual(two.do("publish", "foo"), [
    "stream 1: onStatus 0 [error] NetStream.Publish.BadName: foo is already published",
  ]);
  assert.equal(logged.length, 1);
  assert.match(logged[0], /^note: \S+ may not publish foo: foo is already published$/);
  words = "";
  assert.deepEqual(two.do("publish", "bar"), [
    "stream 1: onStatus 0 [error] NetStream.Publish.Failed: Not allowed to publish bar",
  ]);
  words = "wrong password";
  assert.deepEqual(two.do("publish", "bar"), [
    "stream 1: onStatus 0 [error] NetStream.Publish.Failed: wrong password",
  ]);
});

Deno.test("NetStream unpublishes at closeStream, publish(false), deleteStream and the end of its flow", () => {
  const gone = "stream 1: onStatus 0 [status] NetStream.Unpublish.Success: foo is now unpublished";
  const ways: [(stream: FakeStream) => string[], string[]][] = [
    [(one) => one.do("closeStream"), [gone]],
    [(one) => one.do("publish", false), [gone]],
    [(one) => one.client.call("deleteStream", 0, 1), [gone, "stream 1: end"]],
    [(one) => (one.flow.end(), one.client.session.take()), [gone]],
  ];
  for (const [way, sent] of ways) {
    const { stream, hub, events } = stage();
    const one = stream();
    one.do("publish", "foo");
    events();
    assert.deepEqual(way(one), sent);
    assert.deepEqual(events(), ["onUnpublish foo"]);
    assert.equal(hub.publications.size, 0);
    assert.deepEqual(one.do("closeStream"), []);
  }
});

Deno.test("NetStream ends its first publication when it publishes another name", () => {
  const { stream, hub } = stage();
  const one = stream();
  one.do("publish", "foo");
  assert.deepEqual(one.do("publish", "bar"), [
    "stream 1: onStatus 0 [status] NetStream.Unpublish.Success: foo is now unpublished",
    "stream 1: onStatus 0 [status] NetStream.Publish.Start: bar is now published",
  ]);
  assert.deepEqual([...hub.publications.keys()], ["bar"]);
});

Deno.test("NetStream answers play with begin on the control flow, Reset, Start, and the sync on three flows", () => {
  const { stream } = stage();
  const one = stream();
  assert.deepEqual(one.do("play", "foo"), [
    "control: event 0 1",
    "stream 1: onStatus 0 [status] NetStream.Play.Reset: Playing and resetting foo",
    "stream 1: onStatus 0 [status] NetStream.Play.Start: Started playing foo",
    `stream 1: ${SYNC}`,
    `stream 1 b: ${SYNC}`,
    `stream 1 c: ${SYNC}`,
  ]);
  const [, data, sound, picture] = one.client.session.flows;
  for (const flow of [data, sound, picture]) {
    assert.equal(flow.options.association, one.client.control);
    assert.equal(toHex(flow.metadata), "54430401");
  }
  assert.deepEqual([data, sound, picture].map(({ options }) => options.timeCritical), [
    false,
    true,
    true,
  ]);
});

Deno.test("NetStream notifies waiting listeners of a publisher's start, and all listeners of its end", () => {
  const { stream } = stage();
  const [waiting, publisher, late] = [stream(), stream(), stream()];
  waiting.do("play", "foo");
  publisher.do("publish", "foo");
  assert.deepEqual(waiting.client.session.take(), [
    "stream 1: onStatus 0 [status] NetStream.Play.PublishNotify: foo is now published",
  ]);
  assert.ok(!late.do("play", "foo").join().includes("PublishNotify"));
  publisher.do("closeStream");
  for (const one of [waiting, late]) {
    assert.deepEqual(one.client.session.take(), [
      "stream 1: onStatus 0 [status] NetStream.Play.UnpublishNotify: foo is now unpublished",
    ]);
  }
});

Deno.test("NetStream reports a refusal to play, and stops at closeStream, play(false), deleteStream and the end of its flow", () => {
  let words: string | undefined;
  const { stream, events, hub } = stage({
    subscribe: () => {
      if (words !== undefined) throw new Refused(words);
    },
  });
  const one = stream();
  words = "";
  assert.deepEqual(one.do("play", "foo"), [
    "stream 1: onStatus 0 [error] NetStream.Play.Failed: Not authorized to play foo",
  ]);
  words = "pay first";
  assert.deepEqual(one.do("play", "foo"), [
    "stream 1: onStatus 0 [error] NetStream.Play.Failed: pay first",
  ]);
  words = undefined;
  const stopped = [
    "stream 1: onStatus 0 [status] NetStream.Play.Stop: Stopped playing foo",
    "stream 1 b: end",
    "stream 1 c: end",
  ];
  one.do("play", "foo");
  events();
  assert.deepEqual(one.do("closeStream"), stopped);
  assert.deepEqual(events(), ["onUnsubscribe foo"]);
  const two = stream();
  two.do("play", "foo");
  assert.deepEqual(two.do("play", false), stopped);
  const three = stream();
  three.do("play", "foo");
  three.flow.end();
  assert.deepEqual(three.client.session.take(), stopped);
  const four = stream();
  four.do("play", "foo");
  assert.deepEqual(four.client.call("deleteStream", 0, 1), [...stopped, "stream 1: end"]);
  assert.equal(hub.publications.size, 0);
});

Deno.test("NetStream plays the stream of play2's options, and stops at play2 without options", () => {
  const { stream, hub } = stage();
  const one = stream();
  one.do("play2", { streamName: "foo", start: -2 });
  assert.ok(hub.publications.has("foo"));
  one.do("play2", null);
  one.do("play2");
  assert.equal(hub.publications.size, 0);
});

Deno.test("NetStream sends audio and video on separate flows, and data at time 0 on the third", () => {
  const { stream, events } = stage();
  const [listener, publisher] = [stream(), stream()];
  listener.do("play", "foo");
  publisher.do("publish", "foo");
  listener.client.session.take();
  events();
  publisher.send(
    video(0, "17000000000164"),
    audio(0, "af001210"),
    writeMessage(MessageType.data, 500, encodeAmf0("onCue", { a: 1 })),
    video(40),
    audio(45),
    video(80, INTER),
  );
  assert.deepEqual(listener.client.session.take(), [
    "stream 1 c: video 0 17000000000164",
    "stream 1 b: audio 0 af001210",
    'stream 1: data 0 onCue {"a":1}',
    `stream 1 c: video 40 ${KEY}`,
    "stream 1 b: audio 45 af01cc",
    `stream 1 c: video 80 ${INTER}`,
  ]);
  assert.deepEqual(events(), [
    "onVideoPacket 0 17000000000164",
    "onAudioPacket 0 af001210",
    `onDataPacket onCue ${toHex(encodeAmf0({ a: 1 }))}`,
    `onVideoPacket 40 ${KEY}`,
    "onAudioPacket 45 af01cc",
    `onVideoPacket 80 ${INTER}`,
  ]);
});

Deno.test("NetStream sends the same byte array to all listeners", () => {
  const { stream } = stage();
  const listeners = [stream(), stream(), stream()];
  for (const one of listeners) one.do("play", "foo");
  const publisher = stream();
  publisher.do("publish", "foo");
  publisher.send(video(0), audio(0), writeData("x", encodeAmf(1)));
  for (const at of [1, 2, 3]) {
    const last = listeners.map(({ client }) => client.session.flows[at].messages.at(-1)!);
    assert.equal(last[0], last[1]);
    assert.equal(last[1], last[2]);
  }
});

Deno.test("NetStream forwards data of types 0x0f and 0x12, and keeps @setDataFrame until @clearDataFrame", () => {
  const { stream } = stage();
  const [listener, publisher] = [stream(), stream()];
  listener.do("play", "foo");
  publisher.do("publish", "foo");
  listener.client.session.take();
  const meta = { width: 320 };
  publisher.send(
    writeMessage(MessageType.data, 9, encodeAmf0("@setDataFrame", "onMetaData", meta)),
    writeData("hello", encodeAmf0(1)),
    writeMessage(MessageType.data, 0, encodeAmf("again", "again")), // the value refers to the name
    writeMessage(MessageType.data, 0, encodeAmf0(12)),
    writeMessage(MessageType.dataAmf3, 0, fromHex("01020003")),
    writeMessage(MessageType.data, 0, fromHex("02ffff")),
  );
  assert.deepEqual(listener.client.session.take(), [
    'stream 1: data 0 onMetaData {"width":320}',
    "stream 1: data 0 hello 1",
    'stream 1: data 0 again "again"',
  ]);
  const late = stream();
  assert.equal(late.do("play", "foo").at(-1), 'stream 1: data 0 onMetaData {"width":320}');
  publisher.send(writeMessage(MessageType.data, 9, encodeAmf0("@clearDataFrame", "onMetaData")));
  assert.equal(stream().do("play", "foo").at(-1), `stream 1 c: ${SYNC}`);
});

Deno.test("NetStream sends librtmfp's captured metadata to a later listener", () => {
  const { stream } = stage();
  const publisher = stream();
  publisher.do("publish", "foo");
  publisher.send(fromHex(
    "120000000002000d40736574446174614672616d6502000a6f6e4d65746144617461080000000d00086475726174" +
      "696f6e0040082f1a9fbe76c9000577696474680040640000000000000006686569676874004" +
      "05e000000000000000009",
  ));
  assert.match(
    stream().do("play", "foo").at(-1)!,
    /^stream 1: data 0 onMetaData .*"width":160,"height":120/,
  );
});

Deno.test("NetStream drops media before publish and after its end", () => {
  const { stream } = stage();
  const [listener, publisher] = [stream(), stream()];
  listener.do("play", "foo");
  publisher.send(video(0), audio(0), writeData("x", encodeAmf(1)));
  publisher.do("publish", "foo");
  publisher.do("closeStream");
  listener.client.session.take();
  publisher.send(video(0), audio(0), writeData("x", encodeAmf(1)));
  assert.deepEqual(listener.client.session.take(), []);
});

Deno.test("NetStream counts losses of audio and video on each of their flows", () => {
  const { stream, hub } = stage();
  const publisher = stream();
  publisher.do("publish", "foo");
  const [sound, picture] = [publisher.client.stream(1), publisher.client.stream(1)];
  assert.ok(sound.bufferCapacity >= 1 << 20);
  sound.deliver(audio(0));
  picture.deliver(video(0));
  picture.receivedFragments += 2; // one message of three fragments, after two that were lost
  picture.lostFragments += 2;
  picture.deliver(video(40, INTER));
  sound.deliver(audio(20));
  const { audioQos, videoQos } = hub.publications.get("foo")!;
  assert.equal(audioQos.lostRate, 0);
  assert.equal(videoQos.lostRate, 2 / (2 + 4));
  assert.equal(videoQos.droppedFrames, 1); // the loss spoils frames up to the next key frame
  sound.end();
  picture.end();
  assert.ok(hub.publications.get("foo")!.publishing); // those flows brought no command
});

Deno.test("NetStream follows receiveAudio, receiveVideo, pause and seek, and refuses to seek while nothing plays", () => {
  let listener: Listener | undefined;
  const { stream } = stage({ subscribe: (_, one) => void (listener = one) });
  const one = stream();
  assert.deepEqual(one.do("receiveAudio", false), []); // nothing plays
  assert.deepEqual(one.do("pause", true, 0), []);
  assert.deepEqual(one.do("seek", 0), [
    "stream 1: onStatus 0 [error] NetStream.Seek.Failed: Nothing is played that could be sought in",
  ]);
  one.do("play", "foo");
  one.do("receiveAudio", false);
  one.do("receiveVideo", false);
  assert.deepEqual([listener!.receiveAudio, listener!.receiveVideo], [false, false]);
  one.do("receiveVideo", 15); // a frame rate
  assert.equal(listener!.receiveVideo, false);
  one.do("receiveVideo", true);
  assert.equal(listener!.receiveVideo, true);
  assert.deepEqual(one.do("pause", true, 1200), [
    "stream 1: onStatus 0 [status] NetStream.Pause.Notify: Pausing foo",
  ]);
  assert.equal(listener!.paused, true);
  assert.deepEqual(one.do("pauseRaw", false, 1200), [
    "stream 1: onStatus 0 [status] NetStream.Unpause.Notify: Unpausing foo",
  ]);
  assert.equal(listener!.paused, false);
  assert.deepEqual(one.do("seek", 3000), [
    "stream 1: onStatus 0 [status] NetStream.Seek.Notify: Seeking 3000 in foo",
  ]);
});

Deno.test("NetStream ignores unknown and unreadable commands", () => {
  const { stream, logged } = stage();
  const one = stream();
  for (const name of ["FCPublish", "setBufferTime", "resume", "onPeerConnect", "publishing"]) {
    assert.deepEqual(one.do(name, 1), []);
  }
  one.send(fromHex("14000000000200077075626c"), fromHex("040000000000220000000000000003"));
  assert.equal(logged.length, 1);
  assert.equal(one.client.connection.state, "connected");
});

Deno.test("NetStream sends media unreliably, and commands and data reliably, for play with -3 or -3000", () => {
  for (const start of [-3, -3000]) {
    const { stream } = stage();
    const [listener, publisher] = [stream(), stream()];
    publisher.do("publish", "foo");
    listener.do("play", "foo", start);
    publisher.send(video(0), audio(0), writeData("x", encodeAmf(1)));
    const [, data, sound, picture] = listener.client.session.flows;
    assert.deepEqual(data.reliable, [true, true, true, true]);
    assert.deepEqual(sound.reliable, [true, false]);
    assert.deepEqual(picture.reliable, [true, false]);
  }
  const { stream } = stage();
  const [listener, publisher] = [stream(), stream()];
  publisher.do("publish", "foo");
  listener.do("play", "foo", -2);
  publisher.send(video(0));
  assert.deepEqual(listener.client.session.flows[3].reliable, [true, true]);
});

Deno.test("NetStream drops queued frames of a slow listener, and sends it a status", () => {
  const { stream, hub } = stage();
  const [listener, publisher] = [stream(), stream()];
  publisher.do("publish", "foo");
  listener.do("play", "foo");
  publisher.send(video(0));
  listener.client.session.take();
  const [, , sound, picture] = listener.client.session.flows;
  sound.queuedBytes = 4 << 20;
  picture.queuedBytes = 4 << 20;
  picture.unsent = 1;
  publisher.send(video(40, INTER));
  assert.deepEqual(listener.client.session.take(), [
    "stream 1: onStatus 0 [status] NetStream.Play.InsufficientBW: " +
    "foo is more than the connection can take",
  ]);
  const [one] = hub.publications.get("foo")!.listeners.values();
  assert.equal(one.videoQos.droppedFrames, 2);
  assert.equal(one.audioQos.droppedFrames, 0);
});

Deno.test("NetStream counts no dropped header as a frame, and sends the flow's sync again", () => {
  const { stream, hub } = stage();
  const [listener, publisher] = [stream(), stream()];
  publisher.do("publish", "foo");
  listener.do("play", "foo");
  publisher.send(video(0, "17000000000164"), video(0), video(40, INTER));
  listener.client.session.take();
  const [, , , picture] = listener.client.session.flows;
  picture.queuedBytes = 8 << 20;
  picture.unsent = 4; // the sync, a header, and two frames
  publisher.send(video(80, INTER));
  assert.equal(listener.client.session.take()[0], "stream 1 c: event 34 0 3");
  const [one] = hub.publications.get("foo")!.listeners.values();
  assert.equal(one.videoQos.droppedFrames, 3);
});

Deno.test("NetStream sends sample access as a data message of two booleans", () => {
  let listener: Listener | undefined;
  const { stream } = stage({ subscribe: (_, one) => void (listener = one) });
  const one = stream();
  one.do("play", "foo");
  listener!.audioSampleAccess = true;
  assert.deepEqual(one.client.session.take(), ["stream 1: data 0 |RtmpSampleAccess true false"]);
});

Deno.test("NetStream sends a status and close when a script closes the client's publication", () => {
  const { stream, hub } = stage();
  const one = stream();
  one.do("publish", "foo");
  hub.publications.get("foo")!.close("Publish.Full", "too many");
  assert.deepEqual(one.client.session.take(), [
    "stream 1: onStatus 0 [status] NetStream.Publish.Full: too many",
    "stream 1: close 0",
  ]);
});

Deno.test("NetStream computes a listener's quality of service from acknowledgements of its flows", () => {
  const { stream, hub } = stage();
  const [listener, publisher] = [stream(), stream()];
  publisher.do("publish", "foo");
  listener.do("play", "foo");
  const [, , , picture] = listener.client.session.flows;
  const [one] = hub.publications.get("foo")!.listeners.values();
  const start = hub.now;
  picture.firstPending = 2; // the sync
  for (let i = 0; i < 250; i++) { // 25 frames a second of 1000 bytes
    hub.now = start + i * 40;
    publisher.send(video(i * 40, `17010000${"00".repeat(991)}`));
    picture.sentFragments++;
    if (i < 7) continue;
    if (i % 10 === 0) { // sent twice
      picture.lostFragments++;
      picture.sentFragments++;
    }
    if (i % 50 === 0) continue; // two at once the next time
    picture.ackedBytes = (i - 6) * 1000;
    picture.firstPending = i - 7 + 3;
    picture.handler!.onAcknowledged!();
  }
  const near = (value: number, expected: number) =>
    assert.ok(Math.abs(value - expected) <= expected * 0.1, `${value}, not ${expected}`);
  near(one.videoQos.byteRate, 25_000);
  near(one.videoQos.lostRate, 1 / 11);
  assert.equal(one.videoQos.latency, 20 + 0); // half a round trip, and no frame later than the first
  assert.equal(one.audioQos.byteRate, 0);
});

Deno.test("NetStream refuses to publish or play a name of 5,000 characters", () => {
  const { stream, hub } = stage();
  const one = stream();
  const name = "x".repeat(5000);
  assert.match(one.do("publish", name)[0], /\[error\] NetStream.Publish.Failed: The name is too/);
  assert.match(one.do("play", name)[0], /\[error\] NetStream.Play.Failed: The name is too long/);
  assert.equal(hub.publications.size, 0);
});

Deno.test("NetStream drops flows that the client rejects, and opens new ones at the next command", () => {
  const { stream } = stage();
  const [listener, publisher] = [stream(), stream()];
  publisher.do("publish", "foo");
  listener.do("play", "foo");
  const { flows } = listener.client.session;
  for (const flow of flows.slice(1)) flow.closed = true; // what an exception does
  publisher.send(video(0), audio(0), writeData("x", encodeAmf(1)));
  assert.deepEqual(listener.client.session.take(), []);
  assert.equal(flows.length, 4);
  assert.equal(listener.do("play", "foo").length, 6);
  assert.equal(flows.length, 7);
});

Deno.test("NetStream neither publishes nor plays if the application bans its client meanwhile", () => {
  const { stream, hub, events } = stage({
    publish: () => void hub.ban("192.0.2.1"),
    subscribe: () => void hub.ban("192.0.2.1"),
  });
  for (const what of ["publish", "play"]) {
    const one = stream();
    events();
    one.do(what, "foo");
    assert.equal(hub.publications.size, 0);
    assert.equal(events().at(-1), "onDisconnection");
    hub.unban("192.0.2.1");
  }
});

Deno.test("NetStream ends and writes no more when its client disconnects", () => {
  const { stream, events, hub } = stage();
  const [listener, publisher] = [stream(), stream()];
  listener.do("play", "foo");
  publisher.do("publish", "foo");
  events();
  const { session } = publisher.client;
  session.ended("closed by peer", true);
  assert.deepEqual(session.take(), ["session closed"]);
  assert.deepEqual(events(), ["onUnpublish foo", "onDisconnection"]);
  assert.match(listener.client.session.take().join(), /UnpublishNotify/);
  listener.client.session.ended("timeout", false);
  assert.deepEqual(events().slice(1), ["onUnsubscribe foo", "onDisconnection"]);
  assert.equal(hub.publications.size, 0);
});
