// NetGroups with members on several servers, on a bus in virtual time.
import assert from "node:assert/strict";
import { toHex } from "../../src/bytes/hex.ts";
import { FakeBus } from "./fake_bus.ts";

const group = "ab".repeat(32);
const peer = (n: number) => new Uint8Array(32).fill(n);

Deno.test("Servers send members of a group only to servers that have members of it", () => {
  const bus = new FakeBus(1);
  const [a, b, c] = ["a", "b", "c"].map((name) => bus.add(name));
  bus.run(100);
  a.joins(group, peer(1));
  b.joins(group, peer(2));
  bus.run(10);
  assert.deepEqual([...a.foreign.get(group)!], [toHex(peer(2))]);
  assert.deepEqual([...b.foreign.get(group)!], [toHex(peer(1))]);
  assert.equal(c.foreign.size, 0);
  b.leaves(group, peer(2));
  bus.run(10);
  assert.equal(a.foreign.get(group)!.size, 0);
  assert.equal(b.foreign.get(group)!.size, 0, "no local member is left to learn of others");
});

Deno.test("Servers forget the members of a server that is killed", () => {
  const bus = new FakeBus(1);
  const [a, b] = ["a", "b"].map((name) => bus.add(name));
  bus.run(100);
  a.joins(group, peer(1));
  b.joins(group, peer(2));
  bus.run(100);
  b.kill();
  bus.run(4_000);
  assert.equal(a.foreign.get(group)!.size, 0);
});

Deno.test("Each of 20 servers with 10 members keeps 32 members of other servers", () => {
  const bus = new FakeBus(1);
  for (let i = 0; i < 20; i++) bus.add(`s${i}`);
  bus.run(100);
  for (const [i, server] of bus.servers.entries()) {
    for (let n = 0; n < 10; n++) server.joins(group, peer(i * 10 + n));
  }
  bus.run(60_000);
  for (const server of bus.servers) assert.equal(server.foreign.get(group)!.size, 32);
});

Deno.test("Servers correct a group's members after lost messages within 46 s", () => {
  for (let seed = 1; seed <= 20; seed++) {
    const bus = new FakeBus(seed, { loss: 0.3 });
    const [a, b] = ["a", "b"].map((name) => bus.add(name));
    bus.run(3_000);
    for (let n = 1; n <= 5; n++) {
      a.joins(group, peer(n));
      b.joins(group, peer(10 + n));
      bus.run(1_000);
    }
    b.leaves(group, peer(11));
    bus.faults = {};
    bus.run(46_000);
    const expected = [12, 13, 14, 15].map((n) => toHex(peer(n)));
    assert.deepEqual([...a.foreign.get(group)!].sort(), expected, `seed ${seed}`);
    assert.equal(b.foreign.get(group)!.size, 5, `seed ${seed}`);
  }
});

Deno.test("Servers know the members of both sides within 5 s after a split heals", () => {
  for (let seed = 1; seed <= 20; seed++) {
    const bus = new FakeBus(seed, { duplicates: 0.1, reorder: 30 });
    const servers = Array.from({ length: 6 }, (_, i) => bus.add(`s${i}`));
    bus.run(2_000);
    for (const [i, server] of servers.entries()) server.joins(group, peer(i));
    bus.run(1_000);
    for (const server of servers.slice(3)) server.side = 1;
    bus.run(5_000);
    servers[0].joins(group, peer(10));
    servers[5].leaves(group, peer(5));
    for (const server of servers) assert.ok((server.foreign.get(group)?.size ?? 0) <= 3);
    for (const server of servers) server.side = 0;
    bus.run(5_000);
    const all = [0, 1, 2, 3, 4, 10].map((n) => toHex(peer(n)));
    for (const [i, server] of servers.entries()) {
      if (i === 5) continue; // no member is left there
      const own = server.localMembers(group).map(toHex);
      const expected = all.filter((one) => !own.includes(one)).sort();
      assert.deepEqual([...server.foreign.get(group)!].sort(), expected, `seed ${seed}: s${i}`);
    }
  }
});

Deno.test("Servers whose joins were lost learn each other's members within 1 s", () => {
  for (let seed = 1; seed <= 20; seed++) {
    const bus = new FakeBus(seed);
    const [a, b] = ["a", "b"].map((name) => bus.add(name));
    bus.run(3_000);
    bus.faults = { loss: 1, except: /\.hb$/ };
    a.joins(group, peer(1));
    b.joins(group, peer(2));
    bus.run(100);
    bus.faults = {};
    bus.run(900);
    assert.deepEqual([a, b].map(({ foreign }) => foreign.get(group)?.size), [1, 1], `seed ${seed}`);
  }
});
