import assert from "node:assert/strict";
import { type AmfObject, type AmfValue, AmfWriter, encodeAmf0 } from "../../src/amf/mod.ts";
import { Frame } from "../../src/media/frame.ts";
import type { Publication } from "../../src/media/publication.ts";
import { Refused } from "../../src/media/refused.ts";
import { readCommand } from "../../src/tc/format/commands.ts";
import { dataPayload, type Message, MessageType } from "../../src/tc/format/messages.ts";
import type { Steps } from "../media/fakes.ts";
import { commandOf, messageText } from "../tc/message_text.ts";
import { NO_LIMITS, type RtmpClient, SimulatedDoor } from "./simulated.ts";
import { captured, pieces, pseudoRandom } from "./support.ts";

const KEY = Uint8Array.of(0x17, 1, 0, 0, 0, 7);
const INTER = Uint8Array.of(0x27, 1, 0, 0, 0, 8);
const MOMENT = 200;

const said = (client: RtmpClient) =>
  client.heard.splice(0).map(({ stream, message }) => `${stream}: ${messageText(message)}`);

function connect(client: RtmpClient, told: AmfObject = {}): Message {
  const object = { app: "live", tcUrl: "rtmp://h/live", ...told };
  client.send(0, commandOf("connect", 1, object));
  client.door.pass(MOMENT);
  return client.heard.splice(0)[0].message;
}

function infoOf(message: Message): AmfObject {
  return readCommand(message)!.values.readValue() as AmfObject;
}

/** A client that has connected and has a stream. */
function ready(door: SimulatedDoor, told: AmfObject = {}): RtmpClient {
  const client = door.open();
  connect(client, told);
  client.send(0, commandOf("createStream", 2, null));
  door.pass(MOMENT);
  said(client);
  return client;
}

function begin(client: RtmpClient, what: "publish" | "play", ...values: AmfValue[]): string[] {
  client.send(1, commandOf(what, 0, null, ...values));
  client.door.pass(MOMENT);
  return said(client);
}

/** Answers to a captured client, and events of the application. */
function replay(name: string, pieceSize: number, steps: Steps = {}) {
  const door = new SimulatedDoor(steps);
  const client = door.open();
  const parts: Uint8Array[] = [];
  const heard = new Uint8Array(1 << 16);
  for (const piece of pieces(captured(name), pieceSize)) {
    client.session.receive(piece);
    for (let n = client.session.fill(heard); n > 0; n = client.session.fill(heard)) {
      parts.push(heard.slice(0, n));
    }
  }
  return { door, client, sent: parts };
}

Deno.test("RtmpSession accepts the publish of captured encoders, in pieces of any size", () => {
  const expected: Record<string, string> = {
    "ffmpeg-publish.client": "key1",
    "ffmpeg-publish-wrap.client": "wrap",
    "gst-rtmpsink-publish.client": "g1",
  };
  for (const [name, publication] of Object.entries(expected)) {
    const runs = [1, 333, 1 << 20].map((size) => {
      const { door } = replay(name, size);
      return door.application.events.filter((event) => !event.startsWith("call "));
    });
    assert.deepEqual(runs[0].slice(0, 2), ["onConnection", `onPublish ${publication}`], name);
    assert.ok(runs[0].filter((event) => event.startsWith("onVideoPacket")).length > 5, name);
    assert.deepEqual(runs[1], runs[0]);
    assert.deepEqual(runs[2], runs[0]);
  }
});

Deno.test("RtmpSession accepts connect and play of captured players", () => {
  for (const name of ["ffmpeg-play.client", "rtmpdump-play.client", "ffmpeg-vod-seek.client"]) {
    const { door } = replay(name, 100);
    const events = door.application.events.filter((event) => !event.startsWith("call "));
    assert.equal(events[0], "onConnection");
    assert.match(events[1], /^onSubscribe /, name);
  }
});

Deno.test("RtmpSession answers connect as Flash Media Server does, after limits and StreamBegin 0", () => {
  const client = new SimulatedDoor().open();
  const answer = connect(client);
  const command = readCommand(answer)!;
  assert.deepEqual({ ...command.object as AmfObject }, {
    fmsVer: "FMS/3,5,7,7009",
    capabilities: 31,
    mode: 1,
  });
  assert.deepEqual(client.events, [[0, 0]]);
  const members = Object.keys(command.values.readValue() as AmfObject);
  assert.deepEqual(members, ["level", "code", "description", "objectEncoding"]);
});

Deno.test("RtmpSession negotiates Enhanced RTMP with clients that request it", () => {
  const info = infoOf(connect(new SimulatedDoor().open(), {
    fourCcList: ["av01", "hvc1"],
    capsEx: 1,
  }));
  assert.deepEqual({ ...info.videoFourCcInfoMap as AmfObject }, { "*": 4 });
  assert.deepEqual({ ...info.audioFourCcInfoMap as AmfObject }, { "*": 4 });
  assert.deepEqual(info.fourCcList, ["av01", "hvc1"]);
  assert.equal(info.capsEx, 7);
});

Deno.test("RtmpServer asks clients that support reconnecting to do so when it stops", () => {
  const door = new SimulatedDoor();
  const [enhanced, plain] = [door.open(), door.open()];
  connect(enhanced, { capsEx: 1 });
  connect(plain);
  door.server.close();
  door.pass(MOMENT);
  assert.deepEqual(said(enhanced), [
    "0: onStatus 0 [status] NetConnection.Connect.ReconnectRequest: The server stops",
  ]);
  assert.deepEqual(said(plain), []);
  assert.ok(enhanced.closed && plain.closed);
});

Deno.test("RtmpSession passes the part of a stream's name after ? to scripts only", () => {
  const properties: Record<string, string>[] = [];
  const note = ({ properties: all }: Pick<Publication, "properties">) =>
    properties.push(Object.fromEntries(all));
  const door = new SimulatedDoor({
    publish: (_, publication) => void note(publication),
    subscribe: (_, listener) => void note(listener),
  });
  begin(ready(door), "publish", "key?token=a%20b&x", "live");
  assert.deepEqual([...door.hub.published()].map(({ name }) => name), ["key"]);
  begin(ready(door), "play", "key?y=1");
  begin(ready(door), "play", "mp4:key");
  assert.deepEqual(properties, [{ token: "a b", x: "" }, { y: "1" }, {}]);
  assert.equal(door.hub.publications.get("key")!.listeners.size, 2);
  assert.ok(door.logged.every((line) => !line.includes("token")));
});

Deno.test("RtmpSession answers FCPublish, releaseStream and similar commands as encoders expect", () => {
  const door = new SimulatedDoor();
  const client = door.open();
  connect(client);
  client.send(0, commandOf("releaseStream", 2, null, "key?a=b"));
  client.send(0, commandOf("FCPublish", 3, null, "key?a=b"));
  client.send(0, commandOf("createStream", 4, null));
  client.send(0, commandOf("_checkbw", 5, null));
  client.send(0, commandOf("getStreamLength", 6, null, "key"));
  client.send(0, commandOf("FCSubscribe", 0, null, "key"));
  door.pass(MOMENT);
  assert.deepEqual(said(client), [
    "0: _result 2 undefined",
    "0: _result 3 undefined",
    "0: _result 4 1",
    "0: _result 5 undefined",
    "0: _result 6 0",
    "0: onFCSubscribe 0 [status] NetStream.Play.Start: key",
  ]);
  assert.deepEqual(begin(client, "publish", "key?a=b", "live"), [
    "1: onStatus 0 [status] NetStream.Publish.Start: key is now published",
    "0: onFCPublish 0 [status] NetStream.Publish.Start: key",
  ]);
  client.send(0, commandOf("FCUnpublish", 7, null, "key?a=b"));
  door.pass(MOMENT);
  assert.deepEqual(said(client), [
    "1: onStatus 0 [status] NetStream.Unpublish.Success: key is now unpublished",
    "0: onFCUnpublish 0 [status] NetStream.Unpublish.Success: key",
    "0: _result 7 undefined",
  ]);
});

Deno.test("RtmpSession ends a publication at deleteStream with its name, as GStreamer expects", () => {
  const door = new SimulatedDoor();
  const client = ready(door);
  begin(client, "publish", "g1", "live");
  client.send(0, commandOf("deleteStream", 0, null, "g1"));
  door.pass(MOMENT);
  assert.deepEqual(door.application.events.slice(-1), ["onUnpublish g1"]);
});

Deno.test("RtmpSession sends a refused encoder a status, and closes it after 0.5 s", () => {
  const door = new SimulatedDoor({
    publish: () => {
      throw new Refused("wrong key");
    },
  });
  const refused = ready(door);
  assert.deepEqual(begin(refused, "publish", "key"), [
    "1: onStatus 0 [error] NetStream.Publish.Failed: wrong key",
  ]);
  assert.ok(!refused.closed);
  door.pass(600);
  assert.ok(refused.closed);
  assert.equal(door.server.counters.closed.refused, 1);
  const nameless = ready(door);
  assert.deepEqual(begin(nameless, "publish", "", "live"), [
    "1: onStatus 0 [error] NetStream.Publish.BadName: The stream has no name: rtmp://host/live/name",
  ]);
  door.pass(1000);
  assert.ok(nameless.closed);
});

Deno.test("RtmpSession keeps a refused publisher connected while it uses another stream", () => {
  const door = new SimulatedDoor({
    publish: () => {
      throw new Refused();
    },
  });
  const client = ready(door);
  begin(client, "play", "other");
  client.send(0, commandOf("createStream", 3, null));
  client.send(2, commandOf("publish", 0, null, "key"));
  door.pass(5000);
  assert.ok(!client.closed);
});

Deno.test("RtmpServer frees the name of a silent encoder within 10 s", () => {
  const door = new SimulatedDoor();
  const encoder = ready(door);
  begin(encoder, "publish", "key");
  encoder.wire.room = 0; // it vanishes: it neither reads nor answers pings
  const deadline = door.hub.now + 10_000;
  const next = ready(door);
  while (door.hub.now < deadline && door.hub.publications.get("key")?.publishing) door.pass(100);
  assert.deepEqual(begin(next, "publish", "key"), [
    "1: onStatus 0 [status] NetStream.Publish.Start: key is now published",
  ]);
  assert.equal(door.server.counters.closed.silent, 1);
  assert.ok(door.application.events.some((event) => event.startsWith("onFailed received nothing")));
});

Deno.test("RtmpSession keeps a silent player and a paused publisher that answer pings", () => {
  const door = new SimulatedDoor();
  const [player, publisher] = [ready(door), ready(door)];
  begin(player, "play", "key");
  begin(publisher, "publish", "key");
  door.pass(120_000);
  assert.ok(!player.closed && !publisher.closed);
  player.wire.room = 0;
  door.pass(40_000);
  assert.equal(door.hub.publications.get("key")!.listeners.size, 0);
});

Deno.test("RtmpSession keeps a player that answers no ping while it reads", () => {
  const door = new SimulatedDoor();
  const [publisher, mute] = [ready(door), ready(door)];
  begin(publisher, "publish", "key");
  begin(mute, "play", "key");
  mute.link.close(); // hears no ping
  for (let time = 0; time < 60_000; time += 1_000) {
    publisher.send(1, { type: MessageType.video, timestamp: time, payload: KEY });
    door.pass(1_000);
  }
  assert.ok(!mute.closed);
  publisher.close();
  door.pass(35_000);
  assert.equal(door.server.counters.closed.silent, 1);
});

Deno.test("RtmpServer closes and counts connections without a handshake after 5 s, without connect after 10 s, and of HTTP at once", () => {
  const door = new SimulatedDoor();
  const [address, hostname] = ["192.0.2.9:1", "192.0.2.9"];
  door.server.accept({ wake() {}, end() {} }, { protocol: "rtmp", address, hostname });
  door.pass(5_000);
  assert.equal(door.server.counters.closed["handshake timeout"], 1);
  door.open();
  door.pass(10_100);
  assert.equal(door.server.counters.closed["connect timeout"], 1);
  const other = door.open();
  other.session.receive(new TextEncoder().encode("GET / HTTP/1.1\r\n"));
  assert.equal(door.server.counters.closed.handshake, 1);
  assert.ok(other.wire.ended);
  assert.equal(door.hub.sessions.size, 0);
  door.pass(100);
  assert.equal(door.server.size, 0);
});

Deno.test("RtmpServer keeps 256 of 10,000 half-open connections, 16 of one address, and serves other clients", () => {
  const limits = {
    ...NO_LIMITS,
    connectionsOfAddress: 20,
    unconnected: 256,
    unconnectedOfAddress: 16,
  };
  const door = new SimulatedDoor({}, { limits });
  const wire = { wake() {}, end() {} };
  const accept = (hostname: string) =>
    door.server.accept(wire, { protocol: "rtmp", address: `${hostname}:1`, hostname });
  for (let i = 0; i < 10_000; i++) accept(`192.0.2.${i % 250}`);
  assert.equal(door.server.unconnected, 256);
  const client = door.open("198.51.100.1");
  assert.equal(infoOf(connect(client)).code, "NetConnection.Connect.Success");
  assert.equal(door.server.counters.closed["too many connections"], 10_000 - 256 + 1);
  for (let i = 0; i < 16; i++) assert.ok(accept("203.0.113.1"));
  assert.equal(accept("203.0.113.1"), undefined);
  door.hub.ban("203.0.113.9");
  assert.equal(accept("203.0.113.9"), undefined);
  assert.equal(door.server.counters.closed.blacklisted, 1);
});

Deno.test("RtmpServer redirects a client to the address that onHandshake returns", () => {
  const door = new SimulatedDoor();
  door.applications.addresses = ["192.0.2.7:1935"];
  const client = door.open();
  const answer = connect(client, { tcUrl: "rtmp://h/live?room=1" });
  const info = infoOf(answer);
  assert.equal(info.code, "NetConnection.Connect.Rejected");
  assert.deepEqual({ ...info.ex as AmfObject }, {
    code: 302,
    redirect: "rtmp://192.0.2.7:1935/live",
  });
  const [request] = door.applications.handshakes;
  assert.deepEqual([request.path, request.attempts, request.url], ["/live", 1, "h:1935"]);
  assert.deepEqual([...request.properties], [["room", "1"]]);
  door.pass(3_000);
  assert.ok(client.closed);
});

Deno.test("RtmpSession keeps metadata received before publish, and drops repeated metadata", () => {
  const door = new SimulatedDoor();
  const [publisher, player] = [ready(door), ready(door)];
  begin(player, "play", "key");
  const metadata = (width: number): Message => ({
    type: MessageType.data,
    timestamp: 0,
    payload: dataPayload("@setDataFrame", encodeAmf0("onMetaData", { width })),
  });
  publisher.send(0, metadata(1));
  publisher.send(1, metadata(2));
  begin(publisher, "publish", "key");
  publisher.send(1, { type: MessageType.video, timestamp: 0, payload: KEY });
  for (const width of [3, 3, 3, 4]) publisher.send(1, metadata(width));
  door.pass(MOMENT);
  const data = said(player).filter((line) => line.includes("onMetaData"))
    .map((line) => line.replace(/data \d+ /, ""));
  assert.deepEqual(data, [2, 3, 4].map((width) => `1: onMetaData {"width":${width}}`));
});

Deno.test("RtmpSession sends AMF0 messages to a client of AMF0, and AMF3 types to a client of AMF3", () => {
  const door = new SimulatedDoor({
    call: (client) => {
      client.writer.message("hello", amf3);
      return true;
    },
  });
  const writer = new AmfWriter({ form: "amf3" });
  writer.writeValue("text");
  const amf3 = writer.bytes();
  assert.equal(amf3[0], 0x11);
  const [publisher, old, flash] = [ready(door), ready(door), ready(door, { objectEncoding: 3 })];
  begin(publisher, "publish", "key");
  for (const player of [old, flash]) begin(player, "play", "key");
  publisher.send(1, { type: MessageType.data, timestamp: 0, payload: dataPayload("chat", amf3) });
  flash.send(0, commandOf("call", 5, null));
  door.pass(MOMENT);
  const typesOf = (client: RtmpClient) => client.heard.map(({ message }) => message.type);
  assert.deepEqual(typesOf(old), [MessageType.data]);
  assert.deepEqual(old.heard[0].message.payload, dataPayload("chat", encodeAmf0("text")));
  assert.deepEqual(typesOf(flash).sort(), [
    MessageType.dataAmf3,
    MessageType.commandAmf3,
    MessageType.command,
  ]);
  assert.ok(said(flash).includes('0: hello 0 "text"'));
});

Deno.test("RtmpSession queues at most 100,000 bytes and one frame for a player that does not read, and delays no other player", () => {
  const door = new SimulatedDoor({}, { sendQueue: 100_000 });
  const [publisher, slow, good] = [ready(door), ready(door), ready(door)];
  begin(publisher, "publish", "key");
  for (const player of [slow, good]) begin(player, "play", "key");
  slow.wire.room = 5_000;
  const frame = (role: Uint8Array) => {
    const payload = new Uint8Array(3_000);
    payload.set(role);
    return payload;
  };
  let time = 0;
  for (let group = 0; group < 20; group++) {
    for (let i = 0; i < 10; i++, time += 40) {
      const payload = frame(i === 0 ? KEY : INTER);
      publisher.send(1, { type: MessageType.video, timestamp: time, payload });
    }
    door.pass(100);
    assert.ok(slow.session.queuedBytes <= 100_000 + 3_000);
  }
  const count = (client: RtmpClient) =>
    client.heard.filter(({ message }) => message.type === MessageType.video).length;
  assert.equal(count(good), 200);
  slow.wire.room = Infinity;
  door.pass(500);
  const lines = said(slow);
  assert.ok(lines.some((line) => line.includes("NetStream.Play.InsufficientBW")));
  const frames = lines.filter((line) => /^1: video /.test(line));
  assert.ok(frames.length < 50 && frames.length > 5, `${frames.length} frames`);
  for (const line of frames) assert.match(line, / (17|27)01[0-9a-f]{5996}$/, "whole frames only");
});

Deno.test("QualityOfService of an RTMP listener counts bytes that the client has read", () => {
  const door = new SimulatedDoor();
  const [publisher, player] = [ready(door), ready(door)];
  begin(publisher, "publish", "key");
  begin(player, "play", "key");
  const [listener] = door.hub.publications.get("key")!.listeners.values();
  for (let time = 0; time < 5_000; time += 100) {
    publisher.send(1, { type: MessageType.video, timestamp: time, payload: KEY });
    door.pass(100);
  }
  const rate = listener.videoQos.byteRate;
  assert.ok(Math.abs(rate - 10 * KEY.length) < 10, `${rate} bytes a second`);
  assert.equal(listener.videoQos.lostRate, 0);
  player.wire.room = 0;
  for (let time = 5_000; time < 11_000; time += 100) {
    publisher.send(1, { type: MessageType.video, timestamp: time, payload: KEY });
    door.pass(100);
  }
  assert.equal(listener.videoQos.byteRate, 0);
});

Deno.test("RtmpSession reports the round trip of a ping in ms", () => {
  const door = new SimulatedDoor();
  const client = ready(door);
  door.pass(6_000);
  assert.equal(door.hub.clients.size, 1);
  const [{ connection }] = door.hub.clients.values();
  assert.equal(connection.ping, 0, "within one step of this test's time");
  client.wire.room = 0;
  door.pass(5_000);
  client.wire.room = Infinity;
  door.pass(100);
  assert.ok(connection.ping >= 100);
});

Deno.test("RtmpSession passes frames of a publisher with their bytes, times and roles", () => {
  const frames: Frame[] = [];
  const door = new SimulatedDoor({
    video: (_, __, time, packet) => void frames.push(new Frame("video", time, packet)),
  });
  const publisher = ready(door);
  begin(publisher, "publish", "key");
  publisher.send(1, { type: MessageType.video, timestamp: 0xfffffff0, payload: KEY });
  publisher.send(1, { type: MessageType.video, timestamp: 16, payload: INTER });
  door.pass(MOMENT);
  assert.deepEqual(frames.map(({ time, role }) => [time, role]), [[0xfffffff0, "key"], [
    16,
    "inter",
  ]]);
});

/** A video frame with the length of a camera's picture. */
function picture(role: Uint8Array): Uint8Array {
  const payload = new Uint8Array(30_000);
  payload.set(role);
  return payload;
}

Deno.test("RtmpSession drops frames that have waited for 2 s, with any size of the queue", () => {
  const door = new SimulatedDoor();
  const [publisher, slow] = [ready(door), ready(door)];
  begin(publisher, "publish", "key");
  begin(slow, "play", "key");
  let most = 0;
  for (let time = 0; time < 10_000; time += 100) {
    if (time === 1_000) slow.wire.room = 0;
    const role = time % 1_000 === 0 ? KEY : INTER;
    publisher.send(1, { type: MessageType.video, timestamp: time, payload: picture(role) });
    door.pass(100);
    most = Math.max(most, slow.session.queuedBytes);
  }
  assert.ok(most > 500_000 && most < 1_000_000, `${most} bytes`);
  slow.wire.room = Infinity;
  door.pass(200);
  const codes = said(slow).filter((line) => line.includes("InsufficientBW"));
  assert.ok(codes.length >= 2 && codes.length <= 5, `${codes.length} times`);
});

Deno.test("RtmpSession sends a late viewer all frames since the key frame", () => {
  const door = new SimulatedDoor({}, { recent: 4 << 20 });
  const publisher = ready(door);
  begin(publisher, "publish", "key");
  const send = (time: number, role: Uint8Array) => {
    publisher.send(1, { type: MessageType.video, timestamp: time, payload: picture(role) });
    door.pass(100);
  };
  send(50_000, KEY);
  for (let time = 50_100; time < 53_000; time += 100) send(time, INTER);
  const late = ready(door);
  late.wire.room = 1_000;
  begin(late, "play", "key");
  for (let time = 53_000; time < 57_000; time += 100) {
    late.wire.room = 60_000; // a line twice as fast as the stream
    send(time, INTER);
  }
  late.wire.room = Infinity;
  door.pass(200);
  const frames = late.heard.filter(({ message }) => message.type === MessageType.video);
  assert.equal(frames.length, 70);
  const times = frames.map(({ message }) => message.timestamp);
  assert.deepEqual(times, Array.from({ length: 70 }, (_, i) => 100 * i), "from 0 on");
});

Deno.test("RtmpServer closes or serves a session of mutated input without effect on others", () => {
  const door = new SimulatedDoor();
  const good = ready(door);
  begin(good, "play", "steady");
  const random = pseudoRandom(77);
  const names = ["ffmpeg-publish.client", "gst-rtmpsink-publish.client", "ffmpeg-play.client"];
  const block = new Uint8Array(1 << 16);
  for (let round = 0; round < 240; round++) {
    const bytes = captured(names[round % names.length]).slice(0, 9_000);
    const [a, b, c, d] = random(4);
    // handshake, first commands, or anywhere
    const at =
      [(a << 8 | b) % 3_073, 3_073 + (a << 8 | b) % 700, (a << 8 | b) % bytes.length][round % 3];
    bytes[at % bytes.length] ^= 1 << (c & 7);
    bytes[(at + d) % bytes.length] = c;
    const client = door.open(`198.51.100.${round}`);
    for (const piece of pieces(bytes, 1 + d * 40)) {
      client.session.receive(piece);
      while (client.session.fill(block) > 0);
    }
    client.session.gone();
  }
  assert.equal(door.hub.sessions.size, 1);
  assert.equal(door.hub.publications.size, 1);
  const publisher = ready(door);
  begin(publisher, "publish", "steady");
  publisher.send(1, { type: MessageType.video, timestamp: 0, payload: KEY });
  door.pass(MOMENT);
  assert.ok(said(good).some((line) => line.startsWith("1: video ")));
});

Deno.test("RtmpServer reports an exception in a message handler, and ends only that session", () => {
  const door = new SimulatedDoor({
    call: () => {
      throw new TypeError("a bug");
    },
  });
  const client = ready(door);
  client.send(0, commandOf("anything", 3, null));
  assert.throws(() => door.pass(MOMENT), /a bug/);
  assert.equal(door.hub.clients.size, 0);
  assert.equal(door.server.counters.closed["internal error"], 1);
});
