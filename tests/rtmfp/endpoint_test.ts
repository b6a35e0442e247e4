import assert from "node:assert/strict";
import { fromHex } from "../../src/bytes/hex.ts";
import { portable } from "../../src/rtmfp/crypto/portable.ts";
import { AgeingTable } from "../../src/rtmfp/session/ageing_table.ts";
import {
  makePair,
  makeServer,
  METADATA,
  numbered,
  numberOf,
  open,
  Recorder,
  RememberingAgreement,
  SERVER,
} from "../support/pair.ts";
import { CLIENT } from "../support/pair.ts";
import { RawPeer } from "../support/raw_peer.ts";
import { vector } from "../support/vectors.ts";

Deno.test("Endpoint opens a session to a server, which receives the client's first message", () => {
  const pair = makePair({ seed: 1, delay: [50, 50] });
  open(pair);
  assert.ok(pair.clientSession && pair.serverSession);
  const flow = pair.clientSession.openFlow(METADATA);
  flow.write(numbered(1, 100));
  pair.link.run({ until: 1000 });
  assert.deepEqual(pair.atServer.messages.map(numberOf), [1]);
  assert.equal(pair.server.sessionOf(pair.client.peerId), pair.serverSession);
  assert.deepEqual([...pair.server.sessions()], [pair.serverSession]);
});

Deno.test("Endpoint sends datagrams to the address object with which it received packets", () => {
  const server = makeServer(1, { onSession: () => new Recorder() });
  const peer = new RawPeer(server);
  peer.address = { ...CLIENT };
  peer.open();
  peer.take();
  const [session] = server.sessions();
  session.openFlow(METADATA).write(numbered(1, 100));
  peer.run();
  assert.ok(peer.seen.length > 0);
  for (const { to } of peer.seen) assert.equal(to, peer.address);
});

Deno.test("vector:drop: Endpoint drops and counts each datagram, without answer and state", () => {
  const agreement = new RememberingAgreement(3);
  const server = makeServer(1, { onSession: () => new Recorder() }, {
    crypto: portable,
    agreement,
  });
  const before = () => server.counters.drops;
  const reasons = new Map<string, string>();
  for (const { name, datagram } of vector("drop").cases) {
    const counts = { ...before() };
    server.receive(fromHex(datagram), CLIENT, 1000);
    const [reason] = Object.entries(before())
      .filter(([key, count]) => count !== (counts as Record<string, number>)[key]);
    assert.ok(reason, `${name}: no drop is counted`);
    reasons.set(name, reason[0]);
  }
  server.flush(1000, { buffer: () => assert.fail("it answers"), room: 1, post() {} });
  assert.equal(server.sessionCount, 0);
  assert.equal(agreement.computed, 0);
  assert.equal(server.deadline, Infinity);
  assert.equal(reasons.size, vector("drop").cases.length);
  assert.equal(reasons.get("mode 0 header"), "format");
  assert.equal(reasons.get("session chunk (ping) in a startup packet"), "unexpected");
  assert.equal(reasons.get("IIKeying with an invented cookie"), "cookie");
});

Deno.test("vector:pkt-ihello: Endpoint answers the hello of Flash with a datagram of 180 bytes", () => {
  const server = makeServer(1, { onSession: () => new Recorder() }, { crypto: portable });
  const { datagram } = vector("pkt-ihello");
  const sent: number[] = [];
  server.receive(fromHex(datagram), CLIENT, 1000);
  assert.equal(server.deadline, 1000, "at once");
  const buffer = new Uint8Array(2048);
  server.flush(1000, {
    buffer: () => buffer,
    room: 1,
    post(length, to) {
      sent.push(length);
      assert.deepEqual(to, CLIENT);
    },
  });
  assert.deepEqual(sent, [180]);
  assert.equal(server.deadline, Infinity);
  assert.equal(server.counters.bytesIn, fromHex(datagram).length);
  assert.equal(server.counters.bytesOut, 180);
});

Deno.test("Endpoint drops and counts random datagrams without exception and answer", () => {
  const server = makeServer(1, { onSession: () => new Recorder() }, { crypto: portable });
  const peer = new RawPeer(makeServer(2, { onSession: () => new Recorder() }));
  for (let i = 0; i < 2000; i++) {
    const datagram = server.context.random(i % 300);
    server.receive(datagram.slice(), CLIENT, i);
    peer.replay(datagram);
  }
  server.flush(2000, { buffer: () => assert.fail("it answers"), room: 1, post() {} });
  const dropped = Object.values(server.counters.drops).reduce((sum, count) => sum + count, 0);
  assert.equal(dropped, 2000, "Endpoint counts each datagram once");
});

Deno.test("Endpoint keeps its time when it receives an earlier time", () => {
  const pair = makePair({ seed: 1, delay: [50, 50] });
  open(pair);
  const { server } = pair;
  const now = server.context.clock.now;
  server.receive(new Uint8Array(0), SERVER, now - 500);
  assert.equal(server.context.clock.now, now);
});

Deno.test("AgeingTable forgets unused entries after its time in ms, and keeps at most 100 entries", () => {
  const table = new AgeingTable<number>(100, 1000);
  table.set("a", 1, 10);
  assert.equal(table.get("a", 900), 1);
  table.set("b", 2, 1100);
  assert.equal(table.get("a", 1150), 1, "get() renews an old entry");
  assert.equal(table.get("a", 2200), 1);
  assert.equal(table.get("b", 2200), 2);
  assert.equal(table.get("a", 9000), undefined);
  for (let i = 0; i < 10_000; i++) table.set(`${i}`, i, 9000);
  assert.ok(table.size <= 100, `${table.size}`);
  assert.equal(table.get("9999", 9000), 9999);
  assert.equal(table.get("0", 9000), undefined);
});
