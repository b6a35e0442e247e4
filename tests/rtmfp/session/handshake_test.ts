import type { InitiatorEvents } from "../../../src/rtmfp/session/initiator.ts";
import assert from "node:assert/strict";
import { fromHex, toHex } from "../../../src/bytes/hex.ts";
import { toUtf8 } from "../../../src/bytes/text.ts";
import { ipBytes } from "../../../src/common/ip.ts";
import { canonicalEpd, clientCertificate } from "../../../src/rtmfp/crypto/certificate.ts";
import type { KeyAgreement, KeyPair } from "../../../src/rtmfp/crypto/dh.ts";
import { portable } from "../../../src/rtmfp/crypto/portable.ts";
import { STRICT } from "../../../src/rtmfp/crypto/protection.ts";
import type { Session } from "../../../src/rtmfp/session/session.ts";
import { Origin } from "../../../src/rtmfp/wire/address.ts";
import { cookieChange } from "../../../src/rtmfp/wire/cookie_change.ts";
import { writeEpd } from "../../../src/rtmfp/wire/epd.ts";
import { iHello } from "../../../src/rtmfp/wire/ihello.ts";
import { packetFragment } from "../../../src/rtmfp/wire/packet_fragment.ts";
import { type LinkSettings, LossyLink } from "../../support/lossy_link.ts";
import {
  agreement,
  CLIENT,
  EPD,
  makeClient,
  makePair,
  makeServer,
  METADATA,
  numbered,
  open,
  Recorder,
  RememberingAgreement,
  SERVER,
} from "../../support/pair.ts";
import { RawPeer } from "../../support/raw_peer.ts";
import { SEEDS } from "../../support/seeds.ts";

const onSession = () => new Recorder();

Deno.test("Endpoint opens one session over a network with 30 % loss", () => {
  for (let seed = 1; seed <= SEEDS; seed++) {
    const pair = makePair({ seed, loss: 0.3, delay: [10, 900], duplicate: 0.1 });
    open(pair);
    assert.ok(pair.clientSession && pair.serverSession, `seed ${seed}`);
    assert.equal(pair.server.counters.sessions, 1, `seed ${seed}`);
    assert.equal(pair.clientSession.farId, pair.serverSession.nearId);
    assert.deepEqual(pair.clientSession.nearNonce, pair.serverSession.farNonce);
    assert.deepEqual(pair.clientSession.farNonce, pair.serverSession.nearNonce);
    assert.deepEqual(pair.clientSession.peerId, pair.server.peerId);
    assert.deepEqual(pair.serverSession.peerId, pair.client.peerId);
  }
});

Deno.test("Endpoint transfers data for each combination of protection requirements", () => {
  const relaxed = undefined;
  for (const [server, client] of [[relaxed, STRICT], [STRICT, relaxed], [STRICT, STRICT]]) {
    const pair = makePair({ seed: 3, delay: [20, 30] }, {
      server: { policy: server, crypto: portable },
      client: { policy: client, crypto: portable },
    });
    open(pair);
    assert.ok(pair.clientSession && pair.serverSession);
    const flow = pair.serverSession.openFlow(METADATA);
    for (let i = 0; i < 300; i++) flow.write(numbered(i, 1000));
    pair.link.run({ until: 10_000 });
    assert.equal(
      pair.atClient.messages.length,
      300,
      "messages, with sequence numbers of two bytes",
    );
  }
});

Deno.test("Endpoint.connect() sends hellos at once, after 1 s, then at growing intervals, for 95 s", () => {
  const times: number[] = [];
  const failures: string[] = [];
  const link = new LossyLink({ seed: 1, loss: 1 });
  const client = makeClient(1);
  link.attach(client, CLIENT, 1);
  link.tap = () => times.push(Math.round(link.now / 500) / 2) > 0;
  client.connect(EPD, [SERVER], { onOpen: onSession, onFail: (reason) => failures.push(reason) });
  link.run({ until: 200_000 });
  assert.deepEqual(times, [0, 1, 3.5, 7.5, 13, 20, 28.5, 38.5, 50, 63, 77.5, 93.5]);
  assert.deepEqual(failures, ["timeout"]);
  assert.equal(client.deadline, Infinity);
});

Deno.test("Endpoint.connect() sends no packets after cancel()", () => {
  const client = makeClient(1);
  const failures: string[] = [];
  const opening = client.connect(EPD, [SERVER], {
    onOpen: onSession,
    onFail: (reason) => failures.push(reason),
  });
  opening.cancel();
  opening.cancel();
  client.flush(0, { buffer: () => assert.fail("it sends"), room: 1, post() {} });
  assert.deepEqual(failures, ["cancelled"]);
  assert.equal(client.deadline, Infinity);
});

Deno.test("Endpoint sends the same answer to a repeated IIKeying, without a second session", () => {
  const server = makeServer(1, { onSession });
  const peer = new RawPeer(server).open();
  const before = agreement.computed;
  peer.sendKeying();
  const [first] = peer.takeChunks();
  peer.now += 60_000;
  peer.sendKeying();
  const again = peer.takeChunks().find((chunk) => chunk.startsWith("78"));
  assert.match(first, /^78 /);
  assert.equal(again, first);
  assert.equal(server.sessionCount, 1);
  assert.equal(agreement.computed, before);
});

Deno.test("Endpoint computes one secret for an IIKeying repeated during the computation", () => {
  const waiting: (() => void)[] = [];
  const slow: KeyAgreement = {
    keyPair: (group) => agreement.keyPair(group),
    agree: (pair, far, done) => void waiting.push(() => agreement.agree(pair, far, done)),
  };
  const server = makeServer(1, { onSession }, { agreement: slow });
  const peer = new RawPeer(server);
  peer.sayHello();
  peer.run();
  const [hello] = peer.takeChunks();
  peer.cookie = fromHex(hello.split(" ")[1]).subarray(18, 82);
  peer.component = fromHex("021d02 02 0e00 031a020a 021e02");
  peer.sendKeying();
  peer.sendKeying();
  assert.equal(waiting.length, 1);
  assert.equal(server.sessionCount, 0);
  waiting[0]();
  peer.run();
  assert.equal(server.sessionCount, 1);
  assert.equal(peer.takeChunks().length, 1);
});

Deno.test("Endpoint changes a cookie from another address, and ignores a forged or expired one", () => {
  const server = makeServer(1, { onSession });
  const peer = new RawPeer(server).open();
  const { cookie } = peer;
  peer.nearId++;
  peer.address = { ...CLIENT, port: 40_000 };
  peer.sendKeying();
  const [change] = peer.takeChunks();
  assert.match(change, /^79 40/);
  assert.equal(change.slice(5, 5 + 128), toHex(cookie));
  assert.equal(server.sessionCount, 1);
  peer.cookie = fromHex(change.slice(5 + 128));
  assert.equal(peer.cookie.length, 64);
  peer.sendKeying();
  assert.match(peer.takeChunks()[0], /^78 /);
  assert.equal(server.sessionCount, 2);

  peer.nearId++;
  peer.cookie = new Uint8Array(64).fill(7);
  peer.sendKeying();
  peer.cookie = cookie;
  peer.address = CLIENT;
  peer.now += 121_000;
  peer.sendKeying();
  assert.deepEqual(peer.takeChunks().filter((chunk) => /^7/.test(chunk)), []);
  assert.equal(server.counters.drops.cookie, 2);
});

Deno.test("Endpoint.connect() follows one cookie change when its NAT changes its port", () => {
  const pair = makePair({ seed: 1, delay: [10, 10] });
  // The client's NAT changes its port between RHello and IIKeying.
  let keyings = 0;
  pair.link.tap = (datagram, _, to) => {
    if (to.port === SERVER.port && datagram.length > 250) {
      keyings++;
      if (keyings === 1) pair.link.rebind(pair.client, { ...CLIENT, port: 41_000 });
    }
    return true;
  };
  open(pair, 60_000);
  // The first IIKeying came from the old port, and its answer is lost; the second one causes the cookie change.
  assert.ok(pair.clientSession && pair.serverSession);
  assert.equal(pair.serverSession.address.port, 41_000);
  assert.equal(keyings, 3);
});

Deno.test("Endpoint drops a cookie change for an unknown session", () => {
  const client = makeClient(1);
  const drops = () => client.counters.drops.unexpected ?? 0;
  client.connect(EPD, [SERVER], { onOpen: onSession });
  const peer = new RawPeer(client);
  peer.address = SERVER;
  peer.run();
  peer.sendStartup(cookieChange, {
    oldCookie: new Uint8Array(64),
    newCookie: new Uint8Array(64),
  });
  assert.equal(drops(), 1, "the session is unknown");
});

Deno.test("Endpoint replaces a session by one with the same certificate and address, but not by others", () => {
  const recorders: Recorder[] = [];
  const server = makeServer(1, {
    onSession() {
      const recorder = new Recorder();
      recorders.push(recorder);
      return recorder;
    },
  });
  const peer = new RawPeer(server).open();
  const [replaced] = server.sessions();
  const sent = replaced.packetsOut;
  const restarted = new RawPeer(server, peer.now + 1000);
  Object.assign(restarted, { pair: peer.pair, certificate: peer.certificate, nearId: 0x03000000 });
  restarted.open();
  assert.equal(replaced.packetsOut, sent, "no packet is sent");
  assert.deepEqual(recorders[0].closed, ["overridden (not orderly)"]);
  assert.equal(server.sessionCount, 1);
  const other = new RawPeer(server, restarted.now + 1000);
  other.nearId = 0x04000000;
  Object.assign(other, otherKeys());
  other.open();
  assert.deepEqual(recorders.map(({ closed }) => closed.length), [1, 0, 0]);
  assert.equal(server.sessionCount, 2);
  const elsewhere = new RawPeer(server, other.now + 1000);
  Object.assign(elsewhere, { pair: peer.pair, certificate: peer.certificate, nearId: 0x05000000 });
  elsewhere.address = { ...CLIENT, port: 999 };
  elsewhere.open();
  assert.equal(server.sessionCount, 3);
  assert.equal(server.sessionOf(fingerprint(elsewhere))!.address.port, 999, "the newest");
});

const fingerprint = (peer: RawPeer) => portable.sha256(peer.certificate);

function otherKeys(): { pair: KeyPair; certificate: Uint8Array } {
  const pair = agreement.pair(2, 1);
  return { pair, certificate: clientCertificate([pair]) };
}

Deno.test("Endpoint.connect() follows a redirect to another server, and ignores an empty one", () => {
  const other = { hostname: "203.0.113.9", port: 1936 };
  const link = new LossyLink({ seed: 1, delay: [10, 10] });
  const attempts: number[] = [];
  const first = makeServer(1, {
    onSession,
    onHello(epd, _from, attempt) {
      attempts.push(attempt);
      assert.equal(new TextDecoder().decode(epd.ancillary), "rtmfp://server.example/live");
      return attempt === 0 ? [] : [{ ...other, origin: Origin.observed }];
    },
  });
  const second = makeServer(2, { onSession });
  const client = makeClient(3);
  link.attach(first, SERVER, 0);
  link.attach(second, other, 0);
  link.attach(client, CLIENT, 1);
  const opened: Session[] = [];
  client.connect(EPD, [SERVER], remember(opened));
  link.run({ until: 900 });
  assert.equal(opened.length, 0, "no session after an empty redirect");
  link.run({ until: 5000 });
  assert.equal(opened[0].address.port, other.port);
  assert.deepEqual(attempts, [0, 1]);
  assert.equal(first.sessionCount, 0);
});

/** A server that introduces peers, and two clients of it. */
function threesome(
  seed: number,
  settings: Omit<LinkSettings, "seed"> = { delay: [20, 40] },
) {
  const link = new LossyLink({ seed, ...settings });
  const server = makeServer(seed, { onSession, peerAddresses: () => reported });
  const reported: { hostname: string; port: number }[] = [];
  const pairs = [agreement.pair(2, seed % 2), agreement.pair(2, 1 - seed % 2)];
  link.attach(server, SERVER, 0);
  const clients = pairs.map((keys, i) => {
    const incoming: Session[] = [];
    const recorder = new Recorder();
    const client = makeClient(seed + i + 1, {}, {
      onSession(session) {
        incoming.push(session);
        return recorder;
      },
    }, keys);
    link.attach(client, { hostname: `198.51.100.${i + 1}`, port: 5000 + i }, 1);
    client.connect(EPD, [SERVER], { onOpen: onSession });
    return { client, incoming, recorder };
  });
  link.run({ until: 95_000, done: () => server.counters.sessions === 2 });
  return { link, server, clients, reported };
}

const remember = (sessions: Session[], recorder = new Recorder()): InitiatorEvents => ({
  onOpen(session) {
    sessions.push(session);
    return recorder;
  },
});

Deno.test("Endpoint introduces two peers by a redirect to one and a forwarded hello to the other", () => {
  const { link, clients: [a, b], server, reported } = threesome(5);
  reported.push({ hostname: "192.168.1.18", port: 5555 });
  const opened: Session[] = [];
  a.client.connect(canonicalEpd(b.client.peerId), [SERVER], remember(opened));
  link.run({ until: link.now + 5000 });
  assert.equal(opened.length, 1);
  assert.equal(b.incoming.length, 1);
  assert.deepEqual(opened[0].peerId, b.client.peerId);
  assert.deepEqual(b.incoming[0].peerId, a.client.peerId);
  assert.equal(opened[0].address.hostname, "198.51.100.2");
  const flow = opened[0].openFlow(METADATA);
  flow.write(numbered(1, 10));
  link.run({ until: link.now + 1000 });
  assert.equal(b.recorder.messages.length, 1);
  assert.equal(server.counters.drops.peer, undefined);
});

Deno.test("Two endpoints that open sessions to each other at once get one session, with 5 % loss", () => {
  for (let seed = 1; seed <= SEEDS; seed++) {
    const { link, clients: [a, b] } = threesome(3 * seed, { delay: [20, 60], loss: 0.05 });
    const opened = [[], []] as Session[][];
    const [first, second] = [new Recorder(), new Recorder()];
    a.client.connect(canonicalEpd(b.client.peerId), [SERVER], remember(opened[0], first));
    b.client.connect(canonicalEpd(a.client.peerId), [SERVER], remember(opened[1], second));
    link.run({ until: link.now + 60_000 });
    assert.deepEqual(opened.map(({ length }) => length), [1, 1], `seed ${seed}`);
    const [near, far] = [opened[0][0], opened[1][0]];
    assert.equal(near.nearId, far.farId, `seed ${seed}: it is the same session`);
    assert.notEqual(near.role, far.role);
    assert.equal(a.incoming.length + b.incoming.length, 0, `seed ${seed}`);
    near.openFlow(METADATA).write(numbered(1, 10));
    far.openFlow(METADATA).write(numbered(1, 10));
    link.run({ until: link.now + 20_000 });
    assert.deepEqual([first.messages.length, second.messages.length], [1, 1], `seed ${seed}`);
  }
});

Deno.test("Endpoint introduces peers with the bytes of Cumulus, and rotates the addresses", () => {
  const server = makeServer(1, {
    onSession,
    peerAddresses: (session) =>
      session.address.hostname === CLIENT.hostname ? [{ hostname: "192.0.2.18", port: 5555 }] : [
        { hostname: "192.0.2.1", port: 1 },
        { hostname: "192.168.2.2", port: 2 }, // not sent to a peer in another network
        { hostname: "192.0.2.3", port: 3 },
      ],
  });
  const target = new RawPeer(server).open();
  const seeker = new RawPeer(server, target.now);
  Object.assign(seeker, otherKeys());
  seeker.nearId++;
  seeker.address = { hostname: "203.0.113.9", port: 50123 };
  seeker.open();
  seeker.tag.fill(0xbb);
  const epd = canonicalEpd(fingerprint(target));
  const hellos: string[][] = [];
  for (let i = 0; i < 4; i++) {
    target.now = seeker.now = seeker.now + 1500;
    seeker.sendStartup(iHello, { epd, tag: seeker.tag });
    // Both get all packets of the server, and can decrypt only their own.
    server.flush(seeker.now, outboxOf([seeker, target]));
    const [answer] = seeker.takeChunks();
    assert.equal(
      answer,
      `71 10${"bb".repeat(16)}02c6336407c3cb01c000021215b3`,
      "observed address first, then the reported one",
    );
    hellos.push(target.takeChunks().filter((chunk) => chunk.startsWith("0f")));
  }
  const head = `0f 22210f${toHex(fingerprint(target))}`;
  const tail = "bb".repeat(16);
  const observed = `${head}02cb007109c3cb${tail}`;
  const near1 = `${head}01c00002010001${tail}`;
  const near2 = `${head}01c00002030003${tail}`;
  assert.deepEqual(hellos, [
    [observed],
    [observed, near1],
    [observed, near2],
    [observed, near1],
  ]);
});

/** Lists the packets of a flush to several peers. */
function outboxOf(peers: RawPeer[]) {
  const buffer = new Uint8Array(4400);
  return {
    buffer: () => buffer,
    room: Infinity,
    post(length: number, to: { hostname: string; port: number }) {
      for (const peer of peers) {
        if (peer.address.port === to.port && peer.address.hostname === to.hostname) {
          peer.see(buffer.slice(0, length), to);
        }
      }
    },
  };
}

Deno.test("Endpoint limits introductions to a peer to 50 per second, and answers to a seeker", () => {
  const server = makeServer(1, { onSession, peerAddresses: () => [] });
  const target = new RawPeer(server).open();
  const epd = canonicalEpd(fingerprint(target));
  const seeker = new RawPeer(server, target.now);
  const tell = (from: string) => {
    seeker.tag.set(ipBytes(from)!); // a first attempt from each address
    seeker.address = { hostname: from, port: 50123 };
    seeker.sendStartup(iHello, { epd, tag: seeker.tag });
    server.flush(seeker.now, outboxOf([seeker, target]));
    const answered = seeker.takeChunks().length;
    return { answered, told: target.takeChunks().filter((chunk) => chunk.startsWith("0f")).length };
  };
  const many = (count: number, from: (i: number) => string) => {
    const sum = { answered: 0, told: 0 };
    for (let i = 0; i < count; i++) {
      const { answered, told } = tell(from(i));
      sum.answered += answered;
      sum.told += told;
    }
    return sum;
  };
  const others = (i: number) => `203.0.${i >> 8}.${i & 255}`;
  assert.deepEqual(
    many(300, others),
    { answered: 300, told: 100 },
    "the introductions of two seconds",
  );
  seeker.now = target.now += 1000;
  assert.deepEqual(many(300, others), { answered: 300, told: 50 });
  seeker.now = target.now += 10_000;
  assert.deepEqual(many(300, () => "203.0.113.9"), { answered: 100, told: 100 }, "one seeker");
  assert.ok(server.counters.drops.limit! >= 650);
});

Deno.test("Endpoint drops a hello too long to forward in one packet, and forwards later ones", () => {
  const server = makeServer(1, { onSession, peerAddresses: () => [] });
  const target = new RawPeer(server).open();
  const seeker = new RawPeer(server, target.now);
  seeker.address = { hostname: "203.0.113.9", port: 50123 };
  const told = (ancillary: Uint8Array | undefined) => {
    seeker.tag[0]++;
    const epd = writeEpd({ ancillary, fingerprint: fingerprint(target) });
    seeker.sendStartup(iHello, { epd, tag: seeker.tag });
    server.flush(seeker.now, outboxOf([seeker, target]));
    return target.takeChunks().filter((chunk) => chunk.startsWith("0f")).length;
  };
  assert.equal(told(new Uint8Array(1300)), 0);
  assert.equal(server.counters.drops.limit, 1);
  assert.equal(told(undefined), 1);
  assert.equal(told(new Uint8Array(900)), 1);
});

Deno.test("Endpoint answers a request for an unknown peer with the owner's addresses, or not at all", () => {
  let introduce = true;
  let known: "" | "somewhere" = "";
  const server = makeServer(1, {
    onSession,
    peerAddresses: () => introduce ? [] : undefined,
    onPeerUnknown: () =>
      known ? [{ hostname: "203.0.113.1", port: 7, origin: Origin.observed }] : undefined,
  });
  const target = new RawPeer(server).open();
  const seeker = new RawPeer(server, target.now);
  seeker.address = { hostname: "203.0.113.9", port: 50123 };
  const seek = (id: Uint8Array) => {
    seeker.sendStartup(iHello, { epd: canonicalEpd(id), tag: seeker.tag });
    seeker.flush();
    return seeker.takeChunks();
  };
  assert.deepEqual(seek(new Uint8Array(32).fill(1)), []);
  known = "somewhere";
  assert.equal(seek(new Uint8Array(32).fill(1)).length, 1);
  known = "";
  assert.equal(seek(fingerprint(target)).length, 1);
  introduce = false;
  assert.deepEqual(seek(fingerprint(target)), []);
  introduce = true;
  target.send("0c0000");
  target.run();
  assert.deepEqual(seek(fingerprint(target)), [], "the peer's session is closing");
  assert.equal(server.counters.drops.peer, 3);
});

Deno.test("Endpoint answers hellos with its fingerprint or ancillary data, but no hellos for another host name", () => {
  const server = makeServer(1, { onSession });
  const peer = new RawPeer(server);
  const answers = (epd: Uint8Array) => {
    peer.sayHello(epd);
    return peer.takeChunks().length;
  };
  assert.equal(answers(canonicalEpd(server.peerId)), 1);
  assert.equal(answers(writeEpd({ hostname: toUtf8("example.org") })), 0);
  const long = toUtf8(`rtmfp://server.example/${"x".repeat(300)}`);
  assert.equal(answers(writeEpd({ ancillary: long })), 1);
  assert.equal(answers(fromHex("0277 00")), 0, "only an unknown option");
  peer.sendStartup(iHello, { epd: new Uint8Array(0), tag: peer.tag });
  peer.flush();
  assert.deepEqual(peer.takeChunks(), []);
  assert.deepEqual(server.counters.drops, { discriminator: 1, format: 2 });
});

Deno.test("Endpoint reassembles a fragmented startup packet, within 1 s and limited memory", () => {
  const server = makeServer(1, { onSession });
  const peer = new RawPeer(server);
  const epd = writeEpd({ ancillary: toUtf8(`rtmfp://server.example/${"x".repeat(200)}`) });
  const hello = fromHex(
    `0b0000 30 ${(epd.length + 2 + 16).toString(16).padStart(4, "0")} 8162 ${toHex(epd)}`.replace(
      "8162",
      `81${(epd.length & 127).toString(16).padStart(2, "0")}`,
    ) + "aa".repeat(16),
  );
  const pieces = [hello.slice(0, 100), hello.slice(100, 150), hello.slice(150)];
  const send = (i: number, packetId = 7) =>
    peer.sendStartup(packetFragment, {
      more: i < 2,
      packetId,
      fragmentNumber: i,
      bytes: pieces[i],
    });
  const seen = () => {
    peer.flush();
    return peer.takeChunks().length;
  };
  send(2);
  send(0);
  send(0);
  assert.equal(seen(), 0);
  send(1);
  assert.equal(seen(), 1);
  send(0, 8);
  peer.now += 1500;
  send(1, 8);
  send(2, 8);
  assert.equal(seen(), 0, "the first fragment has expired");
  for (let i = 0; i < 1000; i++) send(0, 100 + i);
  assert.ok(server.counters.drops.limit! > 900, "the memory of fragments is limited");
  send(0, 9);
  assert.equal(seen(), 0);
});

Deno.test("Endpoint limits answers to one source to 50 per second, and to 3 bytes per received byte", () => {
  let asked = 0;
  const onHello = () => (asked++, undefined);
  const server = makeServer(1, { onSession, onHello });
  const peer = new RawPeer(server);
  const bytesIn = () => peer.sent.reduce((sum, { length }) => sum + length, 0);
  let bytesOut = 0;
  const short = writeEpd({ ancillary: toUtf8("x") });
  peer.sayHello(short);
  assert.equal(peer.take().length, 0, "no answer of 180 bytes to 36 bytes");
  peer.sayHello(short);
  assert.equal(peer.seen.length, 1, "an answer of 180 bytes to 72 bytes");
  for (let i = 0; i < 1000; i++) {
    peer.sayHello(short);
    peer.address = { ...CLIENT, port: 2000 + i }; // the same source
  }
  for (const { length } of peer.take()) bytesOut += length;
  assert.ok(bytesOut <= 3 * bytesIn(), `${bytesOut} to ${bytesIn()}`);
  assert.equal(asked, 100, "the hellos of two seconds are processed");
  assert.equal(bytesOut, 58 * 180, "58 answers to hellos of 36 bytes each");
  assert.ok(server.counters.drops.limit! >= 900);
  peer.now += 1000;
  for (let i = 0; i < 200; i++) peer.sayHello();
  assert.equal(peer.take().length, 50);
});

Deno.test("Endpoint handles 5,000 forged hellos and cookies without session and secret", () => {
  const fresh = new RememberingAgreement(9);
  const server = makeServer(1, { onSession }, { agreement: fresh });
  const peer = new RawPeer(server);
  let out = 0;
  for (let i = 0; i < 5_000; i++) {
    peer.address = {
      hostname: `${1 + (i % 200)}.${(i >> 8) % 256}.${i % 256}.1`,
      port: 1000 + i % 60_000,
    };
    peer.now += 0.1;
    peer.sayHello();
    out += peer.take().reduce((sum, { length }) => sum + length, 0);
    peer.cookie = new Uint8Array(64).fill(i);
    peer.component = new Uint8Array(70);
    peer.sendKeying();
    assert.equal(peer.take().length, 0);
    peer.sent.length = 0;
  }
  assert.equal(server.sessionCount, 0);
  assert.equal(fresh.computed, 0);
  assert.equal(server.counters.drops.cookie, 5_000);
  assert.ok(out > 0 && out <= 3 * server.counters.bytesIn);
});

Deno.test("Endpoint forgets sessions without a received packet, at the limit of 10 the oldest first", () => {
  const server = makeServer(1, { onSession }, { limits: { halfOpen: 10 } });
  const peer = new RawPeer(server);
  peer.sayHello();
  peer.run();
  peer.cookie = fromHex(peer.takeChunks()[0].split(" ")[1]).subarray(18, 82);
  for (let i = 0; i < 30; i++) {
    peer.nearId++;
    Object.assign(peer, { certificate: clientCertificate([agreement.keyPair(2)]) });
    peer.component = fromHex(`021d02 02 0e${(16 + i).toString(16)} 031a020a 021e02`);
    peer.sendKeying();
  }
  assert.ok(server.sessionCount <= 10, `${server.sessionCount} sessions`);
  assert.equal(server.counters.sessions, 0);
  peer.run(peer.now + 200_000);
  assert.equal(server.sessionCount, 0);
  assert.equal(server.deadline, Infinity, "no timer is left");
});

Deno.test("Endpoint does not answer a blocked source", () => {
  const server = makeServer(1, { onSession, blocked: ({ port }) => port === CLIENT.port });
  const peer = new RawPeer(server);
  peer.sayHello();
  assert.equal(peer.take().length, 0);
  peer.address = { ...CLIENT, port: 1 };
  peer.sayHello();
  assert.equal(peer.take().length, 1);
  assert.equal(server.counters.drops.blocked, 1);
});
