import { writeCommand, writeData, writeStatus, writeUserControl } from "../flow_messages.ts";
import assert from "node:assert/strict";
import { type AmfValue, decodeAmf, encodeAmf0 } from "../../../src/amf/mod.ts";
import { fromHex, toHex } from "../../../src/bytes/hex.ts";
import { WireError } from "../../../src/bytes/wire_error.ts";
import { infoObject, readCommand, readText } from "../../../src/tc/format/commands.ts";
import {
  MessageType,
  readMessage,
  readUserControl,
  UserControl,
  valuesOf,
  writeMessage,
} from "../../../src/tc/format/messages.ts";
import {
  isGroupMetadata,
  readTcMetadata,
  writeTcMetadata,
} from "../../../src/tc/format/metadata.ts";
import file from "../../vectors/rtmfp.json" with { type: "json" };

interface Case {
  name: string;
  hex: string;
}
const vector = (id: string) => file.vectors.find((one) => one.id === id)!.cases as unknown[];
const cases = vector("tc-messages") as Case[];
const hexOf = (name: string) => cases.find((one) => one.name === name)!.hex;
const message = (hex: string) => readMessage(fromHex(hex))!;

/** `onStatus` of a vector, by the code in its name. */
const status = (name: string, level: "status" | "error", description: string) =>
  assert.equal(toHex(writeStatus(level, name, description)), hexOf(name), name);

Deno.test("readTcMetadata() and writeTcMetadata() read and write the metadata of the vectors", () => {
  const all = vector("tc-metadata") as { metadata: string; stream?: number; flags?: number }[];
  for (const one of all) {
    const metadata = fromHex(one.metadata);
    if (one.stream === undefined) {
      assert.ok(isGroupMetadata(metadata));
      assert.equal(readTcMetadata(metadata), undefined);
      continue;
    }
    const networkOrder = (one.flags! & 1) !== 0;
    assert.deepEqual(readTcMetadata(metadata), { stream: one.stream, networkOrder });
    assert.equal(toHex(writeTcMetadata(one.stream, networkOrder)), one.metadata);
    assert.ok(!isGroupMetadata(metadata));
  }
});

Deno.test("readTcMetadata() ignores metadata of unknown kind and truncated metadata", () => {
  for (
    const hex of ["", "54", "5443", "544304", "54430481", "47", "474300", "47521c", "54430000"]
  ) {
    assert.equal(readTcMetadata(fromHex(hex)), undefined, hex);
    assert.ok(!isGroupMetadata(fromHex(hex)), hex);
  }
});

Deno.test("readMessage() and writeMessage() read and rewrite every message vector unchanged", () => {
  for (const { name, hex } of cases) {
    const bytes = fromHex(hex);
    const { type, timestamp, payload } = message(hex);
    assert.equal(toHex(writeMessage(type, timestamp, payload)), hex, name);
    if (type === MessageType.userControl) {
      const { event, values } = readUserControl(payload);
      assert.equal(toHex(writeUserControl(event, ...values)), hex, name);
    } else if (type === MessageType.audio || type === MessageType.video) {
      assert.equal(valuesOf({ type, timestamp, payload }), undefined);
    } else {
      const values = valuesOf({ type, timestamp, payload })!;
      while (!values.done) values.readValue();
    }
    assert.equal(readMessage(bytes.subarray(0, 4)), undefined);
  }
});

Deno.test("rtmfp-wire §3.7 has a row for every user control event", () => {
  const spec = new URL("../../../docs/spec/rtmfp-wire.md", import.meta.url);
  const section = Deno.readTextFileSync(spec).split("### 3.7 ")[1].split("\n#")[0];
  const rows = [...section.matchAll(/^\| (\d+)(?:, (\d+))?[ |(]/gm)]
    .flatMap(([, ...events]) => events.filter(Boolean).map(Number));
  for (const [name, event] of Object.entries(UserControl)) {
    assert.ok(rows.includes(event), `rtmfp-wire §3.7 has no row for event ${event}, ${name}`);
  }
});

Deno.test("readUserControl() ignores bytes after the last whole u32, and throws at a truncated event", () => {
  assert.deepEqual(readUserControl(fromHex("0003 00000001 00000bb8 ffffff")), {
    event: UserControl.setBufferLength,
    values: [1, 3000],
  });
  assert.deepEqual(readUserControl(fromHex("0029")), { event: 41, values: [] });
  assert.throws(() => readUserControl(fromHex("00")), WireError);
});

Deno.test("infoObject() writes the statuses of the vectors byte for byte", () => {
  status("NetStream.Publish.Start", "status", "foo is now published");
  status("NetStream.Publish.BadName", "error", "foo is already published");
  status("NetStream.Unpublish.Success", "status", "foo is now unpublished");
  status("NetStream.Play.Reset", "status", "Playing and resetting foo");
  status("NetStream.Play.Start", "status", "Started playing foo");
  status("NetStream.Play.PublishNotify", "status", "foo is now published");
  status("NetStream.Play.UnpublishNotify", "status", "foo is now unpublished");
  status("NetStream.Play.Stop", "status", "Stopped playing foo");
});

Deno.test("writeCommand() and writeUserControl() write results, errors and events equal to the vectors byte for byte", () => {
  const success = infoObject(
    "status",
    "NetConnection.Connect.Success",
    "Connection succeeded",
    fromHex("000e6f626a656374456e636f64696e67004008000000000000"),
  );
  assert.equal(toHex(writeCommand("_result", 1, success)), hexOf("connect _result"));
  const refused = infoObject("error", "NetConnection.Connect.Rejected", "Application refused");
  assert.equal(toHex(writeCommand("_error", 1, refused)), hexOf("connect _error"));
  const missing = infoObject("error", "NetConnection.Call.Failed", "Method 'x' not found");
  assert.equal(toHex(writeCommand("_error", 7, missing)), hexOf("unknown method _error"));
  assert.equal(
    toHex(writeCommand("_result", 2, encodeAmf0(1))),
    hexOf("createStream _result stream 1"),
  );
  assert.equal(
    toHex(writeUserControl(UserControl.setKeepAlive, 15000, 10000)),
    hexOf("set keepalive server 15000 ms peer 10000 ms"),
  );
  assert.equal(
    toHex(writeUserControl(UserControl.flowSync, 0, 3)),
    hexOf("flow sync id 0 count 3"),
  );
  assert.equal(toHex(writeUserControl(UserControl.streamBegin, 1)), hexOf("stream begin 1"));
});

Deno.test("infoObject() omits an empty description", () => {
  assert.deepEqual(decodeAmf(infoObject("status", "A.B")), [
    Object.assign(Object.create(null), { level: "status", code: "A.B" }),
  ]);
});

Deno.test("readCommand() reads name, transaction, object and arguments", () => {
  const read = (hex: string) => {
    const { name, transaction, object, values } = readCommand(message(hex))!;
    const rest: AmfValue[] = [];
    while (!values.done) rest.push(values.readValue());
    return { name, transaction, object, rest };
  };
  assert.deepEqual(read(hexOf('publish "foo" live')), {
    name: "publish",
    transaction: 0,
    object: null,
    rest: ["foo", "live"],
  });
  assert.deepEqual(read(hexOf("setPeerInfo, type 0x11 with leading format byte")).rest, [
    "192.168.1.10:5555",
    "[2001:db8::1]:5555",
  ]);
  const connect = read(hexOf("connect"));
  assert.equal((connect.object as { objectEncoding: number }).objectEncoding, 3);
  assert.deepEqual(connect.rest, []);
});

Deno.test("readCommand() accepts a command without its object", () => {
  // librtmfp 2.15.3: "setPeerInfo", 0, "192.0.2.2:51559", "[fd00::2]:59059"
  const setPeerInfo = readCommand(message(
    "140000000002000b73657450656572496e666f00000000000000000002000f3139322e302e322e323a35313535" +
      "3902000f5b666430303a3a325d3a3539303539",
  ))!;
  assert.equal(setPeerInfo.object, null);
  assert.equal(readText(setPeerInfo.values), "192.0.2.2:51559");
  assert.equal(readText(setPeerInfo.values), "[fd00::2]:59059");
  const createStream = readCommand(
    message("140000000002000c63726561746553747265616d000000000000000000"),
  )!;
  assert.equal(createStream.name, "createStream");
  assert.ok(createStream.values.done);
});

Deno.test("readCommand() skips format byte 0 of types 0x0f and 0x11, and ignores messages with another one", () => {
  const body = hexOf("createStream").slice(10);
  assert.equal(readCommand(message(`110000000000${body}`))!.name, "createStream");
  assert.equal(readCommand(message(`110000000003${body}`)), undefined);
  assert.equal(readCommand(message("1100000000")), undefined);
  assert.equal(valuesOf(message(`0f0000000001${body}`)), undefined);
});

Deno.test("readCommand() returns undefined for other messages, and throws WireError at a malformed command", () => {
  assert.equal(readCommand(message(hexOf("stream begin 1"))), undefined);
  const whole = hexOf("connect");
  for (let length = 10; length < whole.length; length += 2) {
    try {
      const command = readCommand(message(whole.slice(0, length)));
      assert.ok(!command || command.object === null); // cut behind the transaction
    } catch (error) {
      assert.ok(error instanceof WireError, String(error));
    }
  }
});

Deno.test("writeData() writes data as type 0x0f at time 0", () => {
  const metadata = hexOf("onMetaData as type 0x0f");
  const values = valuesOf(message(metadata))!;
  values.readValue();
  assert.equal(toHex(writeData("onMetaData", values.rest())), metadata);
  const long = writeData("x".repeat(70_000), new Uint8Array());
  assert.equal(valuesOf(readMessage(long)!)!.readValue(), "x".repeat(70_000));
});
