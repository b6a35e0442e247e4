// Publications with listeners on other servers, on a bus in virtual time.
import assert from "node:assert/strict";
import { FakeBus, type FakeServer, frameOf } from "./fake_bus.ts";

function cluster(seed: number, names: string[], options = {}): [FakeBus, ...FakeServer[]] {
  const bus = new FakeBus(seed);
  const servers = names.map((name) => bus.add(name, options));
  bus.run(200);
  return [bus, ...servers];
}

const timesOf = (server: FakeServer, name = "cam") =>
  server.relays.get(name)?.map(({ frame }) => frame.time);

Deno.test("A listener gets the initial state, then every frame in order", () => {
  const [bus, a, b, c] = cluster(1, ["a", "b", "c"]);
  a.publishes("cam", [frameOf(1, "metadata"), frameOf(2), frameOf(3, "audio")]);
  bus.run(1_000);
  a.sends("cam", frameOf(9));
  b.plays("cam");
  bus.run(20);
  assert.deepEqual(b.relays.get("cam")!.map(({ frame }) => frame.kind), [
    "metadata",
    "video",
    "audio",
  ]);
  for (let n = 10; n < 15; n++) {
    a.sends("cam", frameOf(n));
    bus.run(30);
  }
  assert.deepEqual(timesOf(b), [1, 2, 3, 10, 11, 12, 13, 14]);
  assert.ok(b.relays.get("cam")!.every(({ lost }) => !lost));
  assert.equal(c.relays.size, 0);
  a.unpublishes("cam");
  bus.run(10);
  assert.deepEqual(b.events.filter((event) => event.startsWith("cam")), [
    "cam begins",
    "cam ends",
  ]);
});

Deno.test("Listeners that wait for a publisher at another server get its frames at once", () => {
  const [bus, a, b] = cluster(1, ["a", "b"]);
  b.plays("cam");
  bus.run(10_400);
  a.publishes("cam", [frameOf(1)]);
  bus.run(20);
  assert.deepEqual(timesOf(b), [1]);
});

Deno.test("A server with listeners asks for an unpublished name every 1 s, then every 5 s", () => {
  const [bus, a, b] = cluster(1, ["a", "b"]);
  const heartbeats = 2 * 60;
  b.plays("cam");
  const before = bus.published.messages;
  bus.run(60_000);
  const joins = bus.published.messages - before - heartbeats;
  assert.ok(joins >= 12 && joins <= 16, `${joins}`);
  bus.faults = { loss: 1, except: /\.hb$/ };
  a.publishes("cam", [frameOf(1)]);
  bus.run(500);
  bus.faults = {};
  bus.run(5_000);
  assert.deepEqual(timesOf(b), [1], "the first claim was lost");
});

Deno.test("A server sends a frame of 50,000 bytes in fewer than 60 messages of 1 KiB", () => {
  const [bus, a, b] = cluster(1, ["a", "b"], { maxPayload: 1024 });
  a.publishes("cam");
  b.plays("cam");
  bus.run(20);
  const before = bus.published.messages;
  a.sends("cam", frameOf(3, "video", 50_000));
  bus.run(20);
  assert.ok(bus.published.messages - before < 60);
  assert.deepEqual(b.sees, ["a"]);
});

Deno.test("A server sends frames to the bus only while another server has listeners", () => {
  const [bus, a, b] = cluster(1, ["a", "b"]);
  a.publishes("cam");
  bus.run(100);
  assert.ok(!a.interests.has("cam"));
  b.plays("cam");
  bus.run(20);
  assert.ok(a.interests.has("cam"));
  bus.run(30_000);
  assert.ok(a.interests.has("cam"), "interest is kept alive");
  b.plays("cam", false);
  bus.run(20);
  assert.ok(!a.interests.has("cam"));
  b.plays("cam");
  bus.run(20);
  b.kill();
  bus.run(4_000);
  assert.ok(!a.interests.has("cam"), "a server that is gone has no listeners");
});

Deno.test("A listener gets a frame, and an initial state, larger than a message of the bus whole", () => {
  const [bus, a, b] = cluster(1, ["a", "b"], { maxPayload: 4096 });
  a.publishes("cam", [frameOf(1, "video", 20_000), frameOf(2, "video", 100)]);
  b.plays("cam");
  bus.run(100);
  a.sends("cam", frameOf(3, "video", 50_000));
  bus.run(100);
  const lengths = b.relays.get("cam")!.map(({ frame }) => frame.payload.length);
  assert.deepEqual(lengths, [20_000, 100, 50_000]);
});

Deno.test("A listener gets frames once, in order and with gaps marked, when messages are lost, duplicated and reordered", () => {
  for (let seed = 1; seed <= 50; seed++) {
    const [bus, a, b] = cluster(seed, ["a", "b"], { maxPayload: 4096 });
    a.publishes("cam");
    b.plays("cam");
    bus.run(20);
    bus.faults = { loss: 0.1, duplicates: 0.2, reorder: 15, except: /\.hb$/ };
    for (let n = 0; n < 200; n++) {
      a.sends("cam", frameOf(n, "video", n % 20 === 0 ? 9_000 : 50));
      bus.run(20);
    }
    const frames = b.relays.get("cam")!;
    for (const [i, { frame, lost }] of frames.entries()) {
      const before = i > 0 ? frames[i - 1].frame.time : -1;
      assert.ok(frame.time > before, `seed ${seed}`);
      if (frame.time !== before + 1) assert.ok(lost, `seed ${seed}: ${before} → ${frame.time}`);
      assert.equal(frame.payload.length, frame.time % 20 === 0 ? 9_000 : 50, `seed ${seed}`);
      assert.ok(frame.payload.every((byte) => byte === frame.time % 256), `seed ${seed}`);
    }
    assert.ok(frames.length > 100, `seed ${seed}: ${frames.length}`);
  }
});

Deno.test("Servers keep the older of two publications of one name", () => {
  const [bus, a, b, c] = cluster(1, ["a", "b", "c"]);
  b.publishes("cam", [frameOf(1)]);
  bus.run(1_000);
  a.publishes("cam", [frameOf(2)]);
  c.plays("cam");
  bus.run(100);
  assert.ok(a.events.includes("cam is taken"));
  assert.deepEqual([a, b].map(({ publications }) => publications.has("cam")), [false, true]);
  assert.deepEqual(timesOf(c), [1]);
});

Deno.test("Servers keep one of two publications within 5 s after a split heals, and all play it", () => {
  for (let seed = 1; seed <= 30; seed++) {
    const bus = new FakeBus(seed, { loss: 0.02, duplicates: 0.1, reorder: 30 });
    const servers = Array.from({ length: 6 }, (_, i) => bus.add(`s${i}`));
    bus.run(2_000);
    for (const server of servers) server.plays("cam");
    for (const server of servers.slice(3)) server.side = 1;
    bus.run(4_000);
    const [first, second] = seed % 2 ? [servers[0], servers[5]] : [servers[4], servers[1]];
    first.publishes("cam", [frameOf(1)]);
    bus.run(seed % 3 === 0 ? 0 : 1);
    second.publishes("cam", [frameOf(2)]);
    bus.run(3_000);
    for (const server of servers) server.side = 0;
    bus.faults = {};
    bus.run(5_000);
    const owners = servers.filter(({ publications }) => publications.has("cam"));
    assert.equal(owners.length, 1, `seed ${seed}`);
    const [frame] = owners[0].publications.get("cam")!;
    for (const server of servers) {
      if (server === owners[0]) continue;
      assert.deepEqual(timesOf(server), [frame.time], `seed ${seed}: ${server.name}`);
    }
  }
});

Deno.test("Servers keep one publication within 1 s when two servers publish a name at once without hearing each other", () => {
  for (let seed = 1; seed <= 20; seed++) {
    const [bus, a, b] = cluster(seed, ["a", "b"]);
    bus.faults = { loss: 1, except: /\.hb$/ };
    a.publishes("cam");
    b.publishes("cam");
    bus.run(100);
    bus.faults = {};
    bus.run(900);
    const owners = [a, b].filter(({ publications }) => publications.has("cam"));
    assert.equal(owners.length, 1, `seed ${seed}`);
  }
});

Deno.test("Servers settle claims to a name within 3.5 s after a split of 7 s or more heals", () => {
  for (let seed = 1; seed <= 30; seed++) {
    const [bus, a, b] = cluster(seed, ["a", "b"]);
    b.side = 1;
    bus.run(4_000);
    a.publishes("cam");
    b.publishes("cam"); // their claims are repeated at the same times
    bus.run(3_000 + seed * 171);
    b.side = 0;
    bus.run(3_500);
    const owners = [a, b].filter(({ publications }) => publications.has("cam"));
    assert.equal(owners.length, 1, `seed ${seed}`);
  }
});

Deno.test("A listener's server finds a publisher each time it moves to another server", () => {
  const [bus, a, b, c] = cluster(1, ["a", "b", "c"]);
  c.plays("cam");
  let owner = a;
  for (let n = 1; n <= 6; n++) {
    owner.publishes("cam", [frameOf(n)]);
    bus.run(1_100);
    assert.deepEqual(timesOf(c), [n]);
    owner.unpublishes("cam");
    bus.run(50);
    owner = owner === a ? b : a;
  }
});

Deno.test("A local publication ends the relayed one, which returns after the local one ended", () => {
  const [bus, a, b] = cluster(1, ["a", "b"]);
  a.plays("cam");
  a.publishes("cam", [frameOf(1)]);
  bus.run(100);
  b.plays("cam");
  bus.run(100);
  assert.deepEqual(timesOf(b), [1]);
  a.unpublishes("cam");
  b.publishes("cam", [frameOf(2)]);
  bus.run(2_100);
  assert.deepEqual(timesOf(a), [2]);
  assert.equal(b.relays.size, 0);
});

Deno.test("A server ends a relay when the bus is gone for 10 s, and restarts it within 5 s", () => {
  const [bus, a, b] = cluster(3, ["a", "b"]);
  a.publishes("cam", [frameOf(1)]);
  b.plays("cam");
  bus.run(100);
  for (const server of [a, b]) server.bus.disconnected();
  bus.run(10_000);
  assert.deepEqual([b.relays.size, a.interests.size], [0, 0]);
  for (const server of [a, b]) server.connect();
  bus.run(5_000);
  assert.deepEqual(timesOf(b), [1]);
});
