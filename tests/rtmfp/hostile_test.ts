// An endpoint withstands attacks by datagrams.
import assert from "node:assert/strict";
import { toHex } from "../../src/bytes/hex.ts";
import { Writer } from "../../src/bytes/writer.ts";
import type { Address } from "../../src/common/address.ts";
import { clientCertificate } from "../../src/rtmfp/crypto/certificate.ts";
import { SIGNATURE, writeInitiatorComponent } from "../../src/rtmfp/crypto/component.ts";
import type { KeyAgreement, KeyPair } from "../../src/rtmfp/crypto/dh.ts";
import { startupCipher } from "../../src/rtmfp/crypto/packet_cipher.ts";
import { offer, RELAXED } from "../../src/rtmfp/crypto/protection.ts";
import type { Endpoint } from "../../src/rtmfp/endpoint.ts";
import { Reassembly } from "../../src/rtmfp/flow/reassembly.ts";
import { ReceiveFlow } from "../../src/rtmfp/flow/receive_flow.ts";
import { BufferPool } from "../../src/rtmfp/flow/buffer_pool.ts";
import { type ChunkCodec, writeChunk } from "../../src/rtmfp/wire/chunk.ts";
import { writeEpd } from "../../src/rtmfp/wire/epd.ts";
import { iHello } from "../../src/rtmfp/wire/ihello.ts";
import { iiKeying } from "../../src/rtmfp/wire/iikeying.ts";
import { Mode, PacketReader, writePacketHeader } from "../../src/rtmfp/wire/packet.ts";
import { packetFragment } from "../../src/rtmfp/wire/packet_fragment.ts";
import { rHello } from "../../src/rtmfp/wire/rhello.ts";
import { Fragment, UserData, writeUserData } from "../../src/rtmfp/wire/user_data.ts";
import { writeFlowOptions } from "../../src/rtmfp/wire/flow_options.ts";
import {
  agreement,
  EPD,
  makeServer,
  METADATA,
  plain,
  Recorder,
  RememberingAgreement,
} from "../support/pair.ts";
import { cpuTime } from "../support/cpu_time.ts";
import { RawPeer } from "../support/raw_peer.ts";
import { seededBytes } from "../support/random.ts";

const cipher = startupCipher(plain);
const buffer = new Uint8Array(4096);
const onSession = () => new Recorder();
const HELLO = { epd: EPD, tag: new Uint8Array(16).fill(7) };

/** An attacker that sends startup packets from forged addresses and counts the answers. */
class Forger {
  now = 1000;
  /** Bytes by IP address. */
  readonly bytesIn = new Map<string, number>();
  readonly bytesOut = new Map<string, number>();
  out = 0;
  last: Uint8Array = new Uint8Array(0);
  readonly #out = new Uint8Array(4096);

  constructor(readonly server: Endpoint) {}

  send<Chunk>(from: Address, codec: ChunkCodec<Chunk>, chunk: Chunk): void {
    const to = Writer.over(buffer, cipher.headroom);
    writePacketHeader(to, Mode.startup, 1);
    writeChunk(to, codec, chunk);
    const length = cipher.seal(buffer, to.at, 0);
    this.bytesIn.set(from.hostname, (this.bytesIn.get(from.hostname) ?? 0) + length);
    this.server.receive(buffer.subarray(0, length), from, this.now);
    this.flush();
  }

  flush(): void {
    this.server.flush(this.now, {
      buffer: () => this.#out,
      room: Infinity,
      post: (length, { hostname }) => {
        this.out += length;
        this.bytesOut.set(hostname, (this.bytesOut.get(hostname) ?? 0) + length);
        this.last = this.#out.slice(0, length);
      },
    });
  }

  /** A cookie that is valid for an address. */
  cookie(from: Address): Uint8Array {
    this.send(from, iHello, HELLO);
    this.send(from, iHello, HELLO);
    const packet = new PacketReader();
    packet.open(cipher.open(this.last)!).next();
    return rHello.read(packet.payload).cookie.slice();
  }

  checkAmplification(): void {
    for (const [hostname, out] of this.bytesOut) {
      const most = 3 * this.bytesIn.get(hostname)!;
      assert.ok(out <= most, `${out} bytes to ${hostname} (maximum ${most})`);
    }
  }
}

/** The nth of many addresses; every hundredth call returns the same one. */
const addressOf = (n: number): Address =>
  n % 100 === 0
    ? { hostname: "198.51.100.66", port: 53 }
    : { hostname: `${11 + (n >> 16)}.${(n >> 8) % 256}.${n % 256}.9`, port: 1024 + n % 60_000 };

const keying = (id: number, cookie: Uint8Array, pair: KeyPair) => ({
  initiatorSessionId: id,
  cookie,
  certificate: clientCertificate([pair]),
  component: writeInitiatorComponent({
    ...offer(RELAXED),
    selectedGroup: 2,
    randomness: seededBytes(id)(64),
  }),
  signature: SIGNATURE,
});

const pair = agreement.pair(2, 0);

/** Limits of memory: 16,384 sources and 8,192 hellos. */
const MOST_REMEMBERED = 16_384 + 8192;

Deno.test("Endpoint answers 40,000 spoofed hellos without session, secret and memory, with at most 3 bytes per received byte", () => {
  const fresh = new RememberingAgreement(11);
  const server = makeServer(1, { onSession }, { agreement: fresh });
  const forger = new Forger(server);
  const tag = new Uint8Array(16);
  for (let i = 0; i < 40_000; i++) {
    forger.now += 0.5;
    new DataView(tag.buffer).setUint32(0, i);
    forger.send(addressOf(i), iHello, { epd: EPD, tag });
  }
  assert.equal(server.counters.datagramsIn, 40_000);
  assert.ok(server.counters.hellos > 36_000, "most hellos are answered");
  forger.checkAmplification();
  assert.equal(server.sessionCount, 0);
  assert.equal(server.counters.agreements + fresh.computed, 0);
  assert.ok(server.remembered <= MOST_REMEMBERED, `${server.remembered}`);
  forger.now += 600_000;
  forger.send(addressOf(1), iHello, HELLO);
  assert.ok(server.remembered <= 2, `${server.remembered} entries left after ten minutes`);
  assert.equal(server.deadline, Infinity);
});

Deno.test("Endpoint drops 20,000 forged or expired cookies without answer, session, secret and memory", () => {
  const fresh = new RememberingAgreement(12);
  const server = makeServer(1, { onSession }, { agreement: fresh });
  const forger = new Forger(server);
  const addresses = Array.from({ length: 500 }, (_, i) => addressOf(1 + i));
  const old = addresses.map((address) => forger.cookie(address));
  const before = forger.out;
  forger.now += 120_001;
  const random = seededBytes(5);
  const chunk = keying(9, old[0], pair);
  for (let i = 0; i < 20_000; i++) {
    forger.now += 0.1;
    const at = i % 500;
    let cookie = old[at];
    if (i % 3 === 1) cookie = random(64);
    if (i % 3 === 2) { // a valid time, but not signed by this server
      cookie = old[at].slice();
      new DataView(cookie.buffer).setUint32(4, forger.now);
    }
    forger.send(addresses[at], iiKeying, { ...chunk, initiatorSessionId: 1 + i, cookie });
  }
  assert.equal(server.counters.drops.cookie, 20_000);
  assert.equal(forger.out, before, "no answer");
  forger.checkAmplification();
  assert.equal(server.sessionCount, 0);
  assert.equal(server.counters.agreements + fresh.computed, 0);
  assert.ok(server.remembered <= 2000, `${server.remembered}`);
  assert.equal(server.deadline, Infinity);
});

Deno.test("Endpoint answers a cookie from a spoofed address with at most 3 bytes per received byte", () => {
  const server = makeServer(1, { onSession });
  const forger = new Forger(server);
  const cookie = forger.cookie(addressOf(1));
  const victim = { hostname: "198.51.100.66", port: 53 };
  const nothing = { certificate: new Uint8Array(0), component: new Uint8Array(0) };
  const short = { epd: writeEpd({ ancillary: Uint8Array.of(0x78) }), tag: Uint8Array.of(1) };
  for (let i = 0; i < 500; i++) {
    forger.now += 100;
    const chunk = { ...nothing, initiatorSessionId: 1, cookie, signature: SIGNATURE };
    forger.send(victim, iiKeying, chunk);
    for (let j = 0; j < 3; j++) forger.send(victim, iHello, short);
  }
  forger.checkAmplification();
  assert.ok(forger.bytesOut.get(victim.hostname)! > 1000, "the server sends cookie changes");
  assert.equal(server.sessionCount, 0);
});

/** A key agreement whose results arrive later, as from another thread. */
class SlowAgreement implements KeyAgreement {
  readonly waiting: (() => void)[] = [];
  keyPair = () => agreement.pair(2, 1);
  agree(near: KeyPair, far: Uint8Array, done: (secret: Uint8Array | undefined) => void): void {
    this.waiting.push(() => agreement.agree(near, far, done));
  }
}

Deno.test("Endpoint limits waiting key agreements of one address to 32, so that other addresses get theirs", () => {
  const slow = new SlowAgreement();
  const server = makeServer(1, { onSession }, { agreement: slow });
  const forger = new Forger(server);
  const attacker = addressOf(1);
  const cookie = forger.cookie(attacker);
  for (let i = 0; i < 5000; i++) forger.send(attacker, iiKeying, keying(1 + i, cookie, pair));
  assert.equal(slow.waiting.length, 32, "an eighth of the maximum");
  assert.ok(server.remembered < 100);
  const other = addressOf(2);
  forger.send(other, iiKeying, keying(1, forger.cookie(other), pair));
  assert.equal(slow.waiting.length, 33);
  for (const finish of slow.waiting.splice(0)) finish();
  assert.equal(server.sessionCount, 33);
  forger.send(attacker, iiKeying, keying(9999, cookie, pair));
  assert.equal(slow.waiting.length, 1, "the address may ask again");
});

Deno.test("Endpoint opens sessions of other clients while one address has unfinished handshakes", () => {
  const server = makeServer(1, { onSession }, { limits: { halfOpen: 8 } });
  const forger = new Forger(server);
  const attacker = addressOf(1);
  const cookie = forger.cookie(attacker);
  for (let i = 0; i < 200; i++) {
    forger.send(attacker, iiKeying, keying(1 + i, cookie, agreement.pair(2, i % 4)));
  }
  assert.ok(server.sessionCount <= 8);
  assert.ok(server.remembered <= 40, `${server.remembered}`);
  new RawPeer(server, forger.now).open();
  assert.equal([...server.sessions()].filter(({ heard }) => heard).length, 1);
});

Deno.test("Endpoint drops hellos with a tag of 1,500 bytes, without memory", () => {
  const server = makeServer(1, { onSession });
  const forger = new Forger(server);
  for (let i = 0; i < 100; i++) {
    forger.send(addressOf(1), iHello, { epd: EPD, tag: seededBytes(i)(1500) });
  }
  assert.equal(server.counters.drops.limit, 100);
  assert.equal(forger.out, 0);
  assert.ok(server.remembered <= 1);
});

Deno.test("Endpoint counts 1-byte packet fragments with their memory overhead, and drops fragments beyond the limit", () => {
  const server = makeServer(1, { onSession });
  const forger = new Forger(server);
  for (let i = 0; i < 20_000; i++) {
    const fragmentNumber = Math.floor(i / 50);
    forger.send(addressOf(1 + i % 50), packetFragment, {
      packetId: 1,
      fragmentNumber,
      more: true,
      bytes: Uint8Array.of(1),
    });
  }
  assert.ok(server.counters.drops.limit! > 14_000, `${server.counters.drops.limit}`);
});

/** A receiving flow without a session. @param held the memory (bytes) that the flow reports */
function flow(onMessage: (message: Uint8Array) => void, held = { bytes: 0 }): ReceiveFlow {
  const one = new ReceiveFlow(2, METADATA, undefined, {
    buffers: new BufferPool(),
    maxMessage: 1 << 24,
    hold: (bytes) => void (held.bytes += bytes),
    acknowledge() {},
    violated: () => assert.fail(),
    complete() {},
  });
  one.receiver = { onMessage };
  return one;
}

Deno.test("Reassembly takes less than 2.5 s of CPU time for 90,000 fragments in the worst order", () => {
  let messages = 0;
  const held = { bytes: 0 };
  const one = flow(() => void messages++, held);
  const reassembly = new Reassembly(one);
  const data = Uint8Array.of(1);
  const last = 90_000;
  const start = cpuTime();
  for (let from = last; from > last - 100; from--) reassembly.add(from, Fragment.whole, data);
  for (let number = 2; number <= last - 100; number++) {
    reassembly.add(number, Fragment.whole, data);
  }
  reassembly.add(1, Fragment.whole, data);
  assert.equal(reassembly.waiting, last);
  for (let number = 10; number <= last; number += 10) reassembly.deliver(number);
  const time = cpuTime() - start;
  assert.equal(messages, last);
  assert.equal(held.bytes, 0);
  assert.ok(time < 2500, `${time} ms`); // a linear search takes tens of seconds
});

const chunk = new UserData();

/** A user data chunk in hexadecimal. */
function userData(flowId: number, sequence: number, part: Fragment, data: Uint8Array): string {
  const to = new Writer(data.length + 64);
  Object.assign(chunk, { flowId, sequence, fsn: 0, fragment: part, data });
  chunk.options = writeFlowOptions({ metadata: METADATA, association: undefined });
  writeUserData(to, chunk);
  return toHex(to.view());
}

Deno.test("Endpoint limits the memory of unfinished messages of a session to 4 MiB, and of all sessions to 8 MiB", () => {
  const limits = { memory: 4 << 20, memoryOfAll: 8 << 20 };
  const reasons: string[] = [];
  const server = makeServer(1, {
    onSession: () =>
      Object.assign(new Recorder(), { onClose: (reason: string) => void reasons.push(reason) }),
  }, { limits });
  const peers = Array.from({ length: 5 }, (_, i) => {
    const peer = new RawPeer(server);
    peer.nearId += i << 20;
    peer.address = addressOf(1 + i);
    return peer.open();
  });
  const piece = new Uint8Array(30_000);
  const fill = (peer: RawPeer, count: number) => {
    for (let i = 1; i <= count; i++) {
      peer.send(
        userData(3 + i % 7, Math.ceil(i / 7), i <= 7 ? Fragment.begin : Fragment.middle, piece),
      );
    }
  };
  fill(peers[4], 140);
  assert.deepEqual(reasons, ["limit"], "one session has too much memory");
  for (const peer of peers.slice(0, 3)) fill(peer, 60);
  assert.deepEqual(reasons, ["limit", "limit"], "three sessions together have too much memory");
  peers[3].send(userData(3, 1, Fragment.begin, piece));
  assert.equal(reasons.length, 2, "the other session stays open");
  for (const peer of peers) peer.run(peer.now + 1000);
});

Deno.test("Endpoint evicts sessions of the address with the most memory, not sessions of other addresses", () => {
  const limits = { memoryOfAll: 1 << 20 };
  const server = makeServer(1, { onSession }, { limits });
  const piece = new Uint8Array(30_000);
  let number = 0;
  const openAt = (hostname: string): RawPeer => {
    const peer = new RawPeer(server);
    peer.nearId += ++number << 16;
    peer.address = { hostname, port: number };
    return peer.open();
  };
  const openSessions = () => [...server.sessions()].filter(({ state }) => state === "open");
  const others = Array.from({ length: 5 }, (_, i) => openAt(`198.51.100.${i}`));
  for (const peer of others) peer.send(userData(3, 1, Fragment.begin, piece)); // 32 KiB
  others[0].send(userData(3, 2, Fragment.middle, piece)); // holds more than each session of the other address
  for (let i = 0; i < 40; i++) {
    const peer = openAt("192.0.2.1");
    peer.send(userData(3, 1, Fragment.begin, piece));
    for (let flowId = 4; flowId < 24; flowId++) {
      peer.send(userData(flowId, 1, Fragment.begin, new Uint8Array(1)));
      assert.ok(server.context.held <= 1 << 20, `${server.context.held}`);
    }
  }
  const rest = openSessions().filter(({ address }) => address.hostname === "192.0.2.1").length;
  assert.ok(rest > 5 && rest < 20, `${rest} sessions of the address`);
  assert.ok(server.context.held > 3 << 18, "no more sessions end than necessary");
  for (const [i, peer] of others.entries()) {
    peer.send(userData(3, i === 0 ? 3 : 2, Fragment.end, piece));
    peer.send(userData(4, 1, Fragment.begin, piece));
  }
  assert.equal(openSessions().length - rest, others.length);
  server.close();
  assert.equal(server.context.held, 0);
});

Deno.test("Endpoint does not add up the memory of sessions from 127.0.0.1 when it evicts sessions", () => {
  const server = makeServer(1, { onSession }, { limits: { memoryOfAll: 1 << 20 } });
  const piece = new Uint8Array(30_000);
  const open = (hostname: string, port: number, pieces: number): void => {
    const peer = new RawPeer(server);
    peer.nearId += port << 16;
    peer.address = { hostname, port };
    peer.open();
    for (let i = 1; i <= pieces; i++) {
      peer.send(userData(3, i, i === 1 ? Fragment.begin : Fragment.middle, piece));
    }
  };
  for (let port = 1; port <= 20; port++) open("127.0.0.1", port, 1);
  open("192.0.2.1", 21, 15); // 512 KiB
  const left = [...server.sessions()].filter(({ state }) => state === "open");
  assert.deepEqual(new Set(left.map(({ address }) => address.hostname)), new Set(["127.0.0.1"]));
  assert.equal(left.length, 20);
});

Deno.test("Session counts flows, their metadata and gaps with their memory overhead in bytes", () => {
  const server = makeServer(1, { onSession });
  const peer = new RawPeer(server).open();
  peer.send(userData(3, 1, Fragment.whole, Uint8Array.of(1)));
  assert.equal(server.context.held, 0, "the first flow is part of the session");
  chunk.options = writeFlowOptions({ metadata: new Uint8Array(1000), association: undefined });
  for (let flowId = 4; flowId < 1000; flowId++) {
    Object.assign(chunk, { flowId, sequence: 1, fsn: 0, fragment: Fragment.whole });
    peer.send(toHex(writeUserData(new Writer(2048), chunk).view()));
  }
  const { held } = server.context;
  assert.equal(held, 996 * (1000 + 1000));
  for (let sequence = 3; sequence <= 201; sequence += 2) { // every other number is missing
    peer.send(userData(3, sequence, Fragment.whole, new Uint8Array(0)));
  }
  assert.equal(server.context.held - held, 100 * (200 + 2 * 8));
  server.close();
  assert.equal(server.context.held, 0);
});

Deno.test("Session releases the memory of sequence numbers beyond the end of a flow with the flow", () => {
  const server = makeServer(1, { onSession });
  const peer = new RawPeer(server).open();
  peer.send("10 000e 80 02 01 01 05 00 54430400 00 616263");
  for (const number of ["05", "07", "09"]) peer.send(`10 0005 00 02 ${number} ${number} 61`);
  peer.send("10 0004 01 02 02 01"); // ends it
  assert.equal(server.context.held, 3 * 2 * 8);
  for (let i = 0; i < 20; i++) {
    peer.now += 10_000;
    peer.send("01 0000");
    peer.run();
  }
  assert.equal(server.sessionCount, 1);
  assert.equal(server.context.held, 0);
});

Deno.test("Session answers many pings, probes and acknowledgements with less than half of the received bytes", () => {
  const server = makeServer(1, { onSession });
  const peer = new RawPeer(server).open();
  let bytesIn = 0, bytesOut = 0;
  const rounds = [
    "01 0004 01020304".repeat(150), // pings
    "01 0000".repeat(300),
    "18 0001 03".repeat(250), // buffer probes of an unknown flow
    "5e 0002 0200".repeat(200), // exceptions for unknown flows
    `51 0004 02 7f 01 00`.repeat(150), // acknowledgements
    "50 0003 02 7f 01".repeat(150),
  ];
  for (let i = 0; i < 600; i++) {
    peer.send(rounds[i % rounds.length]);
    peer.run();
    peer.now += 1;
  }
  for (const { length } of peer.sent.slice(-600)) bytesIn += length;
  for (const { length } of peer.take()) bytesOut += length;
  assert.ok(bytesOut < bytesIn / 2, `${bytesOut} for ${bytesIn}`);
  assert.equal([...server.sessions()][0].state, "open");
});
