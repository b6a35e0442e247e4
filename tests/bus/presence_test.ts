// Servers that see each other start, stop and change, on a bus in virtual time.
import assert from "node:assert/strict";
import { Envelope } from "../../src/bus/envelope.ts";
import * as messages from "../../src/bus/messages.ts";
import { seededBytes } from "../support/random.ts";
import { FakeBus, type FakeServer, hmac } from "./fake_bus.ts";

Deno.test("50 servers see each other within 2 s of their start", () => {
  for (let seed = 1; seed <= 2; seed++) {
    const bus = new FakeBus(seed, { loss: 0.05, duplicates: 0.1, reorder: 20 });
    for (let i = 0; i < 50; i++) bus.add(`s${i}`);
    bus.run(2_000);
    for (const server of bus.servers) assert.equal(server.sees.length, 49, `seed ${seed}`);
  }
});

Deno.test("Presence removes a stopped server at once, and a killed one after 3 s, once each", () => {
  const bus = new FakeBus(1);
  const [a, b, c] = ["a", "b", "c"].map((name) => bus.add(name));
  bus.run(1_500);
  b.bus.close(bus.now);
  b.kill();
  bus.run(10);
  assert.deepEqual(a.sees, ["c"]);
  c.kill();
  bus.run(1_800);
  assert.deepEqual(a.sees, ["c"]);
  bus.run(1_300);
  assert.deepEqual(a.sees, []);
  assert.deepEqual(a.events, [
    "+b.example:1935",
    "+c.example:1935",
    "-b.example:1935: it has stopped",
    "-c.example:1935: it was silent for 3 s",
  ]);
});

Deno.test("Presence ignores heartbeats of a server that said goodbye", () => {
  const bus = new FakeBus(1);
  const [a, b] = [bus.add("a"), bus.add("b")];
  bus.run(100);
  bus.faults = { duplicates: 1, reorder: 2_000 };
  bus.run(1_500);
  b.bus.close(bus.now);
  b.kill();
  bus.run(8_000);
  assert.equal(a.events.filter((event) => event.startsWith("+")).length, 1);
  assert.deepEqual(a.sees, []);
});

Deno.test("Presence replaces a killed server when it is restarted", () => {
  const bus = new FakeBus(1);
  const [a, b] = [bus.add("a"), bus.add("b")];
  bus.run(1_500);
  b.kill();
  bus.add("b", { startedAt: bus.now });
  bus.run(200);
  assert.deepEqual(a.events, [
    "+b.example:1935",
    "-b.example:1935: it was restarted",
    "+b.example:1935",
  ]);
});

Deno.test("Presence shows one of two servers with the same publicAddress, and both log a warning", () => {
  const bus = new FakeBus(1);
  const a = bus.add("a");
  bus.add("b", { startedAt: 1 });
  const double = bus.add("b", { startedAt: 2 });
  bus.run(5_000);
  assert.deepEqual(a.sees, ["b"]);
  assert.equal(a.events.filter((event) => event.startsWith("+")).length, 2, `${a.events}`);
  assert.match(a.logs.join(), /Two servers on the bus have publicAddress = b\.example:1935/);
  assert.match(double.logs.join(), /Two servers/);
});

Deno.test("Presence sends properties, load and paths, and reports a new path", () => {
  const bus = new FakeBus(1);
  const [a, b] = [bus.add("a"), bus.add("b")];
  b.properties.set("zone", "eu");
  bus.run(1_500);
  b.paths = ["", "/chat"];
  b.peers.add("00");
  bus.run(1_500);
  const [seen] = a.bus.presence.servers.values();
  assert.deepEqual([...seen.properties], [["zone", "eu"]]);
  assert.equal(seen.load.clients, 1);
  assert.ok(a.events.includes("b.example:1935 runs ,/chat"), `${a.events}`);
});

Deno.test("Presence shows a server with 9,000 applications, and 1,024 of them", () => {
  const bus = new FakeBus(1);
  const [a, b] = [bus.add("a"), bus.add("b")];
  b.paths = Array.from({ length: 9_000 }, (_, i) => `/${i}`);
  bus.run(1_500);
  assert.deepEqual(a.sees, ["b"]);
  const [seen] = a.bus.presence.servers.values();
  assert.equal(seen.paths.length, 1_024);
});

Deno.test("Presence keeps at most 1,024 forged servers, and logs few lines about them", () => {
  const bus = new FakeBus(1);
  const [a, b] = [bus.add("a"), bus.add("b")];
  bus.run(1_500);
  const { heartbeat, bye } = messages;
  const { heartbeat: subject } = a.bus.subjects;
  const forge = (n: number, publicAddress: string) => {
    const id = seededBytes(1_000_000 + n)(16);
    const envelope = new Envelope(id, new Uint8Array(), hmac);
    const told = { ...b.self(), sequence: 1, publicAddress };
    a.bus.receive(subject, envelope.seal(subject, heartbeat, told), bus.now);
    return () => a.bus.receive(subject, envelope.seal(subject, bye, undefined), bus.now);
  };
  const byes = Array.from({ length: 3_000 }, (_, n) => forge(n, `x${n}.example:1935`));
  assert.equal(a.sees.length, 1_024);
  assert.ok(a.sees.includes("b"));
  assert.equal(a.logs.filter((line) => line.includes("1024 servers")).length, 1);
  for (let n = 3_000; n < 6_000; n++) forge(n, "b.example:1935");
  assert.ok(a.logs.length < 1_100, `${a.logs.length} lines`);
  for (const bye of byes) bye();
  bus.run(5_000);
  assert.deepEqual(a.sees, ["b"]);
});

Deno.test("Servers of both sides see a split within 4 s, and its healing within 2 s", () => {
  const bus = new FakeBus(7);
  const servers = ["a", "b", "c", "d"].map((name) => bus.add(name));
  bus.run(2_000);
  for (const server of servers.slice(2)) server.side = 1;
  bus.run(4_000);
  assert.deepEqual(servers.map(({ sees }) => sees), [["b"], ["a"], ["d"], ["c"]]);
  for (const server of servers) server.side = 0;
  bus.run(2_000);
  for (const { sees } of servers) assert.equal(sees.length, 3);
});

Deno.test("A server receives the calls sent to it in order, and another server receives no call", () => {
  const bus = new FakeBus(1);
  const [a, b, c] = ["a", "b", "c"].map((name) => bus.add(name));
  bus.run(100);
  for (let i = 0; i < 3; i++) a.bus.call(b.bus.self, "go", Uint8Array.of(i), bus.now);
  bus.run(10);
  const calls = (events: string[]) => events.filter((event) => event.includes("calls"));
  assert.deepEqual(calls(b.events), [0, 1, 2].map((i) => `a.example:1935 calls go(0${i})`));
  assert.deepEqual(calls(c.events), []);
});

Deno.test("A call to several servers is one message, in order with calls to one of them", () => {
  const bus = new FakeBus(1);
  for (let i = 0; i < 50; i++) bus.add(`s${i}`);
  bus.run(3_200);
  const [a, ...others] = bus.servers;
  const some = others.slice(1);
  const before = bus.published.messages;
  a.bus.call(some[0].bus.self, "go", Uint8Array.of(1), bus.now);
  a.bus.callAll(some.map((server) => server.bus.self), "go", Uint8Array.of(2), bus.now);
  a.bus.call(some[0].bus.self, "go", Uint8Array.of(3), bus.now);
  assert.equal(bus.published.messages - before, 3);
  bus.run(10);
  const calls = ({ events }: FakeServer) =>
    events.filter((event) => event.includes("calls")).map((event) => event.at(-2));
  assert.deepEqual(calls(some[0]), ["1", "2", "3"]);
  for (const server of some.slice(1)) assert.deepEqual(calls(server), ["2"]);
  assert.deepEqual(calls(others[0]), [], "it is not for this one");
});

Deno.test("Presence ignores servers of another cluster or with another secret", () => {
  const bus = new FakeBus(1);
  const a = bus.add("a", { secret: "sesame" });
  bus.add("b", { secret: "barley" });
  bus.add("c", { secret: "sesame", cluster: "other" });
  bus.add("d");
  const e = bus.add("e", { secret: "sesame" });
  bus.run(2_000);
  assert.deepEqual(a.sees, ["e"]);
  assert.deepEqual(e.sees, ["a"]);
  assert.ok(a.bus.counters.unreadable > 0);
  assert.equal(a.logs.filter((line) => line.startsWith("warn")).length, 1);
});

Deno.test("A newly met server receives the greeting call after it saw the caller", () => {
  for (let seed = 1; seed <= 20; seed++) {
    const bus = new FakeBus(seed);
    const greeting = (server: FakeServer) => {
      const onServer = server.onServer.bind(server);
      server.onServer = (other) => {
        onServer(other);
        server.bus.call(other.id, "hello", new Uint8Array(), bus.now);
      };
    };
    for (let i = 0; i < 6; i++) {
      greeting(bus.add(`s${i}`));
      bus.run(seed % 3 === 0 ? 2_000 : seed * 7 % 90);
    }
    bus.run(2_000);
    for (const { name, events } of bus.servers) {
      const others = bus.servers.filter((other) => other.name !== name).map(({ publicAddress }) =>
        publicAddress
      );
      for (const other of others) {
        const met = events.indexOf(`+${other}`);
        const called = events.indexOf(`${other} calls hello()`);
        assert.ok(met >= 0 && called > met, `seed ${seed}: ${name} of ${other}: ${events}`);
      }
    }
  }
});
