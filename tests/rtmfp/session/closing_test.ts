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
import { SEEDS } from "../../support/seeds.ts";

/** A server with one session of a raw peer, and a recorder of the session's events. */
function opened(limits = {}, crypto = plain) {
  const recorder = new Recorder();
  const server = makeServer(1, { onSession: () => recorder }, { limits, crypto });
  const peer = new RawPeer(server).open();
  const [session] = server.sessions();
  return { server, peer, recorder, session };
}

Deno.test("Session.close() closes both ends of a link that loses packets", () => {
  for (let seed = 1; seed <= SEEDS; seed++) {
    const pair = makePair({ seed, loss: 0.3, delay: [5, 900] });
    open(pair);
    const { clientSession, serverSession, atClient, atServer, link } = pair;
    clientSession!.openFlow(METADATA).write(numbered(1, 5000));
    link.run({ until: link.now + 200 });
    serverSession!.close();
    assert.deepEqual(atServer.closed, ["closed"], "the closing end gets onClose at once");
    link.run({ until: link.now + 120_000 }); // 90 s to give up, 19 s to linger
    assert.equal(clientSession!.state, "closed", `seed ${seed}`);
    assert.equal(serverSession!.state, "closed", `seed ${seed}`);
    assert.deepEqual(atClient.closed, ["closed by peer"], `seed ${seed}`);
    assert.equal(pair.server.sessionCount + pair.client.sessionCount, 0, `seed ${seed}`);
  }
});

Deno.test("Session.close() at both ends at the same time closes both", () => {
  const pair = makePair({ seed: 1, delay: [50, 50] });
  open(pair);
  pair.clientSession!.close();
  pair.serverSession!.close();
  pair.link.run({ until: pair.link.now + 1000 });
  assert.equal(pair.clientSession!.state, "closed");
  assert.equal(pair.serverSession!.state, "closed");
  assert.deepEqual([pair.atClient.closed, pair.atServer.closed], [["closed"], ["closed"]]);
});

Deno.test("Session answers only close requests for 19 s after a close request", () => {
  const { peer, recorder, session, server } = opened();
  peer.send("0c0000");
  peer.run();
  assert.deepEqual(peer.takeChunks(), ["4c"]);
  assert.deepEqual(recorder.closed, ["closed by peer"]);
  assert.equal(session.state, "farCloseLinger");
  peer.send("010000" + "10000800020101" + "0100000061");
  peer.run();
  assert.deepEqual(peer.takeChunks(), [], "pings and data get no answer");
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

Deno.test("Session closes at once at an acknowledgement without a request, as Flash and librtmfp send it", () => {
  const { peer, recorder, server } = opened();
  peer.send("4d0001 05 4c0000");
  assert.deepEqual(recorder.closed, ["closed by peer"]);
  peer.run();
  assert.deepEqual(peer.takeChunks(), []);
  assert.equal(server.sessionCount, 0);
});

/** A back-end whose keys fail if they are used after they are freed. */
function jealous(): CryptoBackend {
  return {
    ...plain,
    batch: undefined,
    aes(key) {
      const aes = plain.aes(key);
      let freed = false;
      const use = () => assert.ok(!freed, "a freed key was used");
      return {
        encrypt: (...part) => (use(), aes.encrypt(...part)),
        decrypt: (...part) => (use(), aes.decrypt(...part)),
        free: () => void (freed = true),
      };
    },
  };
}

Deno.test("Session sends no close request after it has received the acknowledgement", () => {
  const { peer, session, server, recorder } = opened({}, jealous());
  const { datagramsOut } = server.counters;
  session.close();
  peer.send("4c 0000");
  assert.equal(server.sessionCount, 0);
  peer.run();
  assert.equal(server.counters.datagramsOut, datagramsOut);
  assert.deepEqual(recorder.closed, ["closed"]);
});

Deno.test("Session sends no close request after 90 s, also when the outbox was full", () => {
  const { peer, session, server } = opened({}, jealous());
  const { datagramsOut } = server.counters;
  session.close();
  const full = { buffer: () => undefined, room: 0, post: () => assert.fail("the outbox is full") };
  server.flush(peer.now + 91_000, full);
  assert.equal(server.sessionCount, 0);
  peer.now += 91_000;
  peer.run();
  assert.equal(server.counters.datagramsOut, datagramsOut);
});

Deno.test("Session repeats its close request every 5 s, for 90 s", () => {
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

Deno.test("Session closes when its close request is answered by a close request, as Cumulus does", () => {
  const { peer, session, server, recorder } = opened();
  session.close();
  peer.run();
  assert.deepEqual(peer.takeChunks(), ["0c"]);
  peer.send("0c0000");
  peer.run(peer.now + 30_000);
  assert.deepEqual(peer.takeChunks(), ["4c"], "no further close request");
  assert.equal(server.sessionCount, 0);
  assert.deepEqual(recorder.closed, ["closed"]);
});

Deno.test("Session.abort() sends one packet, and the endpoint forgets the session", () => {
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
  assert.equal(server.deadline, Infinity, "the endpoint has forgotten the handshake");
});

Deno.test("Session.finish() closes the session when all written messages have arrived, or after 5 s", () => {
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
    "a session without flows closes at once",
  );
  const { peer, session, recorder } = opened();
  session.openFlow(METADATA).write(numbered(1, 10));
  session.finish();
  peer.run(peer.now + 4900);
  assert.deepEqual(recorder.closed, []);
  peer.run(peer.now + 200);
  assert.deepEqual(recorder.closed, ["closed"], "a silent far end delays the close by 5 s");
});

Deno.test("Session pings a far end silent for 30 s, and closes after two minutes without an answer", () => {
  const { peer, recorder, session, server } = opened();
  const start = peer.now;
  peer.run(start + 29_900);
  assert.deepEqual(peer.takeChunks(), []);
  peer.run(start + 30_100);
  assert.deepEqual(peer.takeChunks(), ["01"]);
  peer.send("410000");
  peer.run(peer.now + 29_900);
  assert.deepEqual(peer.takeChunks(), [], "the far end has answered");
  peer.run(peer.now + 60_000);
  assert.equal(peer.takeChunks().length, 12, "every 5 s");
  peer.run(peer.now + 31_000);
  assert.deepEqual(recorder.closed, ["timeout (not orderly)"]);
  assert.equal(session.state, "closed");
  assert.equal(server.sessionCount, 0);
});

Deno.test("Session sends no ping while data waits for its acknowledgement", () => {
  const { peer, session } = opened();
  session.keepAlive = 1000;
  session.openFlow(METADATA).write(numbered(1, 10));
  peer.run(peer.now + 40_000);
  const chunks = peer.takeChunks();
  assert.ok(chunks.length > 3, "the data is sent again");
  assert.ok(!chunks.some((chunk) => chunk.startsWith("01")), chunks.join());
});

Deno.test("Session closes 60 to 75 s after the last acknowledgement of its data", () => {
  const { peer, recorder, session } = opened();
  session.openFlow(METADATA).write(numbered(1, 10));
  const start = peer.now;
  while (recorder.closed.length === 0) {
    peer.run(peer.now + 1000);
    peer.send("010000"); // the far end is not silent
  }
  assert.deepEqual(recorder.closed, ["no acknowledgement (not orderly)"]);
  assert.ok(peer.now - start >= 60_000 && peer.now - start < 75_000, `${peer.now - start}`);
  peer.run();
  assert.equal(peer.takeChunks().at(-1), "4c");
});

Deno.test("Session closes as idle after 5 minutes without flows, but not with flows", () => {
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

Deno.test("Session closes when a message handler calls close, abort or finish", () => {
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

Deno.test("Session sends no data of its flows after abort()", () => {
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

Deno.test("Endpoint.receive() closes a session whose handler throws, and throws the exception", () => {
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

Deno.test("Endpoint reports an exception of one session to onBug, and serves other sessions", () => {
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
    peer.run(peer.now + 200_000); // for onClose: the session closes, as the peer is silent
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

Deno.test("Endpoint opens and closes other sessions when onClose of one session throws", () => {
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
