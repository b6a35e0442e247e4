// The limits on sessions of all addresses and of each address.
import assert from "node:assert/strict";
import { fromHex } from "../../../src/bytes/hex.ts";
import type { Address } from "../../../src/common/address.ts";
import { clientCertificate } from "../../../src/rtmfp/crypto/certificate.ts";
import {
  agreement,
  makeServer,
  METADATA,
  numbered,
  Recorder,
  RememberingAgreement,
} from "../../support/pair.ts";
import { seeded } from "../../support/random.ts";
import { RawPeer } from "../../support/raw_peer.ts";

const addressOf = (n: number): Address => ({ hostname: `192.0.2.${n}`, port: 1024 + n });
const CLOSE = "0c 0000";

/** A server with a low limit of sessions, and peers that connect one after the other. */
class House {
  readonly secrets = new RememberingAgreement(3);
  readonly recorders: Recorder[] = [];
  readonly told: number[] = [];
  readonly why: string[] = [];
  readonly server;
  now = 1000;
  #last = 0;

  constructor(sessions: number, halfOpen = 4096, sessionsOfAddress = 10_000) {
    this.server = makeServer(1, {
      onSession: () => {
        const recorder = new Recorder();
        this.recorders.push(recorder);
        return recorder;
      },
      onFull: (of, { hostname }) => {
        this.told.push(this.now);
        this.why.push(`${of} ${hostname}`);
      },
    }, { limits: { sessions, halfOpen, sessionsOfAddress }, agreement: this.secrets });
  }

  get heard(): number {
    return [...this.server.sessions()].filter(({ heard, state }) => heard && state === "open")
      .length;
  }

  get refused(): number {
    return this.server.counters.drops.sessions ?? 0;
  }

  /** A new peer that has got its cookie and sent its first IIKeying; the answers are in `seen`. */
  knock(address?: Address): RawPeer {
    const number = ++this.#last;
    const peer = new RawPeer(this.server, this.now);
    peer.nearId += number;
    peer.address = address ?? addressOf(number);
    Object.assign(peer, { certificate: clientCertificate([agreement.pair(2, number % 4)]) });
    peer.sayHello();
    peer.run();
    peer.cookie = fromHex(peer.takeChunks()[0].split(" ")[1]).subarray(18, 82);
    peer.component = fromHex(`021d02 02 0e${(16 + number % 64).toString(16)} 031a020a 021e02`);
    peer.sendKeying();
    return peer;
  }

  /** Repeats an unanswered IIKeying, or continues with the answer. @returns whether the session is open */
  enter(peer: RawPeer): boolean {
    peer.now = this.now;
    if (peer.seen.length === 0) peer.sendKeying();
    const [keying] = peer.takeChunks();
    if (!keying) return false;
    Object.assign(peer, { pair: agreement.pair(2, 0) });
    peer.finish(keying);
    return true;
  }

  /** A peer with a session opened by {@link RawPeer.open}. */
  open(address?: Address): RawPeer {
    const peer = new RawPeer(this.server, this.now);
    peer.nearId += ++this.#last << 8;
    peer.address = address ?? addressOf(this.#last);
    return peer.open();
  }
}

Deno.test("Endpoint at its limit of sessions refuses clients without a secret, until a session ends", () => {
  const house = new House(3);
  const peers = [house.open(), house.open(), house.open()];
  const { computed } = house.secrets;
  const { agreements } = house.server.counters;
  const late = house.knock();
  assert.equal(late.seen.length, 0, "no answer");
  assert.equal(house.server.sessionCount, 3);
  assert.equal(house.secrets.computed, computed, "no secret");
  assert.equal(house.server.counters.agreements, agreements);
  assert.equal(house.refused, 1);
  assert.equal(house.server.counters.drops.limit, undefined, "a separate reason");
  assert.equal(house.enter(late), false, "the second attempt");

  peers[1].send(CLOSE);
  peers[1].run();
  assert.ok(house.enter(late), "accepted at once, while the closed session lingers");
  assert.equal(house.refused, 2);
  peers[1].run(peers[1].now + 20_000);
  assert.equal(house.server.sessionCount, 3);
});

Deno.test("Endpoint at its limit accepts a client after a silent session has timed out", () => {
  const house = new House(1);
  const peer = house.open();
  const late = house.knock();
  peer.run(peer.now + 119_000);
  house.now = peer.now;
  assert.equal(house.enter(late), false);
  peer.run(peer.now + 10_000); // no packet has arrived for two minutes
  house.now = peer.now;
  assert.deepEqual(house.recorders[0].closed, ["timeout (not orderly)"]);
  late.sayHello(); // the cookie of two minutes ago has expired
  late.run();
  late.cookie = fromHex(late.takeChunks()[0].split(" ")[1]).subarray(18, 82);
  assert.ok(house.enter(late));
});

Deno.test("Endpoint at its limit serves open sessions, and moves them to new addresses", () => {
  const house = new House(2);
  const [peer] = [house.open(), house.open()];
  const [session] = house.server.sessions();
  house.knock();
  assert.equal(house.refused, 1);
  peer.now += 1000;
  peer.address = { hostname: peer.address.hostname, port: 6000 };
  peer.send("010000");
  peer.run();
  const [question] = peer.take();
  peer.send(`41 0019 ${question.chunks[0].slice(3)}`);
  peer.run();
  assert.deepEqual(session.address, peer.address);
  const flow = session.openFlow(METADATA);
  flow.write(numbered(1, 10));
  peer.run();
  assert.equal(peer.take().length, 1);
  assert.equal(house.heard, 2);
});

Deno.test("Endpoint at its limit accepts a client that connects again from its address", () => {
  const house = new House(2);
  const [peer, other] = [house.open(), house.open()];
  const again = house.open(peer.address);
  assert.equal(house.refused, 0);
  assert.equal(house.heard, 2);
  assert.deepEqual(house.recorders.map(({ closed }) => closed.length), [1, 0, 0]);
  again.send("01 0000");
  other.send("01 0000");
  house.knock();
  assert.equal(house.refused, 1, "only the other client is refused");
  assert.ok(house.server.sessionCount <= 2);
});

Deno.test("Endpoint replaces unfinished handshakes by new clients at its limit", () => {
  const house = new House(3);
  house.open();
  for (let i = 0; i < 50; i++) house.knock();
  assert.equal(house.server.sessionCount, 3, "one session and two handshakes");
  assert.equal(house.refused, 0);
  const peers = [house.open(), house.open()];
  assert.equal(house.heard, 3);
  assert.equal(house.server.sessionCount, 3, "no session is added");
  for (const peer of peers) assert.equal(peer.take().length, 0);
});

Deno.test("Endpoint limits sessions of one address to 3, also when they move", () => {
  const house = new House(100, 4096, 3);
  const at = (hostname: string, port: number): Address => ({ hostname, port });
  const peers = [1, 2].map((port) => house.open(at("192.0.2.1", port)));
  const elsewhere = house.open(at("192.0.2.2", 1));
  house.knock(at("192.0.2.1", 3)); // half-open counts as well
  const { computed } = house.secrets;
  const late = house.knock(at("192.0.2.1", 4));
  assert.equal(house.secrets.computed, computed, "no secret");
  assert.equal(house.enter(late), false);
  assert.deepEqual([house.refused, house.why], [2, ["address 192.0.2.1"]]);

  const move = (peer: RawPeer, to: Address) => {
    house.now = peer.now += 1000;
    peer.address = to;
    peer.send("010000");
    peer.run();
    peer.send(`41 0019 ${peer.take()[0].chunks[0].slice(3)}`);
    peer.run();
  };
  move(peers[0], at("192.0.2.3", 1)); // still counts for the address where it was opened
  assert.equal(house.enter(late), false);
  move(elsewhere, at("192.0.2.1", 5)); // an open session may move to an address with a full share
  assert.equal(house.heard, 3);
  elsewhere.send(CLOSE);
  elsewhere.run();
  assert.equal(house.enter(house.knock(at("192.0.2.1", 7))), false, "still three sessions");
  peers[0].send(CLOSE);
  peers[0].run();
  assert.ok(house.enter(house.knock(at("192.0.2.1", 8))));
  const others = [2, 3, 4].map((port) => house.open(at("192.0.2.3", port))); // the maximum of the address
  const { computed: before } = house.secrets;
  house.open(others[0].address); // replaces itself
  assert.equal(house.secrets.computed, before + 1);
  move(peers[1], at("192.0.2.3", 5));
  assert.throws(() => house.open(peers[1].address), "the session would count for another address");
  assert.equal(house.secrets.computed, before + 1);
});

Deno.test("Endpoint counts an IPv6 /64 network as one address, and does not count this machine", () => {
  const house = new House(100, 4096, 2);
  const at = (hostname: string) => ({ hostname, port: 1024 });
  for (const end of ["1", "2", "3:4"]) house.knock(at(`2001:db8::${end}`));
  assert.deepEqual([house.refused, house.why], [1, ["address 2001:db8::3:4"]]);
  house.knock(at("2001:db8:0:1::1"));
  for (let i = 1; i < 9; i++) house.knock(at(`127.0.0.${1 + i % 2}`));
  assert.equal(house.refused, 1);
});

/** A key agreement that computes when the test says so. */
class Slow extends RememberingAgreement {
  readonly waiting: (() => void)[] = [];
  override agree(...[near, far, done]: Parameters<RememberingAgreement["agree"]>): void {
    this.waiting.push(() => super.agree(near, far, done));
  }
}

Deno.test("Endpoint refuses a handshake that waits for its secret when another client takes the last session", () => {
  const secrets = new Slow(1);
  const server = makeServer(1, { onSession: () => new Recorder() }, {
    limits: { sessions: 1 },
    agreement: secrets,
  });
  const house = Object.assign(new House(1), { server });
  const [first, second] = [house.knock(), house.knock()];
  assert.equal(secrets.waiting.length, 2);
  secrets.waiting[0]();
  first.run();
  const [keying] = first.takeChunks();
  Object.assign(first, { pair: agreement.pair(2, 1) });
  first.finish(keying);
  first.send("01 0000");
  first.run();
  secrets.waiting[1]();
  second.run();
  assert.equal(second.seen.length, 0);
  assert.equal(server.sessionCount, 1);
  assert.equal(server.counters.sessions, 1);
  assert.equal(server.counters.drops.sessions, 1);
});

Deno.test("Endpoint reports refusals of clients at most once a minute", () => {
  const house = new House(1);
  const peer = house.open();
  const begin = house.now;
  for (let i = 0; i < 300; i++) {
    house.now += 500;
    peer.now = house.now;
    peer.send("01 0000");
    house.knock();
  }
  assert.equal(house.refused, 300);
  assert.deepEqual(house.told.map((time) => time - begin), [500, 60_500, 120_500]);
});

Deno.test("Endpoint reports the limit of all sessions after it has reported the limit of one address", () => {
  const house = new House(3, 4096, 2);
  const at = (port: number): Address => ({ hostname: "192.0.2.1", port });
  for (const port of [1, 2]) house.open(at(port));
  house.knock(at(3));
  house.open({ hostname: "192.0.2.2", port: 1 });
  house.knock({ hostname: "192.0.2.3", port: 1 });
  house.knock(at(4));
  assert.deepEqual([house.refused, house.why], [3, ["address 192.0.2.1", "all 192.0.2.3"]]);
});

Deno.test("Endpoint keeps its limit of 8 sessions under random connects and closes", () => {
  for (let seed = 1; seed <= 20; seed++) {
    const random = seeded(seed);
    const house = new House(8, 5);
    const inside: RawPeer[] = [];
    for (let i = 0; i < 150; i++) {
      house.now += Math.floor(random() * 3000);
      for (const peer of inside) peer.now = house.now;
      const peer = inside[Math.floor(random() * inside.length)];
      const what = random();
      if (what < 0.4 && house.heard < 8) inside.push(house.open(addressOf(1 + i % 200)));
      else if (what < 0.6) house.knock(addressOf(200));
      else if (what < 0.8) peer?.send(CLOSE);
      else if (what < 0.9) [...house.server.sessions()][0]?.close();
      else peer?.send("01 0000");
      peer?.run();
      assert.ok(house.server.sessionCount <= 8, `seed ${seed}: ${house.server.sessionCount}`);
    }
  }
});
