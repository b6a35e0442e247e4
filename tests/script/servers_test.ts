// Other servers, and redirection of clients: API-501 to API-526, API-603, API-618 to API-620, API-632 to API-634,
// API-651 to API-664.
import assert from "node:assert/strict";
import { type AmfValue, decodeAmf, encodeAmf } from "../../src/amf/mod.ts";
import type { Channel, Peer } from "../../src/cluster/roster.ts";
import type { Handshake } from "../../src/media/application.ts";
import type { Host } from "../../src/script/api/host.ts";
import { Machine } from "./machine.ts";

/** A linked server; `sent` has the messages to the server. */
function peerAt(address: string, isTarget = true, properties: Record<string, string> = {}) {
  const sent: [string, ...AmfValue[]][] = [];
  const peer: Peer = {
    address,
    publicAddress: `public.${address}`,
    isTarget,
    properties: new Map(Object.entries(properties)),
    send: (handler, payload) => void sent.push([handler, ...decodeAmf(payload)]),
  };
  return { peer, sent };
}

function link(machine: Machine, peer: Peer): void {
  machine.host.roster.add(peer);
  machine.applications.onServerConnection(peer);
}

const handshake = (
  path = "",
  attempts = 1,
  properties: Record<string, string> = {},
): Handshake => ({
  address: "192.0.2.1:4000",
  path,
  properties: new Map(Object.entries(properties)),
  attempts,
  url: "me.example:1935",
});

Deno.test("API-501 to API-508, API-520 to API-524: cumulus.servers lists and finds servers", () => {
  const machine = new Machine({
    "main.lua": `
      function onManage()
        local s = cumulus.servers
        INFO(s.count, s.initiators.count, s.targets.count, #s, s.initiators.initiators)
        for i, server in s:ipairs() do INFO(i, server.address, server.publicAddress, server.isTarget, server.type) end
        INFO(s[1] == s(1), s(2) == s("b:2"), s("public.b:2") == s(2), s(3), s("c:3"), s[0], s.targets(1) == s(2))
        s:broadcast("hello", 1, { x = 2 })
        s.targets:broadcast("target")
        s(1):send("one", "x")
        s:broadcast("") s:broadcast(".") s(1):send()
        s(1).address = 5 s(1).mine = 6 INFO(s(1).address, s[1].mine)
      end`,
  }).start();
  const a = peerAt("a:1", false);
  const b = peerAt("b:2", true, { type: "master", address: "x" });
  link(machine, a.peer);
  link(machine, b.peer);
  machine.applications.manage();
  assert.deepEqual(machine.said(), [
    "2112(null)",
    "1a:1public.a:1(false)(null)",
    "2b:2public.b:2(true)master",
    "(true)(true)(true)(null)(null)(null)(true)",
    "a:16",
  ]);
  const { "0": first } = a.sent;
  assert.equal(first[0], "hello");
  assert.deepEqual(JSON.stringify(a.sent), '[["hello",1,{"x":2}],["one","x"]]');
  assert.deepEqual(JSON.stringify(b.sent), '[["hello",1,{"x":2}],["target"]]');
});

Deno.test("API-505: broadcast sends one message to a channel that servers share, and one to each other server", () => {
  const machine = new Machine({
    "main.lua": "function onManage() cumulus.servers:broadcast('hello', 1) end",
  }).start();
  const sent: [string[], string, ...AmfValue[]][] = [];
  const channel: Channel = {
    sendAll(peers, handler, payload) {
      sent.push([peers.map(({ address }) => address), handler, ...decodeAmf(payload)]);
    },
  };
  const alone = peerAt("a:1");
  link(machine, { ...peerAt("b:2").peer, channel });
  link(machine, alone.peer);
  link(machine, { ...peerAt("c:3").peer, channel });
  machine.applications.manage();
  assert.deepEqual(sent, [[["b:2", "c:3"], "hello", 1]]);
  assert.deepEqual(alone.sent, [["hello", 1]]);
});

Deno.test("NATS-511: onHandshake redirects to the server with the fewest clients if servers announce their load", () => {
  const machine = new Machine({
    "main.lua": "function onHandshake() return cumulus.servers end",
    "all/main.lua": "function onHandshake() return { cumulus.servers(1), cumulus.servers(2) } end",
  }).start();
  const loads = {
    a: { clients: 2, publications: 0, lag: 0 },
    b: { clients: 4, publications: 0, lag: 0 },
  };
  for (const name of ["a", "b"] as const) {
    link(machine, {
      ...peerAt(`${name}:1`).peer,
      get load() {
        return loads[name];
      },
    });
  }
  const knock = (attempts = 1, path = "") =>
    machine.applications.handshake(handshake(path, attempts)).join().replaceAll("public.", "");
  for (let n = 0; n < 5; n++) machine.connect("");
  assert.equal(knock(), "", "a difference of three clients causes no redirection");
  for (let n = 0; n < 3; n++) machine.connect("");
  assert.deepEqual(Array.from({ length: 5 }, () => knock()), ["a:1", "a:1", "a:1", "b:1", ""]);
  assert.equal(knock(2), "a:1,b:1", "the chosen server has not answered");
  assert.equal(knock(1, "/all"), "a:1,b:1", "servers chosen by the script");
  loads.a = { clients: 4, publications: 0, lag: 0 }; // a redirected client has left
  assert.deepEqual([knock(), knock()], ["a:1", ""]);
  link(machine, peerAt("c:1").peer); // announces no load
  assert.equal(knock(), "a:1,b:1,c:1");
});

Deno.test("API-505: server:send raises an error for an invalid name of a handler", () => {
  const machine = new Machine({
    "main.lua": "function onServerConnection(s) s:send('') s:send('.') s:send() end",
  });
  machine.start();
  link(machine, peerAt("a:1").peer);
  assert.equal(machine.logged("error").length, 3);
});

Deno.test("API-525: calls from other servers reach functions of the server object", () => {
  const machine = new Machine({
    "main.lua": `
      function onServerConnection(server)
        function server:hello(name, t) INFO(self.address, " ", name, t.x) return 1 end
        function server:fails() error("no") end
      end`,
  }).start();
  const { peer } = peerAt("a:1");
  machine.host.roster.add(peer);
  machine.applications.onServerMessage(peer, "hello", encodeAmf("early", {}));
  machine.applications.onServerConnection(peer);
  machine.applications.onServerMessage(peer, "hello", encodeAmf("Tom", { x: 3 }));
  machine.applications.onServerMessage(peer, "missing", encodeAmf());
  machine.applications.onServerMessage(peer, "address", encodeAmf());
  machine.applications.onServerMessage(peer, "fails", encodeAmf());
  assert.deepEqual(machine.logged("error"), ["www/main.lua:4: no"]);
  assert.deepEqual(machine.logged("warn"), ["hello returned 1 value, 0 expected"]);
  assert.deepEqual(machine.said(), ["a:1 Tom3"]);
});

Deno.test("API-619, API-620, API-652, API-653, CLU-032, API-041, API-042: the server calls onServerConnection and onServerDisconnection when links open and end", () => {
  const machine = new Machine({
    "main.lua": `
      function onServerConnection(server) INFO("root + ", server.address, cumulus.servers.count) end
      function onServerDisconnection(server) INFO("root - ", server.address, cumulus.servers.count) kept = server end
      function onManage() if kept then INFO(kept.address, kept.mine) end end`,
    "a/main.lua": `
      function onStart() INFO("a starts") end
      function onServerConnection(server) INFO("a + ", server.address) server.mine = "mine" end
      function onServerDisconnection(server) INFO("a - ", server.address) end
      function onStop() INFO("a stops") end`,
    "b/main.lua": "",
  }).start();
  machine.connect("/b");
  const { peer } = peerAt("x:1");
  link(machine, peer);
  machine.connect("/a");
  machine.forget("a");
  machine.connect("/a");
  machine.host.roster.remove(peer);
  machine.applications.onServerDisconnection(peer);
  machine.applications.manage();
  assert.deepEqual(machine.said(), [
    "root + x:11",
    "a starts",
    "a + x:1",
    "a - x:1",
    "a stops",
    "root - x:10",
    "(null)mine",
  ]);
});

Deno.test("CLU-031: the server starts an application that runs at another server", () => {
  const machine = new Machine({ "main.lua": "", "a/main.lua": "INFO('a')" });
  machine.host.unknown = "nearest";
  machine.start();
  machine.applications.onServerRunning(["", "/a", "/missing", "bad"]);
  assert.deepEqual(machine.said(), ["a"]);
});

Deno.test("API-603, API-632, API-633: onHandshake gets the first packet's data and returns addresses", () => {
  const machine = new Machine({
    "main.lua": `
      function onHandshake(address, path, properties, attempts)
        INFO(address, " ", path, " ", properties.key, " ", attempts, type(properties.key))
      end`,
    "a/main.lua": "function onHandshake() return '192.0.2.7:1935' end",
    "c/main.lua": "function onHandshake() error('x') end",
  }).start();
  assert.deepEqual(machine.applications.handshake(handshake("", 2, { key: "5" })), []);
  assert.deepEqual(machine.said(), ["192.0.2.1:4000  5 2string"]);
  assert.deepEqual(machine.applications.handshake(handshake("/a")), ["192.0.2.7:1935"]);
  assert.deepEqual(machine.applications.handshake(handshake("/missing")), []);
  assert.deepEqual(machine.applications.handshake(handshake("/c")), []);
});

Deno.test("API-634: Lua compares numbers with numeric strings", () => {
  const machine = new Machine({
    "main.lua": `
      function onHandshake(address, path, properties, attempts)
        if attempts > properties.acceptableAttempts then return "192.0.2.8:1935" end
      end`,
  }).start();
  const asked = (attempts: number) =>
    machine.applications.handshake(handshake("", attempts, { acceptableAttempts: "10" }));
  assert.deepEqual(asked(9), []);
  assert.deepEqual(asked(11), ["192.0.2.8:1935"]);
});

Deno.test("API-660 to API-663: onHandshake returns addresses as texts, servers and tables of them", () => {
  const machine = new Machine({
    "main.lua": `
      function onHandshake()
        local s = cumulus.servers
        return "192.0.2.7:1935", { "host.example", { "[2001:db8::1]:19", "192.0.2.7:1935" } }, s(1), nil, false,
          s, s.targets, "again", "bad address", "h:0", "h:99999", 5, true, cumulus, ""
      end`,
  }).start();
  link(machine, peerAt("a:1").peer);
  link(machine, peerAt("b:2", false).peer);
  assert.deepEqual([...machine.applications.handshake(handshake())], [
    "192.0.2.7:1935",
    "host.example:1935",
    "[2001:db8::1]:19",
    "public.a:1",
    "public.b:2",
    "me.example:1935",
  ]);
  assert.equal(machine.logged("error").length, 7);
});

Deno.test('API-662: onHandshake redirects to the public address for "again" from a client without a host', () => {
  const machine = new Machine({
    "main.lua": `function onHandshake(address, path, properties)
      return "again", properties.other
    end`,
  }).start();
  const asked = (url: string, other?: string) => {
    const request = handshake("", 1, other === undefined ? {} : { other });
    return machine.applications.handshake({ ...request, url });
  };
  for (const url of ["", "no address", "h:0"]) {
    assert.deepEqual(asked(url), []);
    assert.deepEqual(asked(url, "a:1"), ["a:1"]);
  }
  machine.host.publicAddress = "public.example";
  for (const url of ["", "no address"]) assert.deepEqual(asked(url), ["public.example:1935"]);
  assert.deepEqual(asked("me.example:1936"), ["me.example:1936"]);
  assert.deepEqual(machine.logged("error"), []);
});

Deno.test("API-660: onHandshake returns every value of a table as an address, under any key", () => {
  const machine = new Machine({
    "main.lua": `
      function onHandshake(address, path)
        return ({
          name = { edge = "192.0.2.1:1935" },
          gap = { [2] = "192.0.2.2:1935" },
          zero = { [0] = "b:1", "a:1", nil, "c:1", [true] = "d:1", [1.5] = { { x = "e:1" } } },
          bad = { edge = function() end },
        })[path:sub(2)]
      end`,
  }).start();
  const of = (path: string) => {
    machine.write(`${path}/main.lua`, "");
    return [...machine.applications.handshake(handshake(`/${path}`))];
  };
  assert.deepEqual(of("name"), ["192.0.2.1:1935"]);
  assert.deepEqual(of("gap"), ["192.0.2.2:1935"]);
  const zero = of("zero");
  assert.equal(zero[0], "a:1");
  assert.deepEqual(zero.toSorted(), ["a:1", "b:1", "c:1", "d:1", "e:1"]);
  assert.deepEqual(of("bad"), []);
  assert.deepEqual(machine.logged("error"), ["a function is neither an address nor a server"]);
});

Deno.test("API-618, API-651: the server calls onRendezVousUnknown in every application that defines it", () => {
  const machine = new Machine({
    "main.lua":
      "function onRendezVousUnknown(peerId) INFO(#peerId) return 'a:1', 'b:2', 'again' end",
    "a/main.lua": "function onRendezVousUnknown(peerId) return { 'b:2', 'c:3' } end",
    "b/main.lua": "",
  }).start();
  machine.connect("/a");
  machine.connect("/b");
  const peerId = new Uint8Array(32).fill(0xff);
  assert.deepEqual(machine.applications.rendezvousUnknown(peerId), [
    "a:1",
    "b:2",
    "again:1935",
    "c:3",
  ]);
  assert.deepEqual(machine.said(), ["32"]);
});

Deno.test("The server calls no script for a message to a missing handler", () => {
  const machine = new Machine({
    "main.lua": "function onServerConnection(s) function s:known() INFO('known') end end",
  });
  const { peer } = peerAt("10.0.0.2:1936");
  machine.start();
  link(machine, peer);
  const entered: string[] = [];
  const host: Host = machine.host;
  host.onEnter = (_path, name) => {
    if (name !== "") entered.push(name);
  };
  for (let i = 0; i < 10_000; i++) {
    machine.applications.onServerMessage(peer, "missing", new Uint8Array(0));
  }
  machine.applications.onServerMessage(peer, "known", new Uint8Array(0));
  assert.deepEqual(entered, ["known"]);
});
