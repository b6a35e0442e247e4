// A session follows only its far end to another address. RFC 7016 §3.5.4.2.
import assert from "node:assert/strict";
import type { Address } from "../../../src/common/address.ts";
import { STRICT } from "../../../src/rtmfp/crypto/protection.ts";
import {
  CLIENT,
  makePair,
  makeServer,
  METADATA,
  numbered,
  open,
  Recorder,
} from "../../support/pair.ts";
import { RawPeer } from "../../support/raw_peer.ts";

const NEW: Address = { hostname: "198.51.100.7", port: 60_001 };
/** Another port of the client's IP address, like NEW: behind the same NAT. */
const NEIGHBOUR: Address = { hostname: CLIENT.hostname, port: 666 };
const EVIL: Address = { hostname: "203.0.113.66", port: 666 };

function opened() {
  const recorder = new Recorder();
  const server = makeServer(1, { onSession: () => recorder });
  const peer = new RawPeer(server).open();
  const [session] = server.sessions();
  return { server, peer, recorder, session };
}

/** Opens a flow of the server that the peer knows. */
function withFlow(peer: RawPeer, server: Iterable<{ openFlow: (m: Uint8Array) => unknown }>) {
  for (const session of server) {
    const flow = session.openFlow(METADATA) as { write(message: Uint8Array): void };
    flow.write(numbered(1, 10));
    peer.run();
    peer.send("51 0003 02 7f 01");
    peer.run();
    peer.take();
    return flow;
  }
  throw new Error("no session");
}

Deno.test("Session moves to a new address that answers a ping with its message", () => {
  const { peer, server, session } = opened();
  const flow = withFlow(peer, server.sessions());
  peer.now += 1000;
  peer.address = NEW;
  peer.send("010000");
  peer.run();
  const [question] = peer.take();
  assert.deepEqual(question.to, NEW);
  assert.match(question.chunks[0], /^01 4d[0-9a-f]{48}$/);
  assert.deepEqual(session.address, CLIENT, "before the answer to the ping");
  flow.write(numbered(2, 10));
  peer.run();
  assert.deepEqual(peer.take().map(({ to }) => to), [CLIENT], "data goes to the old address");
  const message = question.chunks[0].slice(3);
  peer.send(`41 0019 ${message}`);
  assert.deepEqual(session.address, NEW);
  assert.equal(server.counters.moves, 1);
  peer.run();
  const [again] = peer.take();
  assert.deepEqual(again.to, NEW);
  assert.match(again.chunks.join(), /10 /, "data sent to the old address is sent again at once");
  assert.equal(server.counters.moves, 1);
});

Deno.test("Session accepts the answer to a ping from one address, for two minutes, and for one move", () => {
  const { peer, session } = opened();
  const ask = (from: Address) => {
    peer.now += 1500;
    peer.address = from;
    peer.send("010000");
    peer.run();
    return peer.take()[0].chunks[0].slice(3);
  };
  const answer = (message: string, from: Address) => {
    peer.address = from;
    peer.send(`41 0019 ${message}`);
    peer.run();
    peer.take();
    return session.address;
  };
  const first = ask(NEW);
  assert.deepEqual(answer(first, EVIL), CLIENT, "from another address");
  assert.deepEqual(answer(first.slice(0, -1) + (first.endsWith("0") ? "1" : "0"), NEW), CLIENT);
  peer.now += 121_000 - 5000;
  peer.address = CLIENT;
  for (let i = 0; i < 5; i++) {
    peer.now += 1000;
    peer.send("010000"); // keeps the session alive
    peer.run();
  }
  peer.take();
  assert.deepEqual(answer(first, NEW), CLIENT, "after two minutes");
  const second = ask(NEW);
  assert.deepEqual(answer(second, NEW), NEW);
  const reply = peer.sent.at(-1)!;
  const home = ask(CLIENT);
  assert.deepEqual(answer(home, CLIENT), CLIENT);
  peer.now += 1000;
  peer.replay(reply, NEW);
  peer.run();
  assert.deepEqual(session.address, CLIENT, "the second use of an answer");
});

Deno.test("Session pings new addresses at most once a second", () => {
  const { peer } = opened();
  let asked = 0;
  for (let i = 0; i < 500; i++) {
    peer.now += 10;
    peer.address = { ...EVIL, port: 1000 + i };
    peer.send("510003027f00");
    peer.run();
    asked += peer.take().length;
  }
  assert.ok(asked <= 6 && asked >= 4, `${asked} pings in 5 s`);
});

Deno.test("Session does not move for replayed packets, with and without sequence numbers", () => {
  for (const policy of [undefined, STRICT]) {
    const pair = makePair({ seed: 1, delay: [20, 40], loss: 0.02 }, {
      server: { policy },
      client: { policy },
    });
    const seen: Uint8Array[] = [];
    pair.link.tap = (datagram, _from, to) => {
      if (to.port === 1935) seen.push(datagram.slice());
      else if (to.port === EVIL.port) return false; // goes to the attacker, who cannot read it
      return true;
    };
    open(pair);
    const session = pair.serverSession!;
    const near = pair.serverSession!.openFlow(METADATA);
    const far = pair.clientSession!.openFlow(METADATA);
    for (let round = 0; round < 300; round++) {
      near.write(numbered(round, 200));
      far.write(numbered(round, 200));
      pair.link.run({ until: pair.link.now + 1000 });
      // The attacker replays earlier datagrams, mainly the latest, from another address.
      for (let i = 0; i < 20; i++) {
        const old = seen[seen.length - 1 - Math.floor(i < 10 ? i : i * seen.length / 20)];
        if (old) pair.link.inject(old, EVIL, { hostname: "192.0.2.1", port: 1935 });
      }
    }
    assert.deepEqual(session.address, CLIENT);
    assert.equal(pair.server.counters.moves, 0);
    assert.equal(pair.atServer.messages.length, 300, "replayed messages are not delivered");
    assert.equal(pair.atClient.messages.length, 300);
    assert.equal(session.state, "open");
  }
});

Deno.test("Session closes within 130 s after its far end has gone, despite replayed packets", () => {
  const { peer, session } = opened();
  const old = peer.sent.at(-1)!;
  for (let i = 0; i < 130; i++) {
    peer.run(peer.now + 1000);
    peer.replay(old, EVIL);
  }
  assert.equal(session.state, "closed");
});

Deno.test("Session moves to a client that answers pings without their message after an acknowledgement of a probe", () => {
  const { peer, server, session } = opened();
  withFlow(peer, server.sessions());
  const emptyReply = "410000";
  peer.now += 2000;
  peer.address = NEW;
  peer.send("010000");
  peer.run();
  assert.match(peer.take()[0].chunks[0], /^01 4d/);
  peer.now += 50;
  peer.send(emptyReply);
  peer.run();
  const [probe] = peer.take();
  assert.deepEqual(probe.to, NEW);
  assert.deepEqual(probe.chunks, ["10 02020201"], "an abandoned fragment with a new number");
  assert.deepEqual(session.address, CLIENT);
  peer.send("51 0003 02 7f 01");
  assert.deepEqual(session.address, CLIENT, "the probe is not acknowledged");
  peer.send("51 0003 02 7f 02");
  assert.deepEqual(session.address, NEW);
  assert.equal(server.counters.moves, 1);
});

Deno.test("Session does not move to another IP address for an acknowledgement, which can be guessed", () => {
  const { peer, server, session } = opened();
  withFlow(peer, server.sessions());
  peer.now += 2000;
  peer.address = EVIL; // a forged address, to which the client wants its stream to be sent
  peer.send("010000");
  peer.run();
  peer.send("410000");
  peer.run();
  for (let sequence = 2; sequence < 10; sequence++) peer.send(`51 0003 02 7f 0${sequence}`);
  assert.deepEqual(session.address, CLIENT);
});

Deno.test("Session does not move to an attacker with a recorded empty answer and the far end's acknowledgements", () => {
  const { peer, server, session } = opened();
  const flow = withFlow(peer, server.sessions());
  // The attacker has a recording of an empty answer.
  peer.now += 31_000;
  peer.run();
  peer.send("410000");
  const recorded = peer.sent.at(-1)!;
  const latest = () => peer.sent.at(-1)!;
  for (let round = 0; round < 20; round++) {
    peer.now += 1100;
    peer.send("010000");
    peer.run();
    peer.replay(latest(), NEIGHBOUR);
    peer.run();
    peer.replay(recorded, NEIGHBOUR);
    peer.run();
    const probe = peer.take().find(({ to, chunks }) =>
      to.port === NEIGHBOUR.port && /^10 /.test(chunks[0])
    );
    assert.ok(probe, "the attacker gets the probe, and cannot read it");
    // Meanwhile data goes to the far end, which acknowledges it.
    flow.write(numbered(round, 10));
    peer.run();
    const data = peer.take().flatMap(({ chunks }) => chunks).filter((chunk) => /^10 /.test(chunk));
    const sequences = data.map((chunk) => parseInt(chunk.slice(7, 9), 16));
    // The far end has all fragments except the probe, and acknowledges a range after it.
    const before = 1 + 2 * round;
    assert.ok(sequences.every((sequence) => sequence > before), `${data}`);
    peer.send(`51 0005 02 7f ${hex(before)} 00 00`);
    peer.replay(latest(), NEIGHBOUR);
    peer.run();
    assert.deepEqual(session.address, CLIENT, `round ${round}`);
    // Later the server abandons the number and informs the far end, which acknowledges all.
    peer.run(peer.now + 12_000);
    peer.send(`51 0003 02 7f ${hex(before + 2)}`);
    peer.replay(latest(), NEIGHBOUR);
    peer.run();
    peer.take();
    assert.deepEqual(session.address, CLIENT, `round ${round}`);
  }
  assert.equal(session.state, "open");
});

const hex = (number: number) => number.toString(16).padStart(2, "0");

Deno.test("Session does not move for a ping that an attacker relays to the far end", () => {
  const { peer, server, session } = opened();
  withFlow(peer, server.sessions());
  peer.now += 1500;
  peer.address = NEIGHBOUR; // replays observed packets
  peer.send("010000");
  peer.run();
  const question = peer.take()[0].chunks[0].slice(3);
  peer.address = CLIENT; // the far end answers packets from the server's address
  peer.send(`41 0019 ${question}`);
  peer.replay(peer.sent.at(-1)!, NEIGHBOUR);
  assert.deepEqual(session.address, CLIENT);
  // The same with a probe.
  peer.now += 1500;
  peer.address = NEIGHBOUR;
  peer.send("010000");
  peer.run();
  peer.send("410000");
  peer.send("410000");
  peer.run();
  assert.equal(peer.take().filter(({ chunks }) => /^10 /.test(chunks[0])).length, 1);
  peer.address = CLIENT;
  peer.send("51 0003 02 7f 02");
  peer.replay(peer.sent.at(-1)!, NEIGHBOUR);
  assert.deepEqual(session.address, CLIENT);
});

Deno.test("Session sends no ping to the source of a delayed old packet", () => {
  const { peer } = opened();
  peer.now += 5000;
  peer.send("010000");
  peer.run();
  peer.take();
  peer.address = NEW;
  peer.send("010000", 0, undefined, 250); // sent some seconds ago
  peer.run();
  assert.deepEqual(peer.take(), []);
});

Deno.test("Session follows a client that only receives, when its NAT changes its port every 30 s", () => {
  for (let seed = 1; seed <= 50; seed++) {
    const pair = makePair({ seed, delay: [20, 40], loss: 0.02 }, {
      client: { limits: { keepAlive: 10_000 } },
      rebindEvery: 30_000,
    });
    open(pair);
    const flow = pair.serverSession!.openFlow(METADATA);
    let number = 0;
    for (let at = 500; at < 100_000; at += 500) {
      flow.write(numbered(number++, 100));
      pair.link.run({ until: at });
    }
    pair.link.run({ until: 160_000 });
    // No packet of the server reaches the client; the client's keep-alive pings after 10 s of silence show its address.
    assert.deepEqual(pair.atServer.closed, [], `seed ${seed}`);
    assert.equal(pair.atClient.messages.length, number, `seed ${seed}`);
    assert.ok(pair.server.counters.moves >= 2, `seed ${seed}: ${pair.server.counters.moves} moves`);
  }
});
