import assert from "node:assert/strict";
import { fromHex, toHex } from "../../../src/bytes/hex.ts";
import {
  type Drop,
  PacketCipher,
  sessionIdOf,
  startupCipher,
} from "../../../src/rtmfp/crypto/packet_cipher.ts";
import { plainBackend } from "../../support/plain_backend.ts";
import { portable } from "../../../src/rtmfp/crypto/portable.ts";
import { ReplayWindow } from "../../../src/rtmfp/crypto/replay_window.ts";
import {
  deriveKeys,
  sessionCipher,
  type SessionKeys,
} from "../../../src/rtmfp/crypto/session_keys.ts";
import { PacketReader } from "../../../src/rtmfp/wire/packet.ts";
import { seeded, seededBytes } from "../../support/random.ts";
import { vector } from "../../support/vectors.ts";

/** The datagram of a packet. */
function seal(cipher: PacketCipher, packet: Uint8Array, sessionId: number): Uint8Array {
  const slot = new Uint8Array(4096).fill(0xee);
  const start = cipher.headroom;
  slot.set(packet, start);
  return slot.slice(0, cipher.seal(slot, start + packet.length, sessionId));
}

const keysOf = (id: string): SessionKeys => {
  const { dhSecret, initiatorComponent, responderComponent } = vector(id);
  const [secret, i, r] = [dhSecret, initiatorComponent, responderComponent].map(fromHex);
  return deriveKeys(portable, secret, i, r);
};

const checksums = { hmacOut: 0, hmacIn: 0, sequenceOut: false, sequenceIn: false };

for (
  const id of [
    "pkt-ihello",
    "pkt-ihello-long-url",
    "pkt-ihello-p2p",
    "pkt-rhello",
    "pkt-iikeying",
    "pkt-rikeying",
    "pkt-cookie-change",
    "pkt-redirect",
    "pkt-redirect-implied",
  ]
) {
  Deno.test(`vector:${id}: PacketCipher seals and opens the datagram with the default key`, () => {
    const { packet, datagram, sessionId } = vector(id);
    const cipher = startupCipher(portable);
    const sealed = seal(cipher, fromHex(packet), parseInt(sessionId, 16));
    assert.equal(toHex(sealed), datagram);
    assert.equal(sessionIdOf(sealed), parseInt(sessionId, 16));
    const opened = cipher.open(sealed)!;
    assert.match(toHex(opened), new RegExp(`^${packet}(ff){0,15}$`));
  });
}

for (
  const id of [
    "pkt-session-connect",
    "pkt-session-result",
    "pkt-session-result-tcr",
    "pkt-session-closeack",
  ]
) {
  Deno.test(`vector:${id}: PacketCipher seals and opens the datagram with the session's keys`, () => {
    const { packet, datagram, sessionId, direction } = vector(id);
    const keys = keysOf("session-keys");
    const initiator = sessionCipher(portable, keys, checksums, "initiator");
    const responder = sessionCipher(portable, keys, checksums, "responder");
    const [near, far] = direction.startsWith("initiator")
      ? [initiator, responder]
      : [responder, initiator];
    const sealed = seal(near, fromHex(packet), parseInt(sessionId, 16));
    assert.equal(toHex(sealed), datagram);
    assert.match(toHex(far.open(sealed)!), new RegExp(`^${packet}(ff){0,15}$`));
    assert.equal(near.open(fromHex(datagram)), undefined, "the other direction has another key");
    assert.equal(near.dropped, "checksum");
  });
}

for (
  const [id, keySet] of [
    ["pkt-hmac-sseq-a", "session-keys-hmac"],
    ["pkt-hmac-sseq-b", "session-keys-hmac"],
    ["pkt-hmac-sseq-c", "session-keys-hmac"],
    ["pkt-hmac-sseq-reply", "session-keys-hmac"],
    ["pkt-sseq-no-hmac", "session-keys"],
    ["pkt-hmac-no-sseq", "session-keys"],
  ]
) {
  Deno.test(`vector:${id}: PacketCipher seals and opens the datagram with the negotiated HMAC and sequence number`, () => {
    const { packet, datagram, sessionId, direction, sequence, hmacLength = 0 } = vector(id);
    const keys = keysOf(keySet);
    const sequences = sequence !== undefined;
    const out = { ...checksums, hmacOut: hmacLength, sequenceOut: sequences };
    const into = { ...checksums, hmacIn: hmacLength, sequenceIn: sequences };
    const toResponder = direction.startsWith("initiator");
    const near = sessionCipher(portable, keys, out, toResponder ? "initiator" : "responder");
    const far = sessionCipher(portable, keys, into, toResponder ? "responder" : "initiator");
    for (let i = 0; i < sequence; i++) seal(near, fromHex("0d"), 1);
    const sealed = seal(near, fromHex(packet), parseInt(sessionId, 16));
    assert.equal(toHex(sealed), datagram);
    const length = sealed.length;
    const opened = far.open(sealed)!;
    assert.match(toHex(opened), new RegExp(`^${packet}(ff){0,15}$`));
    assert.equal(length, 4 + 16 + hmacLength);

    const again = far.open(fromHex(datagram));
    if (sequences) assert.deepEqual([again, far.dropped], [undefined, "replay"]);
    else assert.equal(toHex(again!), toHex(opened));
    const changed = fromHex(datagram);
    changed[7] ^= 1;
    assert.equal(far.open(changed), undefined);
    assert.equal(far.dropped, hmacLength ? "hmac" : "checksum");
  });
}

Deno.test("vector:scramble: sessionIdOf() returns the session id of each datagram", () => {
  for (const { sessionId, ciphertextFirst8, datagramFirst4 } of vector("scramble").cases) {
    const datagram = fromHex(datagramFirst4 + ciphertextFirst8);
    assert.equal(sessionIdOf(datagram), parseInt(sessionId, 16));
  }
  assert.equal(sessionIdOf(fromHex("01020304 00000001")), 0x01020305, "missing bytes are zero");
  assert.equal(sessionIdOf(fromHex("")), 0);
});

Deno.test("vector:drop: PacketCipher refuses damaged datagrams, and opens the others", () => {
  const reasons: Record<string, Drop> = {
    "ciphertext bit flipped in the third block (checksum fails)": "checksum",
    "bit flipped in the first ciphertext word (the session ID comes out wrong)": "checksum",
    "ciphertext length not a multiple of 16": "size",
    "datagram shorter than one block": "size",
    "empty datagram": "size",
  };
  const cipher = startupCipher(portable);
  for (const { name, datagram } of vector("drop").cases) {
    const packet = cipher.open(fromHex(datagram));
    assert.equal(packet === undefined ? cipher.dropped : undefined, reasons[name], name);
    if (name === "mode 0 header") assert.throws(() => new PacketReader().open(packet!));
  }
});

Deno.test("vector:sseq-window: ReplayWindow accepts exactly the vector's numbers", () => {
  const { sequence, accept } = vector("sseq-window");
  const window = new ReplayWindow();
  assert.deepEqual(sequence.map((number: number) => window.accept(number)), accept);
});

Deno.test("ReplayWindow accepts each number once if it is less than 32 below the highest", () => {
  const next = seeded(32);
  for (let round = 0; round < 50; round++) {
    const window = new ReplayWindow();
    const seen = new Set<number>();
    let highest = -1;
    for (let step = 0, base = 0; step < 300; step++) {
      base += next() * (step % 50 === 0 ? 90 : 2);
      const number = Math.max(0, Math.floor(base - next() * 40));
      const expected = !seen.has(number) && highest - number < 32;
      assert.equal(window.accept(number), expected, `${number} after ${highest}`);
      seen.add(number);
      highest = Math.max(highest, number);
    }
  }
  const window = new ReplayWindow();
  const last = Number.MAX_SAFE_INTEGER;
  assert.deepEqual([window.accept(last), window.accept(last), window.accept(last - 1)], [
    true,
    false,
    true,
  ]);
});

Deno.test("PacketCipher refuses a changed, truncated or longer datagram, and opens the next one", () => {
  for (const hmac of [0, 4, 10, 16, 32]) {
    for (const sequence of [false, true]) {
      const protection = {
        hmacOut: hmac,
        hmacIn: hmac,
        sequenceOut: sequence,
        sequenceIn: sequence,
      };
      const keys = keysOf("session-keys-hmac");
      const near = sessionCipher(portable, keys, protection, "initiator");
      const far = sessionCipher(portable, keys, protection, "responder");
      const packet = seededBytes(hmac)(47);
      const sealed = seal(near, packet, 5);
      for (let i = 4; i < sealed.length; i++) {
        const changed = sealed.slice();
        changed[i] ^= 1 << (i % 8);
        assert.equal(far.open(changed), undefined, `byte ${i}`);
        assert.notEqual(far.dropped, "replay");
      }
      for (let length = 0; length < sealed.length; length++) {
        assert.equal(far.open(sealed.slice(0, length)), undefined, `${length} bytes`);
      }
      for (const more of [1, 16]) {
        const longer = new Uint8Array(sealed.length + more);
        longer.set(sealed);
        assert.equal(far.open(longer), undefined);
      }
      assert.deepEqual(far.open(sealed)!.slice(0, packet.length), packet);
    }
  }
});

Deno.test("PacketCipher.maxPacket() returns the longest packet for a datagram size in bytes", () => {
  const keys = keysOf("session-keys");
  for (const hmac of [0, 10, 16]) {
    for (const sequence of [false, true]) {
      const protection = { ...checksums, hmacOut: hmac, sequenceOut: sequence };
      const cipher = sessionCipher(portable, keys, protection, "responder");
      for (let size = 60; size < 1200; size += 7) {
        const largest = new Uint8Array(cipher.maxPacket(size));
        assert.ok(seal(cipher, largest, 1).length <= size, `${size}`);
        const one = new Uint8Array(cipher.maxPacket(size) + 1);
        assert.ok(seal(cipher, one, 1).length > size, `${size}`);
      }
    }
  }
});

Deno.test("PacketCipher.seal() throws RangeError without room for padding and HMAC", () => {
  const cipher = startupCipher(portable);
  const slot = new Uint8Array(4 + 16);
  assert.equal(cipher.seal(slot, 20, 0), 20);
  assert.throws(() => cipher.seal(slot.subarray(0, 19), 10, 0), RangeError);
});

Deno.test("PacketCipher refuses a datagram with a truncated sequence number", () => {
  const aes = plainBackend(portable).aes(new Uint8Array(16));
  const hmac = { hmac: portable.hmacSha256(new Uint8Array(1)), length: 4 };
  const cipher = new PacketCipher({ aes, hmac }, { aes, hmac, sequence: true });
  const sealed = seal(cipher, new Uint8Array(16).fill(0xff), 1);
  assert.deepEqual([cipher.open(sealed), cipher.dropped], [undefined, "sequence"]);
});

Deno.test("plainBackend() does not encrypt, but PacketCipher still checks the checksum", () => {
  const cipher = startupCipher(plainBackend(portable));
  const sealed = seal(cipher, fromHex("0b0000 0c0000"), 7);
  assert.equal(toHex(sealed.slice(6, 12)), "0b00000c0000");
  assert.equal(sessionIdOf(sealed), 7);
  assert.ok(cipher.open(sealed.slice()));
  sealed[10] ^= 1;
  assert.deepEqual([cipher.open(sealed), cipher.dropped], [undefined, "checksum"]);
});
