import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { fromHex, toHex } from "../../src/bytes/hex.ts";
import { toUtf8 } from "../../src/bytes/text.ts";
import { WireError } from "../../src/bytes/wire_error.ts";
import type { Identity } from "../../src/cluster/identity.ts";
import { Link, type LinkHandler } from "../../src/cluster/link.ts";

/** Records the events of a link. */
class Log implements LinkHandler {
  readonly lines: string[] = [];
  onIdentified({ reach, properties }: Identity): void {
    this.lines.push(`identified ${JSON.stringify(reach)} ${JSON.stringify([...properties])}`);
  }
  onUpdated({ properties }: Identity): void {
    this.lines.push(`updated ${JSON.stringify([...properties])}`);
  }
  onRunning(paths: string[]): void {
    this.lines.push(`running ${JSON.stringify(paths)}`);
  }
  onMessage(handler: string, payload: Uint8Array): void {
    this.lines.push(`${handler} ${toHex(payload)}`);
  }
}

const publicAddress = (text: string, properties: [string, string][] = []): Identity => ({
  reach: { publicAddress: text },
  properties: new Map(properties),
});

const hmac = (key: Uint8Array, message: Uint8Array) =>
  new Uint8Array(createHmac("sha256", key).update(message).digest());
const secretOf = (text: string, nonce: number) => ({
  key: toUtf8(text),
  hmac,
  end: { id: new Uint8Array(32).fill(nonce + 100), nonce: new Uint8Array(32).fill(nonce) },
});

interface Ends {
  a: Link;
  b: Link;
  aLog: Log;
  bLog: Log;
}

function pair(secretA?: string, secretB?: string): Ends {
  const [aLog, bLog] = [new Log(), new Log()];
  const a = new Link({
    initiator: true,
    identity: publicAddress("a.example:1935", [["type", "master"]]),
    handler: aLog,
    paths: [""],
    secret: secretA === undefined ? undefined : secretOf(secretA, 1),
  }, 0);
  const b = new Link({
    initiator: false,
    identity: { reach: { port: 1936 }, properties: new Map() },
    handler: bLog,
    paths: ["", "/chat"],
    secret: secretB === undefined ? undefined : secretOf(secretB, 2),
  }, 0);
  return { a, b, aLog, bLog };
}

/** Carries bytes both ways in pieces until both ends are idle. */
function carry({ a, b }: Ends, now = 0, piece = 7): void {
  for (let quiet = 0; quiet < 2;) {
    quiet++;
    for (const [from, to] of [[a, b], [b, a]]) {
      const bytes = from.take();
      for (let at = 0; at < bytes.length; at += piece) {
        to.receive(bytes.subarray(at, at + piece), now);
        quiet = 0;
      }
    }
  }
}

Deno.test("CLU-071, CLU-073: Link of an acceptor begins with the bytes of the specification", () => {
  const link = new Link({
    initiator: false,
    identity: publicAddress("pub.example:1987"),
    handler: new Log(),
    paths: [""],
  }, 0);
  assert.equal(
    toHex(link.take()),
    toHex(fromHex(
      `00 00 00 14 00 00 01 10 70 75 62 2E 65 78 61 6D 70 6C 65 3A 31 39 38 37
       00 00 00 03 01 2E 00`,
    )),
  );
});

Deno.test("CLU-072, CLU-074: Link of an initiator sends its properties sorted by name, and later applications", () => {
  const link = new Link({
    initiator: true,
    identity: publicAddress("pub.example:1987", [["type", "master"], ["n", "a b"]]),
    handler: new Log(),
    paths: [""],
  }, 0);
  assert.equal(
    toHex(link.take()).slice(0, 2 * 0x2a),
    toHex(fromHex(
      `00 00 00 26 00 00 01 10 70 75 62 2E 65 78 61 6D 70 6C 65 3A 31 39 38 37
       01 6E 03 61 20 62 04 74 79 70 65 06 6D 61 73 74 65 72`,
    )),
  );
  link.announce(["/app1"], 0);
  assert.equal(toHex(link.take()), toHex(fromHex("00 00 00 08 00 01 05 2F 61 70 70 31")));
});

Deno.test("CLU-075, CLU-076: Link sends a handler's name with its first message, then the handler's number", () => {
  const link = new Link({
    initiator: false,
    identity: publicAddress("x"),
    handler: new Log(),
    paths: [""],
  }, 0);
  link.take();
  const first = fromHex("11 04 01 11 06 07 74 77 6F 11 0A 0B 01 03 78 04 01 01");
  link.send("hello", first, 0);
  link.send("hello", fromHex("11 06 0B 61 67 61 69 6E"), 0);
  assert.equal(
    toHex(link.take()),
    toHex(fromHex(
      `00 00 00 18 05 68 65 6C 6C 6F 11 04 01 11 06 07 74 77 6F 11 0A 0B 01 03 78 04 01 01
       00 00 00 0A 00 02 11 06 0B 61 67 61 69 6E`,
    )),
  );
});

Deno.test("Two Links identify themselves and exchange messages, in TCP segments of any size", () => {
  for (const piece of [1, 2, 3, 7, 1000]) {
    const ends = pair();
    carry(ends, 0, piece);
    ends.a.send("hello", fromHex("05"), 0);
    ends.a.send("hello", fromHex("0101"), 0);
    carry(ends, 0, piece);
    assert.deepEqual(ends.bLog.lines, [
      'identified {"publicAddress":"a.example:1935"} [["type","master"]]',
      'running [""]',
      "hello 05",
      "hello 0101",
    ]);
    assert.deepEqual(ends.aLog.lines, [
      'identified {"port":1936} []',
      'running ["","/chat"]',
    ]);
  }
});

Deno.test('CLU-024: Link.send() refuses the handler names "" and ".", and truncates names to 255 bytes', () => {
  const { a, b, aLog: _aLog, bLog } = pair();
  carry({ a, b, aLog: _aLog, bLog });
  assert.throws(() => a.send("", new Uint8Array(), 0), RangeError);
  assert.throws(() => a.send(".", new Uint8Array(), 0), RangeError);
  assert.equal(a.send("é".repeat(200), new Uint8Array(), 0), true);
  carry({ a, b, aLog: _aLog, bLog });
  assert.equal(bLog.lines.at(-1), `${"é".repeat(127)} `);
});

Deno.test("CLU-064: Link only updates the properties at a second identification", () => {
  const log = new Log();
  const link = new Link({
    initiator: false,
    identity: publicAddress("x"),
    handler: log,
    paths: [],
  }, 0);
  link.receive(fromHex("00000005 0000 00 078f 00000009 0000 00 0790 0161 0162"), 0);
  assert.deepEqual(log.lines, ['identified {"port":1935} []', 'updated [["a","b"]]']);
});

Deno.test("CLU-067: Link skips and counts a frame with an unknown handler number, and reads the next frame", () => {
  const log = new Log();
  const link = new Link({
    initiator: false,
    identity: publicAddress("x"),
    handler: log,
    paths: [],
  }, 0);
  link.receive(fromHex("00000005 0000 00 078f  00000003 0009 05  00000003 0161 05"), 0);
  assert.equal(link.unknownHandlers, 1);
  assert.deepEqual(log.lines, ['identified {"port":1935} []', "a 05"]);
});

Deno.test("CLU-068: Link throws WireError for a frame above 16 MiB, and for a malformed identification", () => {
  const broken = ["01000001", "0000000400000105", "0000000100", "0000000105"];
  for (const hex of broken) {
    const { b } = pair();
    assert.throws(() => b.receive(fromHex(hex), 0), WireError, hex);
  }
});

Deno.test("Link allocates memory for a frame only as its bytes arrive", () => {
  const { b } = pair();
  b.receive(fromHex("00000005 0000 00 0790"), 0);
  b.receive(fromHex("01000000 05"), 0); // a frame of 16 MiB, of which one byte has arrived
  b.receive(new Uint8Array(100), 0);
  assert.equal(b.buffered, 105);
});

Deno.test("Link throws WireError for a frame above 64 KiB before the identification", () => {
  const { b } = pair();
  b.receive(fromHex("00010000 00"), 0);
  assert.equal(b.buffered, 5);
  assert.throws(() => pair().b.receive(fromHex("00010001 00"), 0), /another protocol/);
});

Deno.test("Link throws WireError for a message before the identification", () => {
  const { b, bLog } = pair();
  assert.throws(() => b.receive(fromHex("00000003 0161 05"), 0), /another protocol/);
  assert.deepEqual(bLog.lines, []);
});

Deno.test("Two Links identify themselves only if both have the same secret", () => {
  const good = pair("s3cret", "s3cret");
  carry(good);
  assert.ok(good.a.identified && good.b.identified);
  for (const [one, other] of [["s3cret", "secret"], ["s3cret", undefined], [undefined, "s3cret"]]) {
    const bad = pair(one, other);
    assert.throws(() => carry(bad, 0, 1000), WireError);
    assert.ok(!bad.a.identified && !bad.b.identified, `${one} and ${other}`);
  }
});

Deno.test("Link of a target sends no proof to an initiator without the secret", () => {
  const { a, b } = pair("x", "right");
  assert.equal(b.take().length, 8 + 32 + 32);
  b.receive(a.take(), 0);
  assert.equal(b.take().length, 0);
  assert.throws(() => b.receive(new Uint8Array(32), 0), WireError);
});

/** A link of one server, whose id is the same for all of them. */
const linkOfServer = (initiator: boolean, nonce: number) =>
  new Link({
    initiator,
    identity: publicAddress("s.example:1935"),
    handler: new Log(),
    paths: [],
    secret: {
      ...secretOf("s3cret", nonce),
      end: { id: new Uint8Array(32).fill(7), nonce: new Uint8Array(32).fill(nonce) },
    },
  }, 0);

Deno.test("Link refuses its server's own messages reflected over one connection or two", () => {
  for (const initiator of [true, false]) {
    const link = linkOfServer(initiator, 1);
    assert.throws(() => link.receive(link.take(), 0), /the other server is this one/);
  }
  // An attacker that the server dials, and that dials the server, passes the server's bytes between both.
  const [dialled, accepted] = [linkOfServer(true, 1), linkOfServer(false, 2)];
  assert.throws(() => accepted.receive(dialled.take(), 0), /the other server is this one/);
  assert.throws(() => dialled.receive(accepted.take(), 0), /the other server is this one/);
});

Deno.test("Link refuses a proof made for another id, nonce or direction", () => {
  const greeting = (id: number, nonce: number) =>
    new Uint8Array([
      ...toUtf8("CUMULUS3"),
      ...new Uint8Array(32).fill(id),
      ...new Uint8Array(32).fill(nonce),
    ]);
  const proofOf = (id: number, nonce: number) => {
    const [dialled, accepted] = [linkOfServer(true, 1), linkOfServer(false, 2)];
    dialled.take();
    dialled.receive(greeting(id, nonce), 0);
    accepted.take();
    return { proof: dialled.take(), accepted };
  };
  // An attacker with id 9 returns the proof that the server made for id 9.
  const { proof, accepted } = proofOf(9, 2);
  assert.equal(proof.length, 32);
  accepted.receive(greeting(9, 1), 0);
  assert.throws(() => accepted.receive(proof, 0), /has another secret/);
  // Another server's proof for one nonce is not valid for another nonce.
  const honest = pair("s3cret", "s3cret");
  honest.a.receive(honest.b.take(), 0);
  const words = honest.a.take();
  const other = linkOfServer(false, 3);
  other.receive(words.subarray(0, 72), 0);
  assert.throws(() => other.receive(words.subarray(72), 0), /has another secret/);
});

/** Two servers with the same secret, and an attacker between them that alters the bytes after the proofs. */
function carriedAcross(change: (bytes: Uint8Array, toB: boolean) => Uint8Array[]) {
  const ends = pair("s3cret", "s3cret");
  carry(ends);
  ends.a.send("reboot", new Uint8Array(8), 0);
  ends.b.send("reply", new Uint8Array(8), 0);
  for (const part of change(ends.a.take(), true)) ends.b.receive(part, 0);
  for (const part of change(ends.b.take(), false)) ends.a.receive(part, 0);
  return ends;
}

Deno.test("Link refuses messages that an attacker between two servers forges, repeats, reflects or drops", () => {
  const { aLog, bLog } = carriedAcross((bytes) => [bytes]);
  assert.equal(aLog.lines.at(-1), "reply 0000000000000000");
  assert.equal(bLog.lines.at(-1), "reboot 0000000000000000");
  const changed = /failed its integrity check/;
  // A changed byte of the message, and of its MAC; a forged message; a repeated one; a reflected one.
  assert.throws(() => carriedAcross((bytes) => [bytes.with(-1, 1)]), changed);
  assert.throws(() => carriedAcross((bytes) => [bytes.with(4, bytes[4] ^ 1)]), changed);
  const own = Uint8Array.of(0, 0, 0, 5, ...new Uint8Array(16), ...frame("x"));
  assert.throws(() => carriedAcross(() => [own.with(3, own.length - 20)]), changed);
  assert.throws(() => carriedAcross((bytes) => [bytes, bytes]), changed);
  let toB: Uint8Array | undefined;
  assert.throws(
    () => carriedAcross((bytes, isToB) => isToB ? (toB = bytes, [bytes]) : [toB!]),
    changed,
  );
  const ends = pair("s3cret", "s3cret");
  carry(ends);
  ends.a.send("first", new Uint8Array(1), 0);
  ends.a.take(); // dropped
  ends.a.send("second", new Uint8Array(1), 0);
  assert.throws(() => ends.b.receive(ends.a.take(), 0), changed);
  assert.throws(
    () => ends.a.receive(Uint8Array.of(0, 1, 0, 1, ...new Uint8Array(16)), 0),
    /record of 65537 bytes/,
  );
});

Deno.test("Link receives a signed message of 300,000 bytes in pieces, and buffers only received bytes", () => {
  const ends = pair("s3cret", "s3cret");
  carry(ends);
  const payload = Uint8Array.from({ length: 300_000 }, (_, i) => i);
  ends.a.send("large", payload, 0);
  const bytes = ends.a.take();
  for (let at = 0; at < bytes.length; at += 1_000) {
    ends.b.receive(bytes.subarray(at, at + 1_000), 0);
    assert.ok(ends.b.buffered <= at + 1_000);
  }
  assert.equal(ends.bLog.lines.at(-1), `large ${toHex(payload)}`);
  assert.equal(ends.b.buffered, 0);
});

const frame = (...parts: (string | number[])[]) => {
  const payload = parts.flatMap((part) =>
    typeof part === "string" ? [part.length, ...toUtf8(part)] : part
  );
  return Uint8Array.of(
    0,
    payload.length >> 16,
    (payload.length >> 8) & 255,
    payload.length & 255,
    ...payload,
  );
};
const identification = frame([0, 0, 0, 7, 0x90]);

Deno.test("Link reports another protocol if the first frame is not an identification", () => {
  for (
    const bytes of [
      "GET / HTTP/1.1\r\n",
      "\x00\x00\x00\x02\x00\x05",
      "\x00\x00\x00\x03\x01a\x05",
      "\x00\x01\x00\x01",
    ]
  ) {
    const { b } = pair();
    assert.throws(
      () => b.receive(toUtf8(bytes), 0),
      /speaks another protocol/,
      JSON.stringify(bytes),
    );
    assert.ok(b.buffered <= 65_540);
  }
});

Deno.test("Link limits properties to 64, paths to 4,096 per 10 s, and texts to 4,096 bytes", () => {
  const identified = () => {
    const { b } = pair();
    b.receive(identification, 0);
    return b;
  };
  const many = Array.from({ length: 65 }, (_, i) => [`p${i}`, "v"]).flat();
  assert.throws(() => pair().b.receive(frame([0, 0, 0, 7, 0x90], ...many), 0), WireError);
  assert.throws(() => identified().receive(frame([0, 0, 0, 7, 0x90], ...many), 0), /64 properties/);
  assert.throws(
    () => identified().receive(frame(".", [0x81, 0x20, ...new Array(4097).fill(65)]), 0),
    /text of 4097 bytes/,
  );
  const paths = (count: number) => frame(".", new Array(count).fill(0));
  const link = identified();
  link.receive(paths(4096), 0);
  assert.throws(() => link.receive(paths(1), 9_999), /4096 paths in 10 s/);
  const patient = identified();
  patient.receive(paths(4096), 0);
  patient.receive(paths(4096), 10_000);
  assert.throws(() => identified().receive(paths(4097), 0), /4096 paths/);
});

Deno.test("Link throws WireError after 1,000 unreadable messages in 10 s", () => {
  class Strict extends Log {
    override onMessage(_handler: string, payload: Uint8Array): boolean {
      return payload.length > 0;
    }
  }
  const link = new Link({
    initiator: false,
    identity: publicAddress("pub.example:1987"),
    handler: new Strict(),
    paths: [""],
  }, 0);
  link.receive(identification, 0);
  const unreadable = frame([1, 104]);
  for (let i = 0; i < 1_000; i++) link.receive(i === 0 ? unreadable : frame([0, 1]), 0);
  link.receive(frame([0, 1, 5]), 1);
  assert.throws(() => link.receive(frame([0, 1]), 9_999), /1000 unreadable messages in 10 s/);
});

Deno.test("Link announces applications that started before the identification after it", () => {
  const ends = pair("s", "s");
  ends.b.announce(["/late"], 0);
  carry(ends);
  assert.ok(ends.aLog.lines.includes('running ["","/chat","/late"]'));
});

Deno.test("Link.tick() reports a link without identification for 5 s, or silent for more than 30 s", () => {
  const ends = pair();
  assert.equal(ends.a.tick(5_000), undefined);
  assert.match(ends.a.tick(5_001)!, /no identification/);
  carry(ends, 5_000);
  for (let now = 6_000; now <= 30_000; now += 2_000) {
    assert.equal(ends.a.tick(now), undefined);
    assert.equal(ends.b.tick(now), undefined);
    carry(ends, now);
  }
  assert.equal(ends.a.tick(60_000), undefined, "30 s of silence are allowed");
  assert.match(ends.a.tick(66_000)!, /silent/);
});

Deno.test("Link.tick() keeps a link to the original program, which sends no heartbeats", () => {
  const { b } = pair();
  b.receive(fromHex("00000005 0000 00 078f"), 0);
  assert.equal(b.tick(3_600_000), undefined);
});
