// Lookups of peers at other servers, on a bus in virtual time.
import assert from "node:assert/strict";
import { toHex } from "../../src/bytes/hex.ts";
import { FakeBus, type FakeServer } from "./fake_bus.ts";

const peerId = new Uint8Array(32).fill(7);

function ask(server: FakeServer, asker: string, peer = peerId): boolean {
  return server.bus.lookups.find(
    {
      peerId: peer,
      epd: Uint8Array.of(1),
      tag: new TextEncoder().encode(asker),
      addresses: ["192.0.2.1:1000"],
      attempts: 0,
    },
    asker,
    server.network.now,
  );
}

const answers = (server: FakeServer) => server.events.filter((event) => event.includes("found"));

Deno.test("The server that has a peer answers a lookup; Lookups reports an unknown peer after 200 ms", () => {
  const bus = new FakeBus(1);
  const [a, b] = ["a", "b", "c"].map((name) => bus.add(name));
  b.peers.add(toHex(peerId));
  bus.run(100);
  assert.ok(ask(a, "x"));
  bus.run(10);
  assert.deepEqual(answers(a), ["x found at b:1"]);
  b.peers.clear();
  assert.ok(ask(a, "y"));
  bus.run(199);
  assert.equal(answers(a).length, 1);
  bus.run(2);
  assert.deepEqual(answers(a).slice(1), ["y found nowhere"]);
  assert.equal(ask(a, "z"), false, "it is not asked for again at once");
  bus.run(1_100);
  assert.ok(ask(a, "z"));
});

Deno.test("Lookups asks once for a repeated hello, and sends at most 200 requests a second", () => {
  const bus = new FakeBus(1);
  const a = bus.add("a");
  bus.run(1_000);
  const before = bus.published.messages;
  assert.ok(ask(a, "x"));
  assert.ok(ask(a, "x"));
  assert.equal(bus.published.messages - before, 1);
  let asked = 0;
  for (let i = 0; i < 500; i++) {
    const peer = new Uint8Array(32).fill(1);
    peer[0] = i;
    peer[1] = i >> 8;
    if (ask(a, `y${i}`, peer)) asked++;
  }
  assert.equal(asked, 199);
});

Deno.test("Lookups answers each asker once when messages are lost, duplicated and reordered", () => {
  for (let seed = 1; seed <= 50; seed++) {
    const bus = new FakeBus(seed, { loss: 0.3, duplicates: 0.3, reorder: 100 });
    const [a, b] = ["a", "b"].map((name) => bus.add(name));
    b.peers.add(toHex(peerId));
    bus.run(100);
    for (let i = 0; i < 20; i++) {
      ask(a, `x${i}`);
      bus.run(50);
    }
    bus.run(1_000);
    const { requests, hits, timeouts } = a.bus.lookups.counters;
    assert.equal(answers(a).length, requests, `seed ${seed}`);
    assert.equal(hits + timeouts, requests, `seed ${seed}`);
  }
});
