import assert from "node:assert/strict";
import type { CryptoBackend } from "../../../src/rtmfp/crypto/backend.ts";
import {
  makePair,
  makeServer,
  METADATA,
  numbered,
  open,
  plain,
  Recorder,
} from "../../support/pair.ts";
import { RawPeer } from "../../support/raw_peer.ts";

/** A server with one session of a raw peer, and the events for the session's user. */
function opened(limits = {}, crypto = plain) {
  const recorder = new Recorder();
  const server = makeServer(1, { onSession: () => recorder }, { limits, crypto });
  const peer = new RawPeer(server).open();
  const [session] = server.sessions();
  return { server, peer, recorder, session };
}

Deno.test("Session.close() closes both ends of a link that loses packets", () => {
  for (let seed = 1; seed <= 200; seed++) {
    const pair = makePair({ seed, loss: 0.3, delay: [5, 900] });
    open(pair);
    const { clientSession, serverSession, atClient, atServer, link } = pair;
    clientSession!.openFlow(METADATA).write(numbered(1, 5000));
    link.run({ until: link.now + 200 });
    serverSession!.close();
    assert.deepEqual(atServer.closed, ["closed"], "the one that closes is told at once");
    link.run({ until: link.now + 120_000 }); // 90 s to give up, 19 s to linger
    assert.equal(clientSession!.state, "closed", `seed ${seed}`);
    assert.equal(serverSession!.state, "closed", `seed ${seed}`);
    assert.deepEqual(atClient.closed, ["closed by peer"], `seed ${seed}`);
    assert.equal(pair.server.sessionCount + pair.client.sessionCount, 0, `seed ${seed}`);
  }
});

Deno.test("Both ends may close at once", () => {
  const pair = makePair({ seed: 1, delay: [50, 50] });
  open(pair);
  pair.clientSession!.close();
  pair.serverSession!.close();
  pair.link.run({ until: pair.link.now + 1000 });
  assert.equal(pair.clientSession!.state, "closed");
  assert.equal(pair.serverSession!.state, "closed");
  assert.deepEqual([pair.atClient.closed, pair.atServer.closed], [["closed"], ["closed"]]);
});

Deno.test("A close request is answered repeatedly for 19 s, and no other packet is", () => {
  const { peer, recorder, session, server } = opened();
  peer.send("0c0000");
  peer.run();
  assert.deepEqual(peer.takeChunks(), ["4c"]);
  assert.deepEqual(recorder.closed, ["closed by peer"]);
  assert.equal(session.state, "farCloseLinger");
  peer.send("010000" + "10000800020101" + "0100000061");
  peer.run();
  assert.deepEqual(peer.takeChunks(), [], "pings and data mean nothing any more");
  peer.now += 10_000;
  peer.send("0c0000");
  peer.run();
  assert.deepEqual(peer.takeChunks(), ["4c"]);
  assert.equal(recorder.closed.length, 1);
  peer.run(peer.now + 20_000);
  assert.equal(session.state, "closed");
  assert.equal(server.sessionCount, 0);
  peer.send("0c0000");
  peer.run();
  assert.deepEqual(peer.takeChunks(), []);
  assert.equal(server.counters.drops.session, 1);
});

Deno.test("A close acknowledgement closes at once, as Flash does it, with a reason as librtmfp does", () => {
  const { peer, recorder, server } = opened();
  peer.send("4d0001 05 4c0000");
  assert.deepEqual(recorder.closed, ["closed by peer"]);
  peer.run();
  assert.deepEqual(peer.takeChunks(), []);
  assert.equal(server.sessionCount, 0);
});

/** Keys that must not be used after they are freed. */
function jealous(): CryptoBackend {
  return {
    ...plain,
    batch: undefined,
    aes(key) {
      const aes = plain.aes(key);
      let freed = false;
      const use = () => assert.ok(!freed, "it was freed");
      return {
        encrypt: (...part) => (use(), aes.encrypt(...part)),
        decrypt: (...part) => (use(), aes.decrypt(...part)),
        free: () => void (freed = true),
      };
    },
  };
}

Deno.test("A close acknowledgement before the request needs no further packet", () => {
  const { peer, session, server, recorder } = opened({}, jealous());
  const { datagramsOut } = server.counters;
  session.close();
  peer.send("4c 0000");
  assert.equal(server.sessionCount, 0);
  peer.run();
  assert.equal(server.counters.datagramsOut, datagramsOut);
  assert.deepEqual(recorder.closed, ["closed"]);
});

Deno.test("A close request that the outbox takes late is not sent after the 90 s", () => {
  const { peer, session, server } = opened({}, jealous());
  const { datagramsOut } = server.counters;
  session.close();
  const full = { buffer: () => undefined, room: 0, post: () => assert.fail("it is full") };
  server.flush(peer.now + 91_000, full);
  assert.equal(server.sessionCount, 0);
  peer.now += 91_000;
  peer.run();
  assert.equal(server.counters.datagramsOut, datagramsOut);
});

Deno.test("A close request is repeated every 5 s, for 90 s", () => {
  const { peer, session } = opened();
  session.close();
  const times: number[] = [];
  const start = peer.now;
  while (peer.now < start + 120_000) {
    peer.run(peer.now + 100);
    for (const chunk of peer.takeChunks()) {
      assert.equal(chunk, "0c");
      times.push(Math.round((peer.now - start) / 1000));
    }
  }
  assert.deepEqual(times, Array.from({ length: 18 }, (_, i) => 5 * i));
  assert.equal(session.state, "closed");
});

Deno.test("A close request answered by a close request, as Cumulus does, closes the session too", () => {
  const { peer, session, server, recorder } = opened();
  session.close();
  peer.run();
  assert.deepEqual(peer.takeChunks(), ["0c"]);
  peer.send("0c0000");
  peer.run(peer.now + 30_000);
  assert.deepEqual(peer.takeChunks(), ["4c"], "and no more requests");
  assert.equal(server.sessionCount, 0);
  assert.deepEqual(recorder.closed, ["closed"]);
});

Deno.test("abort() sends one packet and forgets the session", () => {
  const { peer, session, server, recorder } = opened();
  session.abort();
  session.abort();
  session.close();
  assert.deepEqual(recorder.closed, ["aborted (not orderly)"]);
  peer.run(peer.now + 60_000);
  assert.deepEqual(peer.takeChunks(), ["4c"]);
  assert.equal(server.sessionCount, 0);
});

Deno.test("Endpoint.close() notifies all sessions and forgets them", () => {
  const { peer, server, recorder } = opened();
  server.close();
  peer.run();
  assert.deepEqual(peer.takeChunks(), ["4c"]);
  assert.deepEqual(recorder.closed, ["endpoint closed (not orderly)"]);
  assert.equal(server.sessionCount, 0);
  peer.run(peer.now + 100_000);
  assert.equal(server.deadline, Infinity, "the handshake is forgotten too");
});

Deno.test("finish() closes the session when all written messages have arrived", () => {
  for (let seed = 1; seed <= 50; seed++) {
    const pair = makePair({ seed, delay: [40, 60], loss: 0.1 });
    open(pair);
    const flow = pair.serverSession!.openFlow(METADATA);
    for (let i = 0; i < 10; i++) flow.write(numbered(i, 1500));
    pair.serverSession!.finish();
    pair.link.run({ until: pair.link.now + 4000, done: () => pair.atServer.closed.length > 0 });
    assert.deepEqual(pair.atServer.closed, ["closed"], `seed ${seed}`);
    assert.equal(pair.atClient.messages.length, 10, `seed ${seed}`);
    assert.equal(pair.atClient.ended, 1, `seed ${seed}`);
  }
  const without = opened();
  without.session.finish();
  without.peer.run(without.peer.now + 20);
  assert.deepEqual(
    without.recorder.closed,
    ["closed"],
    "without flows there is nothing to wait for",
  );
  const { peer, session, recorder } = opened();
  session.openFlow(METADATA).write(numbered(1, 10));
  session.finish();
  peer.run(peer.now + 4900);
  assert.deepEqual(recorder.closed, []);
  peer.run(peer.now + 200);
  assert.deepEqual(recorder.closed, ["closed"], "a far end that says nothing is not waited for");
});

Deno.test("A silent far end is pinged, then closed", () => {
  const { peer, recorder, session, server } = opened();
  const start = peer.now;
  peer.run(start + 29_900);
  assert.deepEqual(peer.takeChunks(), []);
  peer.run(start + 30_100);
  assert.deepEqual(peer.takeChunks(), ["01"]);
  peer.send("410000");
  peer.run(peer.now + 29_900);
  assert.deepEqual(peer.takeChunks(), [], "it has answered");
  peer.run(peer.now + 60_000);
  assert.equal(peer.takeChunks().length, 12, "every 5 s");
  peer.run(peer.now + 31_000);
  assert.deepEqual(recorder.closed, ["timeout (not orderly)"]);
  assert.equal(session.state, "closed");
  assert.equal(server.sessionCount, 0);
});

Deno.test("A silent far end is not pinged while data waits for its acknowledgement", () => {
  const { peer, session } = opened();
  session.keepAlive = 1000;
  session.openFlow(METADATA).write(numbered(1, 10));
  peer.run(peer.now + 40_000);
  const chunks = peer.takeChunks();
  assert.ok(chunks.length > 3, "the data is sent again");
  assert.ok(!chunks.some((chunk) => chunk.startsWith("01")), chunks.join());
});

Deno.test("A far end that acknowledges no packet is closed after a minute", () => {
  const { peer, recorder, session } = opened();
  session.openFlow(METADATA).write(numbered(1, 10));
  const start = peer.now;
  while (recorder.closed.length === 0) {
    peer.run(peer.now + 1000);
    peer.send("010000"); // it is not silent
  }
  assert.deepEqual(recorder.closed, ["no acknowledgement (not orderly)"]);
  assert.ok(peer.now - start >= 60_000 && peer.now - start < 75_000, `${peer.now - start}`);
  peer.run();
  assert.equal(peer.takeChunks().at(-1), "4c");
});

Deno.test("A session without flows is closed after 5 minutes, one with flows is not", () => {
  const { peer, recorder } = opened();
  const start = peer.now;
  const live = (until: number) => {
    while (peer.now < until) {
      peer.run(Math.min(until, peer.now + 10_000));
      peer.send("010000");
    }
    return peer;
  };
  live(start + 200_000).send("10 000e 80 02 01 01 05 00 54430400 00 616263");
  live(start + 600_000);
  assert.deepEqual(recorder.closed, []);
  live(peer.now).send("10 0004 03 02 02 01");
  live(peer.now + 299_000);
  assert.deepEqual(recorder.closed, []);
  live(peer.now + 50_000);
  assert.deepEqual(recorder.closed, ["idle"]);
});

Deno.test("A handler may close the session from any event", () => {
  const actions = ["close", "abort", "finish"] as const;
  for (const action of actions) {
    const pair = makePair({ seed: 1, delay: [10, 20] });
    open(pair);
    pair.atServer.onMessage = () => pair.serverSession![action]();
    const flow = pair.clientSession!.openFlow(METADATA);
    for (let i = 0; i < 20; i++) flow.write(numbered(i, 900));
    pair.link.run({ until: pair.link.now + 120_000 });
    assert.equal(pair.serverSession!.state, "closed", action);
    assert.equal(pair.clientSession!.state, "closed", action);
    assert.equal(pair.server.sessionCount + pair.client.sessionCount, 0, action);
  }
});

Deno.test("Flows of a closed session do nothing", () => {
  const { session, peer } = opened();
  const flow = session.openFlow(METADATA);
  session.abort();
  flow.write(numbered(1, 10));
  assert.equal(flow.closed, true);
  const late = session.openFlow(METADATA);
  assert.equal(late.closed, true);
  late.write(numbered(1, 10));
  late.close();
  assert.equal(session.queuedBytes, 0);
  peer.run(peer.now + 10_000);
  assert.deepEqual(peer.takeChunks(), ["4c"]);
});

Deno.test("An exception of a handler closes only its session and reaches the owner", () => {
  const { peer, recorder, server } = opened();
  recorder.onFlow = () => {
    throw new Error("a bug");
  };
  const data = "10 000e 80 02 01 01 05 00 54430400 00 616263";
  assert.throws(() => peer.send(data), /a bug/);
  assert.deepEqual(recorder.closed, ["aborted (not orderly)"]);
  peer.run();
  assert.equal(server.sessionCount, 0);
});

Deno.test("A bug in one session is reported, and other sessions are served", () => {
  const bugs: string[] = [];
  const fail = () => {
    throw new Error("a bug");
  };
  for (const where of ["onFlow", "onMessage", "onClose", "onSession"]) {
    const recorder = new Recorder();
    let first = true;
    const server = makeServer(1, {
      onSession() {
        const again = !first;
        first = false;
        if (!again && where === "onSession") fail();
        return recorder;
      },
      onBug: (error, session) => void bugs.push(`${(error as Error).message}: ${session?.state}`),
    });
    const peer = new RawPeer(server).open();
    if (where === "onFlow") recorder.onFlow = fail;
    if (where === "onMessage") recorder.onMessage = fail;
    if (where === "onClose") recorder.onClose = fail;
    if (where === "onFlow" || where === "onMessage") {
      peer.send("10 000e 80 02 01 01 05 00 54430400 00 616263");
    }
    peer.run(peer.now + 200_000); // for onClose: a timer finds that the peer is silent
    assert.equal(server.sessionCount, 0, where);
    const other = new RawPeer(server, peer.now);
    other.nearId++;
    other.open();
    other.send("010000");
    other.run();
    assert.deepEqual(other.takeChunks(), ["41"], `after ${where}`);
  }
  assert.deepEqual(bugs, Array.from({ length: 4 }, () => "a bug: closed"));
});

Deno.test("An exception in onClose of one session does not stop others from opening or closing", () => {
  const bugs: string[] = [];
  const server = makeServer(1, {
    onSession: () =>
      Object.assign(new Recorder(), {
        onClose(reason: string) {
          throw new Error(`a bug: ${reason}`);
        },
      }),
    onBug: (error) => void bugs.push((error as Error).message),
  });
  new RawPeer(server).open();
  const again = new RawPeer(server);
  again.nearId++;
  again.open();
  const other = new RawPeer(server);
  other.nearId += 2;
  other.address = { hostname: "192.0.2.9", port: 1024 };
  other.open();
  assert.equal(server.sessionCount, 2);
  server.close();
  other.run();
  assert.equal(server.sessionCount, 0);
  assert.deepEqual(
    bugs,
    ["overridden", "endpoint closed", "endpoint closed"].map((reason) => {
      return `a bug: ${reason}`;
    }),
  );
});
