// NetConnection with the additions of a door, over a transport of one queue.
import assert from "node:assert/strict";
import { type AmfObject, type AmfValue, encodeAmf } from "../../src/amf/mod.ts";
import type { Recordings } from "../../src/media/recordings.ts";
import { Refused } from "../../src/media/refused.ts";
import type { Channel, ChannelHandler, ChannelKind, Transport } from "../../src/tc/channel.ts";
import type { Door } from "../../src/tc/door.ts";
import { readCommand } from "../../src/tc/format/commands.ts";
import { type Message, UserControl, userControlMessage } from "../../src/tc/format/messages.ts";
import { NetConnection } from "../../src/tc/net_connection.ts";
import type { NetStream } from "../../src/tc/net_stream.ts";
import { type Steps, world } from "../media/fakes.ts";
import { commandOf, messageText } from "./message_text.ts";

class QueueChannel implements Channel {
  handler: ChannelHandler | undefined;
  closed = false;
  readonly queuedBytes = 0;
  readonly queuedMessages = 0;
  readonly lastMessage = 0;
  readonly firstPending = 1;
  readonly sentFragments = 0;
  readonly lostFragments = 0;
  readonly ackedBytes = 0;
  constructor(readonly transport: QueueTransport, readonly stream: number) {}
  write(message: Message): void {
    this.transport.messages.push(message);
    this.transport.log.push(`${this.stream}: ${messageText(message)}`);
  }
  writeFrame(): void {}
  abandonUnsent(): number {
    return 0;
  }
  close(): void {
    this.closed = true;
  }
}

class QueueTransport implements Transport {
  readonly protocol = "queue";
  readonly rawId = new Uint8Array(32).fill(7);
  readonly address = "192.0.2.1:4000";
  readonly hostname = "192.0.2.1";
  readonly ping = 0;
  readonly lastReceived = 0;
  readonly queuedBytes = 0;
  readonly queuedMessages = 0;
  readonly log: string[] = [];
  readonly messages: Message[] = [];
  connection!: NetConnection;
  open(stream: number, _kind: ChannelKind): Channel {
    return new QueueChannel(this, stream);
  }
  close(): void {
    this.connection.ended();
  }
}

function connected(door: Door, steps?: Steps) {
  const { hub } = world(steps);
  const transport = new QueueTransport();
  const connection = new NetConnection(transport, door, hub);
  transport.connection = connection;
  connection.begin();
  const source = {};
  const take = () => transport.log.splice(0);
  return {
    transport,
    connection,
    take,
    call(name: string, transaction: number, ...values: AmfValue[]) {
      connection.receive(commandOf(name, transaction, ...values));
      return take();
    },
    onStream(id: number, name: string, ...values: AmfValue[]) {
      connection.streams.get(id)!.receive(commandOf(name, 0, null, ...values), source);
      return take();
    },
  };
}

Deno.test("accepting() lets the door send control messages before the answer, and extend its command object and info", () => {
  let told: AmfObject | undefined;
  const { transport, call } = connected({
    accepting: (connection, object) => {
      told = object;
      connection.control(UserControl.streamBegin, 0);
      return { object: { fmsVer: "FMS/3,5" }, info: { capsEx: 1 } };
    },
  }, {
    connect: (client) => {
      client.writer.message("hello", encodeAmf());
      return undefined;
    },
  });
  const lines = call("connect", 1, { app: "live", capsEx: 3 });
  assert.equal(told!.capsEx, 3);
  assert.deepEqual(lines.map((line) => line.split(" ")[1]), ["event", "_result", "hello"]);
  const answer = readCommand(transport.messages[1])!;
  assert.deepEqual({ ...answer.object as AmfObject }, { fmsVer: "FMS/3,5" });
  const info = answer.values.readValue() as AmfObject;
  assert.deepEqual([info.objectEncoding, info.capsEx], [0, 1]);
});

Deno.test("NetConnection does not call accepting() for a refused client", () => {
  const { call } = connected({ accepting: () => assert.fail("not accepted") }, {
    connect: () => {
      throw new Refused("no");
    },
  });
  assert.match(call("connect", 1, { app: "live" })[0], /^0: _error 1/);
});

Deno.test("NetConnection passes commands of connected clients to the door's command() first", () => {
  const { call } = connected({
    command: ({ writer }, { name }) => {
      if (name === "getStreamLength") writer.message("length", encodeAmf(0));
      return name === "getStreamLength";
    },
  }, { call: () => true });
  assert.match(call("getStreamLength", 1, null, "x")[0], /Connect first/);
  call("connect", 1, { app: "live" });
  assert.deepEqual(call("getStreamLength", 2, null, "x"), ["0: length 0 0"]);
  assert.deepEqual(call("other", 3, null), ["0: _result 3 null"]);
});

Deno.test("NetConnection passes user control events to the door, and ignores them if the door has no userControl()", () => {
  const events: unknown[] = [];
  const { connection, take } = connected({
    userControl: (_, event, values) => void events.push([event, ...values]),
  });
  connection.receive(userControlMessage(UserControl.setBufferLength, 1, 3000));
  assert.deepEqual(events, [[UserControl.setBufferLength, 1, 3000]]);
  const plain = connected({});
  plain.connection.receive(userControlMessage(UserControl.setBufferLength, 1, 3000));
  assert.deepEqual([...take(), ...plain.take()], []);
});

Deno.test("NetStream calls the door's published(), unpublished() and refusals after it answered the client", () => {
  const told: string[] = [];
  const tell = (what: string) => (stream: NetStream, name: string) => {
    told.push(`${what} ${stream.id} ${name}, after ${here.transport.log.length}`);
  };
  const here = connected({
    published: tell("published"),
    unpublished: tell("unpublished"),
    publishRefused: tell("publish refused"),
    playRefused: tell("play refused"),
  }, {
    publish: (_, { name }) => {
      if (name === "bad") throw new Refused();
    },
    subscribe: () => {
      throw new Refused();
    },
  });
  here.call("connect", 1, { app: "live" });
  here.call("createStream", 2, null);
  here.onStream(1, "publish", "foo", "live");
  assert.equal(here.connection.streams.get(1)!.publishing, "foo");
  here.onStream(1, "closeStream");
  assert.equal(here.connection.streams.get(1)!.publishing, undefined);
  here.onStream(1, "publish", "bad", "live");
  assert.deepEqual(here.onStream(1, "publish", "", "live"), []);
  here.onStream(1, "play", "foo");
  assert.deepEqual(told, [
    "published 1 foo, after 1",
    "unpublished 1 foo, after 1",
    "publish refused 1 bad, after 1",
    "publish refused 1 , after 0",
    "play refused 1 foo, after 1",
  ]);
});

Deno.test("NetStream answers play with stream begin, Reset and Start if the door has no flow sync", () => {
  const { call, onStream } = connected({});
  call("connect", 1, { app: "live" });
  call("createStream", 2, null);
  assert.deepEqual(onStream(1, "play", "foo"), [
    "0: event 0 1",
    "1: onStatus 0 [status] NetStream.Play.Reset: Playing and resetting foo",
    "1: onStatus 0 [status] NetStream.Play.Start: Started playing foo",
  ]);
});

Deno.test("NetConnection opens one recording at a time for a client, and keeps at most 65 requests", () => {
  const { call, onStream, connection } = connected({});
  const opening: { name: string; done: (recorded: undefined) => void }[] = [];
  connection.hub.recordings = {
    open: (_path: string, name: string, done: () => void) => void opening.push({ name, done }),
  } as Partial<Recordings> as Recordings;
  call("connect", 1, { app: "live" });
  call("createStream", 2, null);
  const refused: string[] = [];
  for (let i = 0; i < 1_000; i++) {
    refused.push(...call("getStreamLength", 3 + i, null, `length ${i}`));
    onStream(1, "play", `film ${i}`);
  }
  assert.equal(opening.length, 1);
  assert.ok(connection.recordings!.waiting <= 65, `${connection.recordings!.waiting} wait`);
  assert.ok(refused.length >= 930, `${refused.length} were refused`);
  assert.match(refused[0]!, /_error .*too many requests/);
  while (opening.length > 0) opening.shift()!.done(undefined);
  assert.equal(connection.recordings!.waiting, 0);
});
