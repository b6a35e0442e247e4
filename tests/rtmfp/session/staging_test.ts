// Packets sealed in a batch: an endpoint loses and reorders no packet, and sends no unsealed one.
import assert from "node:assert/strict";
import { equalBytes } from "../../../src/bytes/equal.ts";
import { toUtf8 } from "../../../src/bytes/text.ts";
import type { Address } from "../../../src/common/address.ts";
import type { CryptoBackend } from "../../../src/rtmfp/crypto/backend.ts";
import { portable } from "../../../src/rtmfp/crypto/portable.ts";
import { RELAXED, STRICT } from "../../../src/rtmfp/crypto/protection.ts";
import type { Endpoint } from "../../../src/rtmfp/endpoint.ts";
import type { Session } from "../../../src/rtmfp/session/session.ts";
import {
  CLIENT,
  EPD,
  makeClient,
  makeServer,
  METADATA,
  Recorder,
  RememberingAgreement,
  SERVER,
} from "../../support/pair.ts";

const SECRET = "nobody is to read this";

/** An outbox with limited room, which searches packets for unsealed text. */
class Watched {
  readonly sent: { datagram: Uint8Array; to: Address }[] = [];
  readonly #buffer = new Uint8Array(2_048);
  constructor(public room = Infinity) {}

  buffer(): Uint8Array | undefined {
    this.#look();
    return this.room > 0 ? this.#buffer : undefined;
  }

  post(length: number, to: Address): void {
    this.#look();
    assert.ok(this.room > 0, "more packets than room");
    this.room--;
    this.sent.push({ datagram: this.#buffer.slice(0, length), to });
  }

  take(): { datagram: Uint8Array; to: Address }[] {
    this.#look();
    return this.sent.splice(0);
  }

  #look(): void {
    assert.ok(!new TextDecoder("latin1").decode(this.#buffer).includes(SECRET));
  }
}

/** A server with sessions of several clients. */
function opened(count: number, crypto: CryptoBackend = portable, policy = RELAXED) {
  const agreement = new RememberingAgreement(1);
  const settings = { crypto, policy, agreement };
  const server = makeServer(1, { onSession: () => new Recorder() }, settings);
  const clients = Array.from({ length: count }, (_, i) => {
    const recorder = new Recorder();
    const client = makeClient(i + 1, { ...settings, crypto: portable });
    const address = { hostname: CLIENT.hostname, port: 1_024 + i };
    client.connect(EPD, [SERVER], { onOpen: () => recorder });
    return { client, address, recorder };
  });
  let now = 0;
  const out = new Watched();
  /** Lets the clients answer the server's packets. */
  const answer = (sent: ReturnType<Watched["take"]>) => {
    for (const { datagram, to } of sent) {
      const { client } = clients.find(({ address }) => address.port === to.port)!;
      client.receive(datagram, SERVER, now);
    }
    for (const { client, address } of clients) {
      client.flush(now, out);
      for (const { datagram } of out.take()) server.receive(datagram, address, now);
    }
  };
  const run = (until: number) => {
    for (; now < until; now += 10) {
      server.flush(now, out);
      answer(out.take());
    }
  };
  run(1_000);
  const sessions = [...server.sessions()];
  assert.equal(sessions.length, count);
  return { server, clients, sessions, answer, run, now: () => now };
}

/** Writes messages of several packets that repeat `SECRET` to each session. */
function write(sessions: readonly Session[], length: number): Uint8Array {
  const message = toUtf8(SECRET.repeat(Math.ceil(length / SECRET.length)));
  for (const session of sessions) {
    const flow = session.openFlow(METADATA);
    flow.write(message);
    flow.write(message.slice(0, 90));
  }
  return message;
}

/** Flushes into outboxes of changing room, until no packet is due. */
function flushAll(server: Endpoint, now: number, rooms: readonly number[]) {
  const sent: ReturnType<Watched["take"]> = [];
  for (let i = 0;; i++) {
    const out = new Watched(rooms[i % rooms.length]);
    server.flush(now, out);
    const more = out.take();
    sent.push(...more);
    if (server.deadline > now + 10) return sent;
    assert.equal(out.room, 0, "the endpoint fills the outbox");
    assert.ok(i < 1_000);
  }
}

/** A back-end without batches. */
const alone: CryptoBackend = { ...portable, batch: undefined };

for (const [what, policy] of [["checksums", RELAXED], ["HMACs and numbers", STRICT]] as const) {
  Deno.test(`Endpoint sends the same packets in batches as one by one, with ${what}, into an outbox of any room`, () => {
    for (const rooms of [[1], [2], [3, 1, 7], [15], [16], [17], [33], [Infinity]]) {
      const [expected, sent] = [alone, portable].map((crypto) => {
        const { server, clients, sessions, answer, run, now } = opened(9, crypto, policy);
        const message = write(sessions, 5_000);
        const { bytesOut, datagramsOut } = server.counters;
        const sent = flushAll(server, now(), rooms);
        assert.ok(sent.length > 32, `${sent.length} packets: fewer than two batches`);
        assert.equal(server.counters.datagramsOut - datagramsOut, sent.length);
        const bytes = sent.reduce((sum, { datagram }) => sum + datagram.length, 0);
        assert.equal(server.counters.bytesOut - bytesOut, bytes);
        const copies = sent.map(({ datagram, to }) => ({ datagram: datagram.slice(), to }));
        answer(sent);
        run(now() + 1_000);
        for (const { client, recorder } of clients) {
          assert.equal(recorder.messages.length, 2);
          assert.ok(equalBytes(recorder.messages[0], message));
          assert.deepEqual({ ...client.counters.drops }, {});
        }
        return copies;
      });
      assert.equal(sent.length, expected.length);
      for (const [i, { datagram, to }] of sent.entries()) {
        assert.equal(to.port, expected[i].to.port, `datagram ${i}, room ${rooms}`);
        assert.ok(equalBytes(datagram, expected[i].datagram), `datagram ${i}, room ${rooms}`);
      }
    }
  });
}

Deno.test("Session does not use its keys after it has freed them", () => {
  const freed = new Set<unknown>();
  const crypto: CryptoBackend = {
    ...portable,
    batch: portable.batch,
    hmacSha256(key) {
      const hmac = portable.hmacSha256(key);
      const own = {
        digest(data: Uint8Array, start: number, end: number) {
          assert.ok(!freed.has(own), "a freed key was used");
          return hmac.digest(data, start, end);
        },
        free: () => void freed.add(own),
      };
      return own;
    },
  };
  const { server, clients, sessions, answer, now } = opened(5, crypto, STRICT);
  const before = freed.size;
  for (const session of sessions) session.abort();
  const out = new Watched();
  server.flush(now(), out);
  assert.equal(server.sessionCount, 0);
  assert.equal(freed.size - before, 10);
  const sent = out.take();
  assert.equal(sent.length, 5);
  answer(sent);
  for (const { recorder } of clients) assert.deepEqual(recorder.closed, ["closed by peer"]);
});

Deno.test("Endpoint sends packets of other sessions when flushing one session throws", () => {
  const { server, clients, sessions, answer, now } = opened(3);
  const message = write(sessions, 300);
  const [flow] = sessions[1].sending.flows;
  flow.send = () => {
    throw new Error("a bug");
  };
  const out = new Watched();
  assert.throws(() => server.flush(now(), out), /a bug/);
  answer(out.take());
  assert.deepEqual(clients.map(({ recorder }) => recorder.messages.length), [2, 0, 2]);
  assert.deepEqual(clients[2].recorder.messages[0], message);
});

Deno.test("Two endpoints share a batch: flushing one during the other's flush damages no packet", () => {
  const first = opened(3);
  const second = opened(3);
  const message = write(first.sessions, 4_000);
  const out = new Watched();
  const nested = new Watched();
  const buffer = out.buffer.bind(out);
  let asked = 0;
  out.buffer = () => {
    if (++asked === 3) write(second.sessions, 3_000);
    second.server.flush(second.now(), nested);
    return buffer();
  };
  first.server.flush(first.now(), out);
  first.answer(out.take());
  second.answer(nested.take());
  for (const { recorder } of first.clients) assert.deepEqual(recorder.messages[0], message);
  for (const { recorder } of second.clients) assert.equal(recorder.messages[0].length, 3_014);
});
