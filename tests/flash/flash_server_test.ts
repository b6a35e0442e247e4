import assert from "node:assert/strict";
import { toUtf8 } from "../../src/bytes/text.ts";
import { flashWorld } from "./fakes.ts";

const from = { hostname: "192.0.2.7", port: 5000 };
const epd = (url: string) => ({ ancillary: toUtf8(url) });

Deno.test("FlashServer.onHello() passes address, path, properties and attempts of the client to the application", () => {
  const { server, applications } = flashWorld();
  assert.equal(server.onHello(epd("rtmfp://h.example/a/b?x=1"), from, 2), undefined);
  const [{ properties, ...request }] = applications.handshakes;
  assert.deepEqual(request, {
    address: "192.0.2.7:5000",
    path: "/a/b",
    attempts: 3,
    url: "h.example:1935",
  });
  assert.deepEqual([...properties], [["x", "1"]]);
  server.onHello(epd("live"), from, 1);
  assert.equal(applications.handshakes[1].path, "/live");
  assert.equal(server.onHello(epd("rtmfp://h/../a"), from, 1), undefined);
  assert.equal(server.onHello({ fingerprint: new Uint8Array(32) }, from, 1), undefined);
  assert.equal(applications.handshakes.length, 2);
});

Deno.test("FlashServer.onHello() redirects to the application's addresses in order, resolves names, and skips duplicate and invalid addresses", () => {
  const { server, applications, logged } = flashWorld();
  applications.addresses = [
    "198.51.100.2:1935",
    "known.example:81",
    "[2001:db8:0::1]:9",
    "198.51.100.2:1935",
    "[2001:db8::1]:9",
    "nonsense",
  ];
  assert.deepEqual(server.onHello(epd("rtmfp://h/a"), from, 1), [
    { hostname: "198.51.100.2", port: 1935, origin: 2 },
    { hostname: "203.0.113.9", port: 81, origin: 1 },
    { hostname: "2001:db8::1", port: 9, origin: 1 },
  ]);
  assert.equal(logged.length, 1);
  assert.match(logged[0], /^error: .*nonsense/);
  applications.addresses = ["unknown.example:1"]; // until the name is resolved: silence
  assert.deepEqual(server.onHello(epd("rtmfp://h/a"), from, 1), []);
});

Deno.test("FlashServer.onPeerUnknown() returns the applications' addresses, or undefined without any", () => {
  const { server, applications } = flashWorld();
  assert.equal(server.onPeerUnknown({ peerId: new Uint8Array(32) }), undefined);
  applications.addresses = ["198.51.100.2:1", "198.51.100.3:2"];
  assert.deepEqual(server.onPeerUnknown({ peerId: new Uint8Array(32) }), [
    { hostname: "198.51.100.2", port: 1, origin: 2 },
    { hostname: "198.51.100.3", port: 2, origin: 1 },
  ]);
});

Deno.test("Hub.ban() blocks an address, and ends its live sessions", () => {
  const { server, connected, hub, events } = flashWorld();
  const client = connected();
  assert.equal(server.blocked(client.session.address), false);
  hub.ban("192.0.2.1");
  assert.equal(server.blocked(client.session.address), true);
  assert.equal(server.blocked(from), false);
  assert.equal(client.session.closed, 1);
  assert.deepEqual(events(), ["onFailed its address is blacklisted", "onDisconnection"]);
  hub.unban("192.0.2.1");
  assert.equal(server.blocked(client.session.address), false);
});

Deno.test("FlashServer closes a session that opened before the ban of its address when it connects", () => {
  const { server, flash, hub, events } = flashWorld();
  const client = flash();
  hub.ban("192.0.2.1");
  assert.deepEqual(client.connect(), ["session closed"]);
  assert.deepEqual(events(), []);
  assert.equal(server.size, 0);
});

Deno.test("FlashServer ends a client that moves to a banned address", () => {
  const { server, connected, hub, events } = flashWorld();
  hub.ban("192.0.2.99");
  const [moved, gone] = [connected(), connected()];
  moved.session.address = { hostname: "192.0.2.99", port: 1 };
  moved.call("echo", 1);
  gone.session.address = { hostname: "192.0.2.99", port: 1 };
  server.hub.manage();
  const failed = ["onFailed its address is blacklisted", "onDisconnection"];
  assert.deepEqual(events(), [...failed, ...failed, "onManage"]);
});

Deno.test("Hub closes a client with 200 MiB in its send queues", () => {
  const { server, connected, events } = flashWorld();
  connected().session.queuedBytes = 200 << 20;
  server.hub.manage();
  assert.equal(events()[0], "onFailed the client reads too slowly");
});

Deno.test("Hub closes the clients with the longest send queues when all queues together exceed 1 GiB", () => {
  const { server, connected, events } = flashWorld();
  const clients = Array.from({ length: 30 }, () => connected());
  clients.forEach(({ session }, i) => {
    session.queuedMessages = 100_000; // 30 MB
    const bytes = (i === 7 || i === 20 ? 100 : 10) << 20;
    Object.assign(session.flows[0], { queuedBytes: bytes });
  });
  server.hub.manage();
  const failed = () => events().filter((event) => event.startsWith("onFailed"));
  const reason = "onFailed the send queues of all clients are full, and this one is the longest";
  assert.deepEqual(failed(), [reason, reason, reason, reason]);
  assert.deepEqual([clients[7].session.closed, clients[20].session.closed], [1, 1]);
  for (const { session } of clients) session.queuedMessages = 90_000;
  server.hub.manage();
  assert.deepEqual(failed(), []);
});

Deno.test("Hub.manage() ends failed connections, then calls onManage of the clients, then of the applications", () => {
  const { server, connected, events } = flashWorld();
  connected();
  const closing = connected();
  closing.connection.writer.close();
  server.hub.manage();
  assert.deepEqual(events(), [
    "onFailed the main writer was closed",
    "onDisconnection",
    "onManage of a client",
    "onManage",
  ]);
});
