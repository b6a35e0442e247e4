// Tests that every door must pass: connect, call, publish, play, refuse, close.
import assert from "node:assert/strict";
import { type AmfObject, type AmfValue, encodeAmf, encodeAmf0 } from "../../src/amf/mod.ts";
import { toHex } from "../../src/bytes/hex.ts";
import type { Client } from "../../src/media/client.ts";
import { Refused } from "../../src/media/refused.ts";
import { readCommand } from "../../src/tc/format/commands.ts";
import { dataPayload, type Message, MessageType } from "../../src/tc/format/messages.ts";
import { type SharedObjectEvent, writeSharedObject } from "../../src/tc/format/shared_object.ts";
import type { Steps } from "../media/fakes.ts";
import { commandOf, messageText } from "../tc/message_text.ts";
import type { DoorClient, DoorUnderTest, TestedDoor } from "./door.ts";

/** Time (ms) in which every message is answered. */
const MOMENT = 200;
const KEY = Uint8Array.of(0x17, 1, 0, 0, 0, 7);
const INTER = Uint8Array.of(0x27, 1, 0, 0, 0, 8);
const VIDEO_HEADER = Uint8Array.of(0x17, 0, 0, 0, 0, 1);
const AUDIO_HEADER = Uint8Array.of(0xaf, 0, 0x12, 0x10);
const SOUND = Uint8Array.of(0xaf, 1, 9);

/** A client, with its received messages as lines: `stream: message`. */
class Speaker {
  #read = 0;

  constructor(
    readonly door: TestedDoor,
    readonly protocol: string,
    readonly client: DoorClient = door.open(),
  ) {}

  /** Lines received since the last call, without user control, in which doors differ. */
  hears(): string[] {
    this.door.pass(MOMENT);
    const news = this.client.heard.slice(this.#read);
    this.#read = this.client.heard.length;
    return news.filter(({ message }) => message.type !== MessageType.userControl)
      .map(({ stream, message }) => `${stream}: ${timeless(message)}`);
  }

  command(stream: number, name: string, transaction: number, ...values: AmfValue[]): void {
    this.client.send(stream, commandOf(name, transaction, ...values));
  }

  /** A command on message stream 0, and the messages it causes. */
  call(name: string, transaction: number, ...values: AmfValue[]): string[] {
    this.command(0, name, transaction, null, ...values);
    return this.hears();
  }

  connect(app = "live", told: AmfObject = {}, ...values: AmfValue[]): string[] {
    const tcUrl = `${this.protocol}://server.example/${app}`;
    this.command(0, "connect", 1, { app, tcUrl, objectEncoding: 0, ...told }, ...values);
    return this.hears();
  }

  /** A new stream that publishes or plays, and the messages it causes. */
  begins(what: "publish" | "play", name: string, ...more: AmfValue[]): string[] {
    this.call("createStream", 2);
    this.command(1, what, 0, null, name, ...more);
    return this.hears();
  }

  sends(type: number, timestamp: number, payload: Uint8Array): void {
    this.client.send(1, { type, timestamp, payload });
  }

  /** Sends events of a shared object; returns the messages they cause. */
  shares(name: string, ...events: (SharedObjectEvent | "persistent")[]): string[] {
    this.shared(name, ...events);
    return this.hears();
  }

  shared(name: string, ...events: (SharedObjectEvent | "persistent")[]): void {
    const message = {
      name,
      version: 0xffffffff,
      persistent: events.includes("persistent"),
      events: events.filter((event) => event !== "persistent"),
    };
    const payload = writeSharedObject(message, false);
    this.client.send(0, { type: MessageType.sharedObject, timestamp: 0, payload });
  }

  data(name: string, ...values: AmfValue[]): void {
    this.sends(MessageType.data, 0, dataPayload(name, encodeAmf0(...values)));
  }
}

/** A message without the time of data, in which doors differ. */
function timeless(message: Message): string {
  return messageText(message).replace(/^data \d+ /, "data ");
}

const SUCCESS = "0: _result 1 [status] NetConnection.Connect.Success: Connection succeeded";

/** Filters the lines of audio and video. */
const media = (lines: string[]) => lines.filter((line) => /: (audio|video) /.test(line));

/** Registers the tests of all doors for one door. */
export function testDoor({ protocol, serve }: DoorUnderTest): void {
  const test = (what: string, run: () => void) => Deno.test(`The ${protocol} door ${what}`, run);

  /** A door, and clients of it that have connected. */
  function start(count: number, steps: Steps = {}) {
    const door = serve(steps);
    const speakers = Array.from({ length: count }, () => new Speaker(door, protocol));
    for (const speaker of speakers) assert.deepEqual(speaker.connect(), [SUCCESS]);
    door.application.events.length = 0;
    return { door, speakers };
  }

  const eventsOf = ({ application }: TestedDoor) =>
    application.events.splice(0).filter((event) => !event.startsWith("onManage"));

  test("accepts connect, and passes the client's properties and values to the application", () => {
    let seen: Client | undefined;
    const values: AmfValue[] = [];
    const door = serve({
      connect: (client, reader) => {
        seen = client;
        while (!reader.done) values.push(reader.readValue());
        return encodeAmf0({ greeting: "hi" }).subarray(1, -3);
      },
    });
    const speaker = new Speaker(door, protocol);
    const told = { flashVer: "LNX 9", pageUrl: "http://p/", swfUrl: "http://s/" };
    assert.deepEqual(speaker.connect("a/b?x=1&y=2", told, "Tom", 42), [SUCCESS]);
    assert.equal(seen!.connection.protocol, protocol);
    assert.equal(seen!.path, "/a/b");
    assert.deepEqual([...seen!.properties], [["x", "1"], ["y", "2"]]);
    assert.deepEqual([seen!.flashVersion, seen!.pageUrl, seen!.swfUrl], Object.values(told));
    assert.equal(seen!.rawId.length, 32);
    assert.deepEqual(values, ["Tom", 42]);
    const answer = speaker.client.heard.find(({ message }) => message.type === MessageType.command);
    const info = readCommand(answer!.message)!.values.readValue() as AmfObject;
    assert.equal(info.objectEncoding, 0);
    assert.equal(info.greeting, "hi");
    assert.deepEqual([...door.hub.clients.values()], [seen]);
  });

  test("sends messages of the script after the answer to connect", () => {
    const door = serve({
      connect: (client) => {
        client.writer.message("first", encodeAmf("a"));
        client.connection.newWriter().message("second", encodeAmf());
        client.writer.message("third", encodeAmf("b"));
        return undefined;
      },
    });
    const lines = new Speaker(door, protocol).connect();
    const other = lines.indexOf("0: second 0"); // of another writer, which may overtake
    assert.ok(other >= 0);
    assert.deepEqual(lines.toSpliced(other, 1), [SUCCESS, '0: first 0 "a"', '0: third 0 "b"']);
  });

  test("gives two clients different ids", () => {
    const { door } = start(2);
    assert.equal(door.hub.clients.size, 2);
  });

  test("refuses connect with _error and close, then closes the session", () => {
    const door = serve({
      connect: () => {
        throw new Refused("you are not Tom!");
      },
    });
    const speaker = new Speaker(door, protocol);
    assert.deepEqual(speaker.connect(), [
      "0: _error 1 [error] NetConnection.Connect.Rejected: you are not Tom!",
      "0: close 0",
    ]);
    door.pass(10_000);
    assert.ok(speaker.client.closed);
    assert.equal(door.hub.sessions.size, 0);
    assert.deepEqual(eventsOf(door), ["onConnection"]);
  });

  test("refuses connect to a missing application with its path", () => {
    const door = serve();
    assert.deepEqual(new Speaker(door, protocol).connect("missing"), [
      "0: _error 1 [error] NetConnection.Connect.InvalidApp: Application /missing doesn't exist",
      "0: close 0",
    ]);
  });

  test("closes a client that does not connect within 10 s", () => {
    const door = serve();
    const { client } = new Speaker(door, protocol);
    door.pass(30_000);
    assert.ok(client.closed);
    assert.equal(door.hub.sessions.size, 0);
  });

  test("answers a second connect, and commands before the first, with an error only", () => {
    const door = serve();
    const speaker = new Speaker(door, protocol);
    assert.deepEqual(speaker.call("echo", 5), [
      "0: _error 5 [error] NetConnection.Call.Failed: Connect first, before calling 'echo'",
    ]);
    assert.deepEqual(speaker.connect(), [SUCCESS]);
    assert.deepEqual(speaker.connect(), [
      "0: _error 1 [error] NetConnection.Call.Failed: Already connected",
    ]);
    assert.equal(door.hub.clients.size, 1);
  });

  test("answers a call with its result, null, its error, or an unknown function", () => {
    const { speakers: [speaker] } = start(1, {
      call: (client, name, values) => {
        if (name === "echo") client.writer.result(encodeAmf(values.readValue()));
        if (name === "push") client.writer.message("onPush", encodeAmf("news"));
        if (name === "bad") throw new Refused("no");
        return name !== "missing";
      },
    });
    assert.deepEqual(speaker.call("echo", 7, "hello"), ['0: _result 7 "hello"']);
    assert.deepEqual(speaker.call("push", 8), ['0: onPush 0 "news"', "0: _result 8 null"]);
    assert.deepEqual(speaker.call("bad", 9), [
      "0: _error 9 [error] NetConnection.Call.Failed: no",
    ]);
    assert.deepEqual(speaker.call("missing", 10), [
      "0: _error 10 [error] NetConnection.Call.Failed: Method 'missing' not found",
    ]);
  });

  test("runs calls of transaction 0, and sends neither result nor error", () => {
    const { door, speakers: [speaker] } = start(1, {
      call: (client, name, values) => {
        if (name === "echo") client.writer.result(encodeAmf(values.readValue()));
        if (name === "bad") throw new Refused("no");
        return name !== "missing";
      },
    });
    const names = ["echo", "bad", "missing"];
    for (const name of names) assert.deepEqual(speaker.call(name, 0, 1), []);
    assert.deepEqual(eventsOf(door), names.map((name) => `call ${name}`));
    for (const name of ["releaseStream", "FCPublish", "FCUnpublish"]) {
      assert.deepEqual(speaker.call(name, 0, "foo"), []);
    }
  });

  test("sends calls of the server on the main writer and on other writers", () => {
    const { door, speakers: [speaker] } = start(1);
    const [{ connection }] = door.hub.clients.values();
    connection.writer.message("one", encodeAmf(1));
    connection.writer.status("X.Y", "z");
    const other = connection.newWriter();
    other.message("two", encodeAmf(2));
    assert.deepEqual(
      speaker.hears().sort(),
      [
        "0: one 0 1",
        "0: onStatus 0 [status] NetConnection.X.Y: z",
        "0: two 0 2",
      ].sort(),
    );
    other.close();
    other.message("late", encodeAmf());
    connection.writer.message("three", encodeAmf(3));
    assert.deepEqual(speaker.hears(), ["0: three 0 3"]);
    assert.deepEqual([...connection.writers], []);
  });

  test("numbers streams from 1", () => {
    const { speakers: [speaker] } = start(1);
    assert.deepEqual(speaker.call("createStream", 4), ["0: _result 4 1"]);
    assert.deepEqual(speaker.call("createStream", 5), ["0: _result 5 2"]);
    assert.deepEqual(speaker.call("deleteStream", 0, 1), []);
    assert.deepEqual(speaker.call("createStream", 6), ["0: _result 6 3"]);
  });

  test("answers publish with a status, and unpublishes at closeStream and deleteStream", () => {
    const { door, speakers: [speaker] } = start(1);
    const began = ["1: onStatus 0 [status] NetStream.Publish.Start: foo is now published"];
    const ended = ["1: onStatus 0 [status] NetStream.Unpublish.Success: foo is now unpublished"];
    assert.deepEqual(speaker.begins("publish", "foo", "live"), began);
    speaker.command(1, "closeStream", 0, null);
    assert.deepEqual(speaker.hears(), ended);
    speaker.command(1, "publish", 0, null, "foo", "live");
    assert.deepEqual(speaker.hears(), began);
    assert.deepEqual(speaker.call("deleteStream", 0, 1), ended);
    assert.deepEqual(eventsOf(door), [
      "onPublish foo",
      "onUnpublish foo",
      "onPublish foo",
      "onUnpublish foo",
    ]);
    assert.equal(door.hub.publications.size, 0);
  });

  test("refuses to publish a name in use, and a name that the application refuses", () => {
    const { speakers: [one, two, three] } = start(3, {
      publish: (_, { name }) => {
        if (name !== "foo") throw new Refused("not that");
      },
    });
    one.begins("publish", "foo", "live");
    assert.deepEqual(two.begins("publish", "foo", "live"), [
      "1: onStatus 0 [error] NetStream.Publish.BadName: foo is already published",
    ]);
    assert.deepEqual(three.begins("publish", "bar", "live"), [
      "1: onStatus 0 [error] NetStream.Publish.Failed: not that",
    ]);
  });

  test("stops playing when a script ends it, and plays again at the next play", () => {
    const { door, speakers: [publisher, listener] } = start(2);
    publisher.begins("publish", "foo", "live");
    listener.begins("play", "foo");
    door.application.events.length = 0;
    const [{ output }] = door.hub.publications.get("foo")!.listeners.values();
    output.ended!("Play.Stop", "");
    assert.deepEqual(listener.hears(), [
      "1: onStatus 0 [status] NetStream.Play.Stop: Stopped playing foo",
    ]);
    assert.equal(door.hub.publications.get("foo")!.listeners.size, 0);
    assert.deepEqual(eventsOf(door).length, 1);
    publisher.sends(MessageType.video, 0, KEY);
    assert.deepEqual(listener.hears(), []);
    listener.command(1, "play", 0, null, "foo");
    assert.ok(listener.hears().some((line) => line.includes("NetStream.Play.Start")));
  });

  test("sends a listener the publisher's bytes unchanged, headers first, from a key frame on", () => {
    const { door, speakers: [publisher, early, late] } = start(3);
    assert.deepEqual(early.begins("play", "foo"), [
      "1: onStatus 0 [status] NetStream.Play.Reset: Playing and resetting foo",
      "1: onStatus 0 [status] NetStream.Play.Start: Started playing foo",
    ]);
    publisher.begins("publish", "foo", "live");
    assert.deepEqual(early.hears(), [
      "1: onStatus 0 [status] NetStream.Play.PublishNotify: foo is now published",
    ]);
    publisher.data("@setDataFrame", "onMetaData", { width: 320 });
    publisher.sends(MessageType.audio, 0, AUDIO_HEADER);
    publisher.sends(MessageType.video, 0, VIDEO_HEADER);
    publisher.sends(MessageType.video, 0, KEY);
    publisher.sends(MessageType.audio, 10, SOUND);
    publisher.sends(MessageType.video, 40, INTER);
    const lines = early.hears();
    assert.ok(lines.includes('1: data onMetaData {"width":320}'), lines.join("\n"));
    const kind = (name: string) => media(lines).filter((line) => line.includes(`: ${name} `));
    assert.deepEqual(kind("video").map(payloadOf), [VIDEO_HEADER, KEY, INTER].map(toHex));
    assert.deepEqual(kind("audio").map(payloadOf), [AUDIO_HEADER, SOUND].map(toHex));

    late.begins("play", "foo");
    publisher.sends(MessageType.video, 80, INTER);
    assert.ok(!late.hears().some((line) => line.endsWith(toHex(INTER))), "not before a key frame");
    publisher.sends(MessageType.video, 120, KEY);
    publisher.sends(MessageType.audio, 130, SOUND);
    const second = late.client.heard.map(({ stream, message }) =>
      `${stream}: ${timeless(message)}`
    );
    const came = [...second, ...late.hears()];
    assert.ok(came.includes('1: data onMetaData {"width":320}'), "kept metadata");
    assert.deepEqual(
      new Set(media(came).map(payloadOf)),
      new Set([VIDEO_HEADER, KEY, AUDIO_HEADER, SOUND].map(toHex)),
    );
    assert.ok(eventsOf(door).includes(`onVideoPacket 40 ${toHex(INTER)}`));
  });

  test("sends a listener the data of the publisher", () => {
    const { speakers: [publisher, listener] } = start(2);
    publisher.begins("publish", "foo", "live");
    listener.begins("play", "foo");
    publisher.data("chat", "hello", 1);
    assert.deepEqual(listener.hears(), ['1: data chat "hello" 1']);
  });

  test("refuses play, and stops it at closeStream and at the end of the publication", () => {
    const { door, speakers: [publisher, listener, unwanted] } = start(3, {
      subscribe: (_, { publication }) => {
        if (publication.name !== "foo") throw new Refused("not that");
      },
    });
    assert.deepEqual(unwanted.begins("play", "bar"), [
      "1: onStatus 0 [error] NetStream.Play.Failed: not that",
    ]);
    publisher.begins("publish", "foo", "live");
    listener.begins("play", "foo");
    publisher.command(1, "closeStream", 0, null);
    assert.deepEqual(listener.hears(), [
      "1: onStatus 0 [status] NetStream.Play.UnpublishNotify: foo is now unpublished",
    ]);
    listener.command(1, "closeStream", 0, null);
    assert.deepEqual(listener.hears(), [
      "1: onStatus 0 [status] NetStream.Play.Stop: Stopped playing foo",
    ]);
    assert.equal(door.hub.publications.size, 0);
  });

  test("pauses, mutes and seeks a live stream", () => {
    const { speakers: [publisher, listener] } = start(2);
    publisher.begins("publish", "foo", "live");
    listener.begins("play", "foo");
    listener.command(1, "pause", 0, null, true, 0);
    assert.deepEqual(listener.hears(), [
      "1: onStatus 0 [status] NetStream.Pause.Notify: Pausing foo",
    ]);
    publisher.sends(MessageType.video, 0, KEY);
    assert.deepEqual(listener.hears(), []);
    listener.command(1, "pause", 0, null, false, 0);
    assert.deepEqual(listener.hears(), [
      "1: onStatus 0 [status] NetStream.Unpause.Notify: Unpausing foo",
    ]);
    listener.command(1, "receiveAudio", 0, null, false);
    publisher.sends(MessageType.audio, 5, SOUND);
    publisher.sends(MessageType.video, 10, KEY);
    assert.deepEqual(listener.hears().map(payloadOf), [toHex(KEY)]);
    listener.command(1, "seek", 0, null, 5000);
    assert.deepEqual(listener.hears(), [
      "1: onStatus 0 [status] NetStream.Seek.Notify: Seeking 5000 in foo",
    ]);
  });

  test("drops media of a stream that does not publish", () => {
    const { door, speakers: [speaker] } = start(1);
    speaker.call("createStream", 2);
    speaker.sends(MessageType.video, 0, KEY);
    speaker.data("chat", "hello");
    assert.deepEqual(speaker.hears(), []);
    assert.deepEqual(eventsOf(door), []);
  });

  test("removes a client that hangs up, with its publications and listeners", () => {
    const { door, speakers: [publisher, listener] } = start(2);
    publisher.begins("publish", "foo", "live");
    listener.begins("play", "foo");
    eventsOf(door);
    publisher.client.close();
    assert.deepEqual(listener.hears(), [
      "1: onStatus 0 [status] NetStream.Play.UnpublishNotify: foo is now unpublished",
    ]);
    assert.deepEqual(eventsOf(door), ["onUnpublish foo", "onDisconnection"]);
    listener.client.close();
    door.pass(MOMENT);
    assert.deepEqual(eventsOf(door), ["onUnsubscribe foo", "onDisconnection"]);
    assert.deepEqual([door.hub.clients.size, door.hub.sessions.size], [0, 0]);
  });

  test("removes a client that the script disconnects or bans", () => {
    const { door, speakers: [one, two] } = start(2);
    const [first, second] = door.hub.clients.values();
    first.connection.close();
    door.pass(10_000);
    assert.ok(one.client.closed);
    assert.deepEqual(eventsOf(door), ["onDisconnection"]);
    door.hub.ban(second.connection.hostname);
    door.pass(10_000);
    assert.ok(two.client.closed);
    assert.deepEqual(eventsOf(door), [
      "onFailed its address is blacklisted",
      "onDisconnection",
    ]);
    assert.equal(door.hub.sessions.size, 0);
  });

  test("serves use, change, call and release of a shared object", () => {
    const { door, speakers: [one, two] } = start(2);
    const { sharedObjects } = door.hub;
    assert.deepEqual(one.shares("chat/users", { type: "use" }), ["0: chat/users 0: use+ clear"]);
    one.shares("chat/users", { type: "requestChange", slot: "x", value: encodeAmf0("a") });
    assert.deepEqual(two.shares("chat/users", { type: "use" }), [
      '0: chat/users 1: use+ clear x="a"',
    ]);
    assert.deepEqual(one.hears(), []);
    assert.deepEqual(
      one.shares(
        "chat/users",
        { type: "requestChange", slot: "x", value: encodeAmf0({ b: 1 }) },
        { type: "requestChange", slot: "y", value: encodeAmf0(null) },
        { type: "sendMessage", values: encodeAmf0("say", "hello", 2) },
      ),
      ['0: chat/users 2: ok:x ok:y "say"("hello",2)'],
    );
    assert.deepEqual(two.hears(), ['0: chat/users 2: x={"b":1} y=null "say"("hello",2)']);
    assert.deepEqual(two.shares("chat/users", { type: "requestRemove", slot: "x" }), [
      "0: chat/users 3: ok:x",
    ]);
    assert.deepEqual(one.hears(), ["0: chat/users 3: -x"]);
    const undefinedValue = { type: "requestChange", slot: "y", value: encodeAmf0(undefined) };
    two.shares("chat/users", undefinedValue as SharedObjectEvent);
    assert.deepEqual(one.hears(), ["0: chat/users 4: -y"]);
    two.shares("chat/users", { type: "release" });
    assert.equal(sharedObjects.size, 1);
    one.client.close();
    door.pass(MOMENT);
    assert.deepEqual([sharedObjects.size, sharedObjects.uses], [0, 0]);
  });

  test("sends answers of shared objects and commands in the order of the requests", () => {
    const { speakers: [speaker] } = start(1, {
      call: (client, _, values) => {
        client.writer.result(encodeAmf(values.readValue()));
        return true;
      },
    });
    speaker.shared("o", { type: "use" });
    speaker.command(0, "echo", 5, null, "first");
    speaker.shared("o", { type: "requestChange", slot: "x", value: encodeAmf0(1) });
    speaker.command(0, "echo", 6, null, "second");
    assert.deepEqual(speaker.hears(), [
      "0: o 0: use+ clear",
      '0: _result 5 "first"',
      "0: o 1: ok:x",
      '0: _result 6 "second"',
    ]);
  });

  test("sends the same values of a shared object to clients of AMF3 and AMF0", () => {
    const door = serve();
    const old = new Speaker(door, protocol);
    const young = new Speaker(door, protocol);
    old.connect();
    young.connect("live", { objectEncoding: 3 });
    old.shares("o", { type: "use" });
    young.shares("o", { type: "use" });
    const value = encodeAmf({ list: [1, 2] });
    young.shares("o", { type: "requestChange", slot: "x", value });
    assert.deepEqual(old.hears(), ['0: o 1: x={"list":[1,2]}']);
    old.shares("o", { type: "requestChange", slot: "y", value: encodeAmf0("text") });
    assert.deepEqual(young.hears(), ['0: o 2: y="text"']);
    const types = ({ client: { heard } }: Speaker) => heard.map(({ message: { type } }) => type);
    assert.ok(!types(old).includes(MessageType.sharedObjectAmf3));
    assert.ok(!types(young).includes(MessageType.sharedObject));
  });

  test("refuses persistent objects without a store, long names, and events reserved for servers", () => {
    const { speakers: [speaker] } = start(1);
    const failed = "SharedObject.ObjectCreationFailed";
    assert.deepEqual(speaker.shares("p", { type: "use" }, "persistent"), [
      `0: p persistent 0: ${failed}`,
    ]);
    const long = "n".repeat(256);
    assert.deepEqual(speaker.shares(long, { type: "use" }), [`0: ${long} 0: ${failed}`]);
    speaker.shares("o", { type: "use" });
    const value = encodeAmf0(1);
    assert.deepEqual(
      speaker.shares("o", { type: "change", slot: "x", value }, { type: "clear" }, {
        type: "success",
        slot: "x",
      }),
      [],
    );
    const slot = "s".repeat(256);
    assert.deepEqual(speaker.shares("o", { type: "requestChange", slot, value }), [
      `0: o 1: SharedObject.NoWriteAccess -${slot}`,
    ]);
    const payload = Uint8Array.of(0, 1, 0x6f, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 3, 0, 0, 1, 0);
    speaker.client.send(0, { type: MessageType.sharedObject, timestamp: 0, payload });
    assert.deepEqual(speaker.call("createStream", 4), ["0: _result 4 1"]);
  });

  test("keeps shared objects of one name in two applications apart", () => {
    const door = serve();
    const [one, two] = [new Speaker(door, protocol), new Speaker(door, protocol)];
    one.connect("a");
    two.connect("b");
    one.shares("o", { type: "use" });
    two.shares("o", { type: "use" });
    one.shares("o", { type: "requestChange", slot: "x", value: encodeAmf0(1) });
    assert.deepEqual(two.hears(), []);
    assert.equal(door.hub.sharedObjects.size, 2);
  });

  test("queues all requests of clients of a busy application, in order", () => {
    let busy = false;
    const { door, speakers: [speaker, neighbour] } = start(2, {
      waits: (what) => busy && what !== "audio",
      call: () => true,
    });
    const turn = () => {
      door.hub.now += 20;
      door.hub.waiting.flush(door.hub.now);
    };
    speaker.call("createStream", 2);
    busy = true;
    assert.deepEqual(speaker.call("first", 3), []);
    assert.deepEqual(speaker.call("createStream", 4), []);
    assert.deepEqual(speaker.call("second", 5), []);
    speaker.command(1, "publish", 0, null, "cam");
    assert.deepEqual(speaker.hears(), []);
    speaker.sends(MessageType.video, 10, KEY);
    assert.deepEqual(speaker.hears(), []);
    const newcomer = new Speaker(door, protocol);
    assert.deepEqual(newcomer.connect(), []);
    assert.deepEqual(newcomer.call("third", 2), []);
    turn();
    assert.deepEqual(eventsOf(door), []);
    busy = false;
    turn();
    assert.deepEqual(eventsOf(door), [
      "call first",
      "call second",
      "onPublish cam",
      `onVideoPacket 10 ${toHex(KEY)}`,
      "onConnection",
      "call third",
    ]);
    assert.deepEqual(speaker.hears().filter((line) => line.startsWith("0: ")), [
      "0: _result 3 null",
      "0: _result 4 2",
      "0: _result 5 null",
    ]);
    assert.deepEqual(newcomer.hears(), [SUCCESS, "0: _result 2 null"]);
    assert.equal(door.hub.waiting.deadline, Infinity);
    assert.deepEqual(neighbour.call("fourth", 2), ["0: _result 2 null"]);
  });

  test("forwards media of a busy application without media events", () => {
    let busy = false;
    const { door, speakers: [publisher, player] } = start(2, {
      waits: (what) => busy && what === "call",
    });
    publisher.begins("publish", "cam");
    player.begins("play", "cam");
    busy = true;
    publisher.sends(MessageType.video, 0, KEY);
    publisher.sends(MessageType.audio, 5, SOUND);
    assert.equal(media(player.hears()).length, 2);
    publisher.command(0, "late", 9, null);
    publisher.hears();
    publisher.client.close();
    door.pass(MOMENT);
    assert.equal(door.hub.waiting.holds(publisher.client), false);
    busy = false;
    eventsOf(door);
    door.hub.now += 20;
    door.hub.waiting.flush(door.hub.now);
    assert.equal(eventsOf(door).includes("call late"), false);
  });

  test("closes only the client that exceeds the queue of a busy application", () => {
    let busy = false;
    const { door, speakers: [speaker, neighbour] } = start(2, { waits: () => busy });
    busy = true;
    const text = "x".repeat(60_000);
    for (let i = 0; i < 80; i++) {
      speaker.command(0, "much", 3, null, text);
      door.pass(20);
    }
    door.pass(MOMENT);
    assert.match(eventsOf(door)[0], /^onFailed it sends more than its application takes$/);
    busy = false;
    door.hub.now += 20;
    door.hub.waiting.flush(door.hub.now);
    assert.match(neighbour.call("x", 9)[0], /^0: _error 9 /);
    assert.equal(door.hub.clients.size, 1);
  });

  test("keeps a connection after invalid commands", () => {
    const { speakers: [speaker] } = start(1);
    speaker.client.send(0, {
      type: MessageType.command,
      timestamp: 0,
      payload: Uint8Array.of(2, 0, 9, 1),
    });
    speaker.client.send(0, { type: 99, timestamp: 0, payload: Uint8Array.of(1, 2, 3) });
    assert.deepEqual(speaker.call("createStream", 4), ["0: _result 4 1"]);
  });
}

const payloadOf = (line: string) => line.split(" ").at(-1)!;
