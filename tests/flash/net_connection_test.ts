import { writeUserControl } from "../tc/flow_messages.ts";
import assert from "node:assert/strict";
import { type AmfObject, decodeAmf, encodeAmf, encodeAmf0, MixedArray } from "../../src/amf/mod.ts";
import { fromHex, toHex } from "../../src/bytes/hex.ts";
import { readCommand } from "../../src/tc/format/commands.ts";
import { readMessage } from "../../src/tc/format/messages.ts";
import { writeTcMetadata } from "../../src/tc/format/metadata.ts";
import type { CloseReason } from "../../src/rtmfp/session/handlers.ts";
import { Refused } from "../../src/media/refused.ts";
import type { Client } from "../../src/media/client.ts";
import { command, flashWorld, textOf } from "./fakes.ts";

const NOT_CONNECTED = (name: string) =>
  `[error] NetConnection.Call.Failed: Connect first, before calling '${name}'`;

Deno.test("NetConnection answers connect on a control flow associated with the client's", () => {
  const { flash, hub } = flashWorld();
  const client = flash();
  assert.deepEqual(client.connect(), [
    "control: _result 1 [status] NetConnection.Connect.Success: Connection succeeded",
  ]);
  const [flow] = client.session.flows;
  assert.equal(client.session.flows.length, 1);
  assert.equal(toHex(flow.metadata), "54430400");
  assert.equal(flow.options.association, client.control);
  // the bytes of the reference vector, "connect _result"
  assert.equal(
    toHex(flow.messages[0]),
    "14000000000200075f726573756c74003ff0000000000000050300056c6576656c0200067374617475730004636f64" +
      "6502001d4e6574436f6e6e656374696f6e2e436f6e6e6563742e53756363657373000b6465736372697074696f" +
      "6e020014436f6e6e656374696f6e20737563636565646564000e6f626a656374456e636f64696e670040080000" +
      "00000000000009",
  );
  assert.equal(hub.clients.size, 1);
});

Deno.test("NetConnection accepts librtmfp's captured connect with transaction 0", () => {
  const { flash, hub } = flashWorld();
  const client = flash();
  client.control.deliver(fromHex(
    "1400000000020007636f6e6e6563740000000000000000000300036170700200046c6976650008666c617368566572" +
      "02000e57494e2032302c302c302c323836000673776655726c0200000005746355726c02001b72746d66703a2f2f" +
      "3132372e302e302e313a313933352f6c6976650004667061640100000c6361706162696c697469657300406d6000" +
      "00000000000b617564696f436f646563730040abee0000000000000b766964656f436f6465637300406f80000000" +
      "0000000d766964656f46756e6374696f6e003ff000000000000000077061676555726c020000000e6f626a656374" +
      "456e636f64696e67004008000000000000000009",
  ));
  assert.deepEqual(client.session.take(), [
    "control: _result 0 [status] NetConnection.Connect.Success: Connection succeeded",
  ]);
  const [one] = hub.clients.values();
  assert.equal(one.path, "/live");
  assert.equal(one.flashVersion, "WIN 20,0,0,286");
  assert.equal(one.pageUrl, "");
  assert.equal(one.address, "192.0.2.1:4000");
});

Deno.test("NetConnection passes the properties and values of connect to the application", () => {
  let seen: Client | undefined;
  const values: unknown[] = [];
  const { flash } = flashWorld({
    connect: (client, reader) => {
      seen = client;
      while (!reader.done) values.push(reader.readValue());
      return undefined;
    },
  });
  flash(9).connect(
    {
      tcUrl: "rtmfp://host.example/a/b/?arg1=v+1&x=%C3%A9&arg1=v2&flag",
      flashVer: "LNX 11",
      pageUrl: "http://p/",
      swfUrl: "http://s/",
      objectEncoding: 0,
    },
    1,
    "Tom",
    42,
  );
  assert.equal(seen!.path, "/a/b");
  assert.deepEqual([...seen!.properties], [["arg1", "v2"], ["x", "é"], ["flag", ""]]);
  assert.equal(seen!.id, "09".repeat(32));
  assert.deepEqual([seen!.flashVersion, seen!.pageUrl, seen!.swfUrl], [
    "LNX 11",
    "http://p/",
    "http://s/",
  ]);
  assert.equal(seen!.connection.objectEncoding, 0);
  assert.deepEqual(values, ["Tom", 42]);
});

Deno.test("NetConnection returns the object encoding and the application's members in the result of connect", () => {
  const { flash } = flashWorld({
    connect: () => {
      const object = encodeAmf0({ message: "welcome" });
      return object.subarray(1, object.length - 3);
    },
  });
  for (const [sent, echoed] of [[0, 0], [3, 3], [undefined, 0]]) {
    const client = flash();
    client.connect({ objectEncoding: sent });
    const { values } = readCommand(readMessage(client.session.flows[0].messages[0])!)!;
    const info = values.readValue() as AmfObject;
    assert.deepEqual({ ...info }, {
      level: "status",
      code: "NetConnection.Connect.Success",
      description: "Connection succeeded",
      objectEncoding: echoed,
      message: "welcome",
    });
    assert.ok(values.done);
  }
});

Deno.test("NetConnection accepts connect with a mixed array or without a command object", () => {
  const { flash, hub } = flashWorld();
  const client = flash(1);
  const array = new MixedArray({ app: "x", flashVer: "V" });
  client.control.deliver(command("connect", 1, array));
  assert.equal(hub.clients.get("01".repeat(32))!.flashVersion, "V");
  flash(2).call("connect", 1);
  assert.equal(hub.clients.get("02".repeat(32))!.path, "");
});

Deno.test("NetConnection sends the script's messages after the answer to connect", () => {
  const { flash } = flashWorld({
    connect: (client) => {
      client.writer.message("first", encodeAmf("a"));
      const other = client.connection.newWriter();
      other.reliable = false;
      other.message("second", new Uint8Array());
      client.writer.status("X.Y", "z");
      return undefined;
    },
  });
  const client = flash();
  assert.deepEqual(client.connect(), [
    "control: _result 1 [status] NetConnection.Connect.Success: Connection succeeded",
    'control: first 0 "a"',
    "control b: second 0",
    "control: onStatus 0 [status] NetConnection.X.Y: z",
  ]);
  assert.deepEqual(client.session.flows[1].reliable, [false]);
});

Deno.test("NetConnection refuses connect with _error, close and the end of the flow, then closes the session after 2 s", () => {
  const { flash, hub, server, events } = flashWorld({
    connect: (client) => {
      client.writer.message("goodbye", new Uint8Array());
      throw new Refused("you are not Tom!");
    },
  });
  const client = flash();
  assert.deepEqual(client.connect(), [
    "control: _error 1 [error] NetConnection.Connect.Rejected: you are not Tom!",
    "control: goodbye 0",
    "control: close 0",
    "control: end",
  ]);
  assert.ok(!client.control.rejected); // or it would reject the answer
  client.call("echo", 2);
  hub.now += 1000;
  server.hub.manage();
  assert.equal(client.session.closed, 0);
  hub.now += 1000;
  server.hub.manage();
  assert.equal(client.session.closed, 1);
  assert.equal(server.size, 0);
  const told = events().filter((event) => event !== "onManage");
  assert.deepEqual(told, ["onConnection"]); // neither onFailed nor onDisconnection: API-637
});

Deno.test("NetConnection closes a refused session once the client acknowledged the end of the flow", () => {
  const { flash } = flashWorld({
    connect: () => {
      throw new Refused();
    },
  });
  const client = flash();
  assert.match(client.connect()[0], /Rejected: client rejected$/);
  client.session.flows[0].handler!.onClosed!();
  assert.equal(client.session.closed, 1);
});

Deno.test("NetConnection refuses connect to a missing application or an invalid path", () => {
  const { flash } = flashWorld();
  const answer = (tcUrl: string) => flash().connect({ tcUrl })[0];
  assert.equal(
    answer("rtmfp://h/missing"),
    "control: _error 1 [error] NetConnection.Connect.InvalidApp: Application /missing doesn't exist",
  );
  for (const path of ["a/../b", "a//b", "./a", "%2e%2e/a", "a%2fb", "a%5Cb", "a%00"]) {
    assert.match(answer(`rtmfp://h/${path}`), /InvalidApp/, path);
  }
});

Deno.test("NetConnection answers a second connect, and calls before the first, with an error only", () => {
  const { flash, events } = flashWorld();
  const client = flash();
  assert.deepEqual(client.call("echo", 5), [`control: _error 5 ${NOT_CONNECTED("echo")}`]);
  assert.deepEqual(client.call("createStream", 6), [
    `control: _error 6 ${NOT_CONNECTED("createStream")}`,
  ]);
  client.connect();
  assert.deepEqual(client.connect(), [
    "control: _error 1 [error] NetConnection.Call.Failed: Already connected",
  ]);
  assert.deepEqual(events(), ["onConnection"]);
});

Deno.test("NetConnection answers a call with the function's result, its error, or null", () => {
  const { connected } = flashWorld({
    call: (client, name, values) => {
      if (name === "echo") client.writer.result(encodeAmf(values.readValue()));
      if (name === "many") client.writer.result(encodeAmf(1, "two"));
      if (name === "push") client.writer.message("onPush", encodeAmf(values.readValue()));
      if (name === "bad") throw new Refused("..main.lua:3: test function takes two arguments");
      if (name === "worse") throw new Refused();
      return name !== "nosuchmethod";
    },
  });
  const client = connected();
  assert.deepEqual(client.call("echo", 7, "hello"), ['control: _result 7 "hello"']);
  assert.deepEqual(client.call("many", 7), ['control: _result 7 1 "two"']);
  assert.deepEqual(client.call("push", 0, "ping"), ['control: onPush 0 "ping"']);
  assert.deepEqual(client.call("push", 8, "ping"), [
    'control: onPush 0 "ping"',
    "control: _result 8 null",
  ]);
  assert.deepEqual(client.call("bad", 9), [
    "control: _error 9 [error] NetConnection.Call.Failed: ..main.lua:3: test function takes two arguments",
  ]);
  assert.deepEqual(client.call("worse", 9), [
    "control: _error 9 [error] NetConnection.Call.Failed: Unknown error",
  ]);
  assert.deepEqual(client.call("nosuchmethod", 10), [
    "control: _error 10 [error] NetConnection.Call.Failed: Method 'nosuchmethod' not found",
  ]);
  client.connection.writer.result(encodeAmf(1)); // outside of a call
  assert.deepEqual(client.session.take(), ["control: _result 0 1"]);
});

Deno.test("NetConnection runs a call with transaction 0, and sends neither result nor error", () => {
  const called: string[] = [];
  const { flash, connected } = flashWorld({
    call: (client, name, values) => {
      called.push(name);
      if (name === "echo") client.writer.result(encodeAmf(values.readValue()));
      if (name === "bad") throw new Refused("no");
      if (name === "broken") values.readValue();
      return name !== "missing";
    },
  });
  const client = connected();
  for (const name of ["echo", "nothing", "bad", "missing", "releaseStream"]) {
    assert.deepEqual(client.call(name, 0, "hello"), [], name);
  }
  // librtmfp's, as captured
  client.control.deliver(fromHex("14000000000200046563686f0000000000000000000511060b68656c6c6f"));
  client.control.deliver(fromHex("140000000002000662726f6b656e00000000000000000005ff"));
  assert.deepEqual(client.session.take(), []);
  assert.deepEqual(called, [
    "echo",
    "nothing",
    "bad",
    "missing",
    "releaseStream",
    "echo",
    "broken",
  ]);
  assert.deepEqual(client.call("createStream", 0), ["control: _result 0 1"]); // librtmfp waits for it
  const early = flash();
  assert.deepEqual(early.call("echo", 0), []);
});

Deno.test("NetConnection answers a call with unreadable values with an error, and ignores unreadable commands", () => {
  const { connected, logged } = flashWorld({
    call: (_client, _name, values) => {
      values.readValue();
      return true;
    },
  });
  const client = connected();
  client.control.deliver(fromHex("14000000000200046563686f003ff00000000000000511ff"));
  assert.match(client.session.take()[0], /^control: _error 1 .*Call.Failed: Cannot read/);
  client.control.deliver(fromHex("14000000000200"));
  client.control.deliver(fromHex("1400"));
  client.control.deliver(fromHex("1600000000aabb"));
  client.control.deliver(fromHex("0400000000"));
  assert.deepEqual(client.session.take(), []);
  assert.equal(logged.length, 2);
  assert.equal(client.connection.state, "connected");
});

Deno.test("NetConnection ignores a client's _result and _error without a call", () => {
  const { connected, events } = flashWorld();
  const client = connected();
  assert.deepEqual(client.call("_result", 4, "x"), []);
  assert.deepEqual(client.call("_error", 4, "x"), []);
  assert.deepEqual(events(), []);
});

Deno.test("NetConnection stores up to ten valid addresses of setPeerInfo, and answers with the keep-alive times", () => {
  const { connected, server } = flashWorld();
  const client = connected();
  // librtmfp leaves the command object out
  client.control.deliver(fromHex(
    "140000000002000b73657450656572496e666f00000000000000000002000f3139322e302e322e323a353135353902" +
      "000f5b666430303a3a325d3a3539303539",
  ));
  assert.equal(
    toHex(client.session.flows[0].messages.at(-1)!),
    "0400000000002900003a9800002710",
  );
  assert.deepEqual(server.peerAddresses(client.session), [
    { hostname: "192.0.2.2", port: 51559 },
    { hostname: "fd00::2", port: 59059 },
  ]);
  const bad = ["", "1.2.3.4", "1.2.3.4:0", "host:5", "1.2.3.4:99999", 7, null, "9.9.9.9:9"];
  client.call("setPeerInfo", 0, ...bad);
  assert.deepEqual(server.peerAddresses(client.session), [{ hostname: "9.9.9.9", port: 9 }]);
  client.call("setPeerInfo", 0, ...Array.from({ length: 30 }, (_, i) => `9.9.9.9:${i + 1}`));
  assert.equal(server.peerAddresses(client.session)!.length, 10);
});

Deno.test("FlashServer gives peer addresses of connected clients only", () => {
  const { flash, server } = flashWorld();
  const client = flash();
  assert.equal(server.peerAddresses(client.session), undefined);
  client.connect();
  assert.deepEqual(server.peerAddresses(client.session), []);
  client.session.ended("closed by peer", true);
  assert.equal(server.peerAddresses(client.session), undefined);
});

Deno.test("NetConnection numbers the streams of each session from 1, and answers createStream with AMF0 numbers", () => {
  const { connected } = flashWorld();
  for (let i = 0; i < 2; i++) {
    const client = connected();
    client.control.deliver(fromHex("140000000002000c63726561746553747265616d004000000000000000"));
    assert.equal(
      toHex(client.session.flows[0].messages.at(-1)!),
      "14000000000200075f726573756c7400400000000000000005003ff0000000000000",
    );
    client.session.take();
    assert.deepEqual(client.call("createStream", 0), ["control: _result 0 2"]);
  }
});

Deno.test("NetConnection refuses more than 128 streams until the client deletes one", () => {
  const { connected } = flashWorld();
  const client = connected();
  for (let i = 1; i <= 128; i++) {
    assert.deepEqual(client.call("createStream", i), [`control: _result ${i} ${i}`]);
  }
  assert.match(client.call("createStream", 9)[0], /_error 9 .*too many streams/);
  assert.deepEqual(client.call("deleteStream", 0, 5), []);
  assert.deepEqual(client.call("createStream", 9), ["control: _result 9 129"]);
  assert.equal(client.stream(5).receiver, null);
  assert.deepEqual(client.call("deleteStream", 0), []); // of none
});

Deno.test("NetConnection answers FCPublish and similar notices with undefined unless a script handles them", () => {
  const { connected, events } = flashWorld({ call: (_c, name) => name === "FCSubscribe" });
  const client = connected();
  for (const name of ["releaseStream", "FCPublish", "FCUnpublish"]) {
    assert.deepEqual(client.call(name, 3, "foo"), ["control: _result 3 undefined"]);
    assert.deepEqual(client.call(name, 0, "foo"), []);
  }
  assert.deepEqual(client.call("initStream", 3), ["control: _result 3 undefined"]);
  assert.deepEqual(client.call("initStream", 0), []);
  assert.deepEqual(client.call("closeStream", 0), []);
  events();
  assert.deepEqual(client.call("FCSubscribe", 3), ["control: _result 3 null"]);
  assert.deepEqual(events(), ["call FCSubscribe"]);
});

Deno.test("NetConnection answers a buffer length with the begin of its stream", () => {
  const { connected } = flashWorld();
  const client = connected();
  client.call("createStream", 1);
  client.control.deliver(writeUserControl(3, 1, 3000));
  assert.deepEqual(client.session.take(), ["control: event 0 1"]);
  client.control.deliver(writeUserControl(3, 7, 3000)); // a stream it has not
  client.control.deliver(writeUserControl(6, 7));
  assert.deepEqual(client.session.take(), []);
});

Deno.test("FlashServer accepts flows of created streams and groups, and rejects other flows", () => {
  const { connected, flash } = flashWorld();
  const client = connected();
  client.call("createStream", 1);
  assert.ok(client.stream(1).receiver);
  assert.ok(client.stream(1).receiver); // several flows a stream
  assert.equal(client.stream(2).receiver, null);
  assert.equal(client.stream(2_000_001).receiver, null);
  assert.equal(client.stream(0).receiver, null); // a second connection
  assert.ok(client.flow(fromHex("4743")).receiver);
  assert.equal(client.flow(fromHex("47521c")).receiver, null);
  assert.equal(client.flow(fromHex("")).receiver, null);
  const early = flash();
  assert.equal(early.stream(1).receiver, null);
  assert.equal(early.flow(fromHex("4743")).receiver, null);
  assert.equal(client.session.closed + early.session.closed, 0);
});

Deno.test("FlashServer accepts a second flow of stream 0 that answers its control flow", () => {
  const { connected } = flashWorld();
  const client = connected();
  const other = client.flow(writeTcMetadata(0));
  assert.equal(other.receiver, null);
  Object.assign(other, { association: {} });
  other.receiver = client.session.transport.onFlow(other);
  other.deliver(command("createStream", 4, null));
  assert.deepEqual(client.session.take(), ["control: _result 4 1"]);
  other.end();
  assert.equal(client.session.closed, 0);
});

Deno.test("Each writer of a script has its own flow, and closes without the connection", () => {
  const { connected, server } = flashWorld();
  const client = connected();
  const { connection } = client;
  const writer = connection.newWriter();
  writer.message(new TextEncoder().encode("hé"), encodeAmf(true));
  assert.equal(client.session.flows[1].options.association, client.control);
  assert.deepEqual([...connection.writers], [writer]);
  assert.deepEqual(client.session.take(), ["control b: hé 0 true"]);
  writer.reliable = false;
  writer.status("A.B");
  writer.flush();
  assert.deepEqual(client.session.flows[1].reliable, [true, false]);
  assert.deepEqual(client.session.take(), [
    "control b: onStatus 0 [status] NetConnection.A.B: undefined",
  ]);
  writer.close();
  writer.close();
  writer.message("late", new Uint8Array());
  assert.equal(writer.closed, true);
  assert.deepEqual(client.session.take(), ["control b: end"]);
  assert.deepEqual([...connection.writers], []);
  server.hub.manage();
  assert.equal(connection.state, "connected");
  const refused = connection.newWriter();
  client.session.flows[2].reject(); // the client rejects it
  assert.equal(refused.closed, true);
  assert.equal(connection.state, "connected");
});

Deno.test("A closed main writer ends the session as a failure at the next tick", () => {
  const { connected, server, events } = flashWorld();
  const client = connected();
  client.connection.writer.close();
  client.connection.writer.message("late", new Uint8Array());
  assert.deepEqual(client.session.take(), []);
  assert.equal(client.connection.state, "connected");
  server.hub.manage();
  assert.deepEqual(events(), [
    "onFailed the main writer was closed",
    "onDisconnection",
    "onManage",
  ]);
  assert.equal(client.session.closed, 1);
});

Deno.test("NetConnection calls onFailed and onDisconnection once for each reason of a session's end", () => {
  const ends: [CloseReason, boolean, string[]][] = [
    ["closed by peer", true, []],
    ["closed", false, []],
    ["endpoint closed", false, []],
    ["timeout", false, [
      "onFailed no packet has come for 2 minutes, and no keep-alive was answered",
    ]],
    ["no acknowledgement", false, ["onFailed a message could not be delivered"]],
  ];
  for (const [reason, orderly, failed] of ends) {
    const { connected, events, server, hub } = flashWorld();
    const client = connected();
    const { connection } = client;
    const writer = connection.newWriter();
    client.session.ended(reason, orderly);
    client.session.ended(reason, orderly);
    connection.fail("again");
    assert.deepEqual(events(), [...failed, "onDisconnection"], reason);
    assert.equal(server.size, 0);
    assert.equal(hub.clients.size, 0);
    assert.equal(connection.writer.closed, true);
    assert.equal(writer.closed, true);
    assert.equal(connection.newWriter().closed, true);
  }
});

Deno.test("NetConnection ends when the client ends its control flow", () => {
  const { connected, events } = flashWorld();
  const client = connected();
  client.control.end();
  assert.deepEqual(events(), ["onDisconnection"]);
  assert.equal(client.session.closed, 1);
});

Deno.test("NetConnection ends without onFailed when a client rejects the control flow and closes the session", () => {
  const { connected, events } = flashWorld();
  const client = connected();
  client.session.flows[0].reject();
  assert.deepEqual(events(), []);
  client.session.ended("closed by peer", true);
  assert.deepEqual(events(), ["onDisconnection"]);
  assert.equal(client.session.flows.length, 1);
});

Deno.test("NetConnection opens another control flow 1 s after the client rejected one", () => {
  const { connected, server, hub } = flashWorld();
  const client = connected();
  const { connection } = client;
  const { writer } = connection;
  for (let flows = 1; flows < 4; flows++) {
    client.session.flows[flows - 1].reject();
    client.session.take();
    writer.message("kept", encodeAmf(flows));
    hub.now += 999;
    server.hub.manage();
    assert.ok(!writer.closed);
    assert.deepEqual(client.session.take(), []);
    hub.now += 1;
    if (flows === 1) server.hub.manage(); // both orders
    if (flows === 2) assert.equal(client.call("createStream", 9).length, 2);
    if (flows === 3) writer.message("more", encodeAmf());
    const { messages, options } = client.session.flows[flows];
    assert.equal(textOf(messages[0]), `kept 0 ${flows}`);
    assert.equal(options.association, client.control);
  }
  assert.equal(client.session.flows.length, 4);
  assert.equal(client.session.closed, 0);
  assert.equal(connection.writer, writer);
});

Deno.test("NetConnection closes a client that rejects the control flow before connect", () => {
  const { flash, server } = flashWorld();
  flash().session.flows[0].reject();
  assert.equal(server.size, 0);
});

Deno.test("NetConnection closes only the writer whose flow the client rejects", () => {
  const { connected, server, hub } = flashWorld();
  const client = connected();
  const writer = client.connection.newWriter();
  const other = client.connection.newWriter();
  client.session.flows[1].reject();
  hub.now += 2000;
  server.hub.manage();
  assert.deepEqual([writer.closed, other.closed, client.connection.writer.closed], [
    true,
    false,
    false,
  ]);
  assert.deepEqual([...client.connection.writers], [other]);
});

Deno.test("FlashServer closes a session that has not connected after 10 s", () => {
  const { flash, connected, hub, server } = flashWorld();
  const idle = flash();
  const busy = connected();
  hub.now += 9_999;
  server.hub.manage();
  assert.equal(idle.session.closed, 0);
  hub.now += 1;
  server.hub.manage();
  assert.equal(idle.session.closed, 1);
  assert.equal(busy.session.closed, 0);
  assert.equal(server.size, 1);
});

Deno.test("Connection reports address, ping and silence in ms of its session", () => {
  const { connected, hub } = flashWorld();
  const client = connected();
  const { connection } = client;
  hub.now = 1500;
  assert.equal(connection.elapsedFromReception, 500);
  assert.equal(connection.ping, 40);
  client.session.address = { hostname: "2001:db8::1", port: 7 };
  assert.equal(connection.address, "[2001:db8::1]:7");
  assert.equal(connection.hostname, "2001:db8::1");
});

Deno.test("NetConnection sends an object as the result of a call", () => {
  const { connected } = flashWorld({
    call: (client) => {
      client.writer.result(encodeAmf({ list: [1, 2, 3] }));
      return true;
    },
  });
  const client = connected();
  client.call("obj", 2);
  const message = client.session.flows[0].messages.at(-1)!;
  const [name, transaction, object, value] = decodeAmf(message.subarray(5));
  assert.deepEqual([name, transaction, object], ["_result", 2, null]);
  assert.deepEqual((value as AmfObject).list, [1, 2, 3]);
});
