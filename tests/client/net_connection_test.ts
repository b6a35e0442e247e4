import assert from "node:assert/strict";
import {
  AmfDictionary,
  type AmfValue,
  AmfVector,
  MixedArray,
  TypedObject,
} from "../../src/amf/mod.ts";
import { ClientLoop } from "../../src/client/client_loop.ts";
import { NetConnection } from "../../src/client/net_connection.ts";
import { ConnectionError, StatusError } from "../../src/client/status.ts";
import { readStatus } from "../../src/tc/format/status.ts";
import { STRICT } from "../../src/rtmfp/crypto/protection.ts";
import { freePort } from "../support/ports.ts";
import { smallServer } from "../support/small_server.ts";
import { PATIENCE } from "../support/wait.ts";

const values: AmfValue[] = [
  null,
  true,
  0,
  -1,
  268435456,
  1.25,
  "",
  "é€",
  [1, ["two"], null],
  new Date(905989690435),
];
const onlyAmf3: AmfValue[] = [
  Uint8Array.of(0, 255),
  new AmfVector("int", [1, -2]),
  new AmfDictionary([["a", 1]]),
  new MixedArray(Object.assign(Object.create(null), { a: 1 }), [2]),
];

Deno.test("NetConnection connects and calls with AMF0 and with AMF3", async () => {
  await using server = await smallServer();
  for (const objectEncoding of [0, 3] as const) {
    const connection = await NetConnection.connect(`${server.url}/live`, {
      objectEncoding,
      parameters: ["a", 1],
    });
    const { level, code, info } = readStatus(connection.info);
    assert.deepEqual([level, code], ["status", "NetConnection.Connect.Success"]);
    assert.equal((info as Record<string, AmfValue>).objectEncoding, objectEncoding);
    for (const value of values) assert.deepEqual(await connection.call("echo", value), value);
    const typed = await connection.call("echo", new TypedObject("Cat", { name: "Tom" }));
    assert.deepEqual([(typed as TypedObject).type, { ...(typed as TypedObject).members }], [
      "Cat",
      { name: "Tom" },
    ]);
    if (objectEncoding === 3) {
      for (const value of onlyAmf3) assert.deepEqual(await connection.call("echo", value), value);
    }
    await connection.close();
  }
  assert.equal(server.log.filter((line) => line === 'connect ["a",1] WIN 32,0,0,465').length, 2);
});

Deno.test("NetConnection sends its addresses after connecting", async () => {
  await using server = await smallServer();
  const connection = await NetConnection.connect(server.url);
  await connection.call("echo", 1); // setPeerInfo went before it
  const [client] = server.clients.values();
  assert.equal(client.id, connection.nearId);
  const sessions = [...server.endpoint.sessions()];
  assert.equal(sessions.length, 1);
  await connection.close();
});

Deno.test("NetConnection.call() transfers an argument and a result of 60,000 bytes unchanged", async () => {
  await using server = await smallServer();
  const connection = await NetConnection.connect(server.url);
  const large = crypto.getRandomValues(new Uint8Array(60_000));
  assert.deepEqual(await connection.call("echo", large), large);
  await connection.close();
});

Deno.test("NetConnection.call() gives each of 200 simultaneous calls its own result", async () => {
  await using server = await smallServer();
  const connection = await NetConnection.connect(server.url);
  const numbers = Array.from({ length: 200 }, (_, i) => i);
  const answers = await Promise.all(numbers.map((number) => connection.call("echo", number)));
  assert.deepEqual(answers, numbers);
  await connection.close();
});

Deno.test("NetConnection.call() rejects with the server's status when the call fails", async () => {
  await using server = await smallServer();
  const connection = await NetConnection.connect(server.url);
  await assert.rejects(connection.call("fail"), (error) => {
    assert.ok(error instanceof StatusError);
    const { level, code, description } = error.status;
    assert.deepEqual([level, code, description], [
      "error",
      "NetConnection.Call.Failed",
      "not today",
    ]);
    return true;
  });
  await assert.rejects(connection.call("nothing"), /Method 'nothing' not found/);
  assert.equal(await connection.call("echo", "still there"), "still there");
  await connection.close();
});

Deno.test("NetConnection passes calls of the server to onCall", async () => {
  await using server = await smallServer();
  const calls: unknown[] = [];
  const connection = await NetConnection.connect(server.url, {
    handler: { onCall: (name, args) => void calls.push([name, args]) },
  });
  await connection.call("greet");
  assert.deepEqual(calls, [["hello", ["you"]]]);
  await connection.close();
});

Deno.test("NetConnection ignores an unreadable message, and returns null for an unreadable result", async () => {
  await using server = await smallServer();
  const calls: unknown[] = [];
  const connection = await NetConnection.connect(server.url, {
    handler: { onCall: (name) => void calls.push(name) },
  });
  assert.equal(await connection.call("spoil"), null);
  assert.equal(await connection.call("echo", 1), 1);
  assert.deepEqual(calls, []);
  await connection.close();
});

Deno.test("NetConnection.connect() rejects with code and description of a refusal", async () => {
  await using server = await smallServer();
  await assert.rejects(NetConnection.connect(server.url, { parameters: ["refuse"] }), {
    name: StatusError.name,
    message: "NetConnection.Connect.Rejected: not you",
  });
  await assert.rejects(NetConnection.connect(`${server.url}/nowhere`), (error) => {
    assert.ok(error instanceof StatusError);
    assert.match(error.status.code, /^NetConnection\.Connect\./);
    return true;
  });
});

Deno.test("NetConnection.connect() rejects after its time-out in seconds, or for an unknown host", async () => {
  const started = performance.now();
  const port = freePort();
  await assert.rejects(NetConnection.connect(`rtmfp://127.0.0.1:${port}/`, { timeout: 300 }), {
    name: ConnectionError.name,
    message: `Cannot connect to 127.0.0.1:${port}: no answer within 0.3 s`,
  });
  assert.ok(performance.now() - started < PATIENCE);
  await assert.rejects(NetConnection.connect("rtmfp://no-such-host.invalid/"), {
    name: ConnectionError.name,
    message: "Cannot find a host named no-such-host.invalid",
  });
});

Deno.test("NetConnection rejects all calls and calls onClose once when the server has gone", async () => {
  let reasons: string[];
  let pending: Promise<AmfValue>;
  let connection: NetConnection;
  {
    await using server = await smallServer();
    reasons = [];
    connection = await NetConnection.connect(server.url, {
      handler: { onClose: (reason) => reasons.push(reason) },
    });
    await connection.call("echo", 1);
    pending = connection.call("echo", 2); // the server has gone
    pending.catch(() => {});
  }
  await assert.rejects(pending, { name: ConnectionError.name });
  await assert.rejects(connection.call("echo", 1), { name: ConnectionError.name });
  assert.equal(reasons.length, 1);
  assert.ok(connection.closed);
  await connection.close();
});

Deno.test("NetConnection takes the interval of keep-alives from the server", async () => {
  await using server = await smallServer();
  const connection = await NetConnection.connect(server.url);
  await connection.call("echo", 1); // the server has answered setPeerInfo before
  assert.equal(connection.session.keepAlive, 15_000);
  await connection.close();
});

Deno.test("NetConnection.close() notifies the server at once", async () => {
  await using server = await smallServer();
  const connection = await NetConnection.connect(server.url);
  await connection.close();
  assert.equal(server.clients.size, 0);
  assert.ok(server.log.includes("disconnect"));
});

Deno.test("NetConnection calls with Diffie-Hellman groups 14 and 16, with HMACs and sequence numbers", async () => {
  await using relaxed = await smallServer();
  for (const group of [14, 16] as const) {
    const connection = await NetConnection.connect(relaxed.url, { groups: [group], strict: true });
    assert.equal(await connection.call("echo", group), group);
    await connection.close();
  }
  await using strict = await smallServer(STRICT);
  const connection = await NetConnection.connect(strict.url); // Flash sends them on request
  assert.equal(await connection.call("echo", "x"), "x");
  await connection.close();
});

Deno.test("NetConnections that share an endpoint have the same peer id", async () => {
  await using first = await smallServer();
  await using second = await smallServer();
  const loop = await ClientLoop.open();
  const connections = await Promise.all([
    NetConnection.connect(first.url, { loop }),
    NetConnection.connect(second.url, { loop }),
  ]);
  assert.equal(connections[0].nearId, connections[1].nearId);
  assert.notEqual(connections[0].farId, connections[1].farId);
  for (const connection of connections) {
    assert.equal(await connection.call("echo", 5), 5);
    await connection.close();
  }
  await loop.close();
});

Deno.test("NetConnection.ping is the measured round trip in ms", async () => {
  await using server = await smallServer();
  const connection = await NetConnection.connect(server.url);
  for (let i = 0; i < 20; i++) {
    await connection.call("echo", i);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  assert.ok(connection.ping >= 0 && connection.ping < PATIENCE, `${connection.ping} ms`);
  await connection.close();
});
