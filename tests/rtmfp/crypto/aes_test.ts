import assert from "node:assert/strict";
import { createCipheriv, createDecipheriv } from "node:crypto";
import { fromHex, toHex } from "../../../src/bytes/hex.ts";
import { UNENCRYPTED } from "../../../src/rtmfp/crypto/backend.ts";
import { aesModule } from "../../../src/rtmfp/crypto/aes_code.ts";
import { checksum } from "../../../src/rtmfp/crypto/checksum.ts";
import { portable } from "../../../src/rtmfp/crypto/portable.ts";
import { seeded, seededBytes } from "../../support/random.ts";
import { vector } from "../../support/vectors.ts";

Deno.test("The portable AES-128 reproduces the examples of FIPS 197, appendices B and C.1", () => {
  for (
    const [key, plain, cipher] of [
      [
        "2b7e151628aed2a6abf7158809cf4f3c",
        "3243f6a8885a308d313198a2e0370734",
        "3925841d02dc09fbdc118597196a0b32",
      ],
      [
        "000102030405060708090a0b0c0d0e0f",
        "00112233445566778899aabbccddeeff",
        "69c4e0d86a7b0430d8cdb78070b4c55a",
      ],
    ]
  ) {
    const aes = portable.aes(fromHex(key));
    const buffer = fromHex(plain);
    aes.encrypt(buffer, 0, 16);
    assert.equal(toHex(buffer), cipher);
    aes.decrypt(buffer, 0, 16);
    assert.equal(toHex(buffer), plain);
  }
});

Deno.test("vector:aes-default-key: the portable AES-128 encrypts and decrypts with the default key in place, and changes no byte around", () => {
  const { key, cases } = vector("aes-default-key");
  const aes = portable.aes(fromHex(key));
  for (const { plain, cipher } of cases) {
    const buffer = fromHex(`abcdef${plain}0123`);
    const end = buffer.length - 2;
    aes.encrypt(buffer, 3, end);
    assert.equal(toHex(buffer), `abcdef${cipher}0123`);
    aes.decrypt(buffer, 3, end);
    assert.equal(toHex(buffer), `abcdef${plain}0123`);
  }
});

Deno.test("The portable AES-128-CBC agrees with OpenSSL on random keys, lengths and alignments", () => {
  const next = seeded(197);
  const random = seededBytes(38);
  for (let round = 0; round < 300; round++) {
    const key = random(16);
    const aes = portable.aes(key);
    for (let packet = 0; packet < 3; packet++) {
      const plain = random(16 * Math.floor(1 + next() * 80));
      const start = Math.floor(next() * 9);
      const end = start + plain.length;
      const buffer = new Uint8Array(end + 5);
      buffer.set(plain, start);
      const reference = createCipheriv("aes-128-cbc", key, new Uint8Array(16));
      reference.setAutoPadding(false);
      const expected = new Uint8Array(Buffer.concat([reference.update(plain), reference.final()]));
      aes.encrypt(buffer, start, end);
      assert.deepEqual(buffer.slice(start, end), expected);
      aes.decrypt(buffer, start, end);
      assert.deepEqual(buffer.slice(start, end), plain);
      const back = createDecipheriv("aes-128-cbc", key, new Uint8Array(16));
      back.setAutoPadding(false);
      buffer.set(plain, start); // decryption of arbitrary bytes
      aes.decrypt(buffer, start, end);
      const decrypted = new Uint8Array(Buffer.concat([back.update(plain), back.final()]));
      assert.deepEqual(buffer.slice(start, end), decrypted);
    }
    aes.free();
  }
});

/** OpenSSL's result for whole blocks. */
function openssl(key: Uint8Array, plain: Uint8Array): Uint8Array {
  const cipher = createCipheriv("aes-128-cbc", key, new Uint8Array(16)).setAutoPadding(false);
  return new Uint8Array(Buffer.concat([cipher.update(plain), cipher.final()]));
}

Deno.test("The portable AES-128 changes no byte outside its range, for each length up to 4,096 bytes", () => {
  const next = seeded(128);
  const random = seededBytes(3602);
  for (let length = 0; length <= 4_096; length += 16) {
    const aes = portable.aes(random(16));
    const key = random(16);
    const other = portable.aes(key);
    const start = [4, 5, 15, 16, Math.floor(next() * 3_000)][(length / 16) % 5];
    const whole = random(start + length + [0, 1, 900][(length / 16) % 3]);
    const plain = whole.slice(start, start + length);
    const expected = whole.slice();
    expected.set(openssl(key, plain), start);
    const buffer = new Uint8Array(whole.length + 3).subarray(3); // does not begin at the start of its memory
    buffer.set(whole);
    other.encrypt(buffer, start, start + length);
    assert.deepEqual(buffer, expected, `${length} bytes at ${start} of ${whole.length}`);
    other.decrypt(buffer, start, start + length);
    assert.deepEqual(buffer, whole, `${length} bytes at ${start} of ${whole.length}`);
    aes.encrypt(buffer, start, start + length);
    aes.decrypt(buffer, start, start + length);
    assert.deepEqual(buffer, whole);
  }
});

Deno.test("The portable AES-128 keeps 1,000 keys apart that encrypt and decrypt in turns", () => {
  const next = seeded(16);
  const random = seededBytes(2);
  const sessions = Array.from({ length: 1_000 }, () => {
    const key = random(16);
    const plain = random(48);
    return { aes: portable.aes(key), plain, cipher: openssl(key, plain) };
  });
  for (let turn = 0; turn < 10_000; turn++) {
    const { aes, plain, cipher } = sessions[Math.floor(next() * sessions.length)];
    const encrypts = next() < 0.5;
    const buffer = (encrypts ? plain : cipher).slice();
    if (encrypts) aes.encrypt(buffer, 0, 48);
    else aes.decrypt(buffer, 0, 48);
    assert.equal(toHex(buffer), toHex(encrypts ? cipher : plain));
  }
});

/** Encrypts packets of `lengths` bytes in a batch, each with its own key, and compares them with OpenSSL. */
function together(lengths: readonly number[], random: (length: number) => Uint8Array): void {
  const { batch } = portable;
  const packets = lengths.map((length) => ({ key: random(16), plain: random(length) }));
  for (const [i, { key, plain }] of packets.entries()) {
    const aes = portable.aes(key);
    if (i % 3 === 1) aes.decrypt(random(32), 0, 32); // a key that was used for the other direction
    batch!.buffers[i].set(plain, UNENCRYPTED);
    const sum = batch!.checksum(i, UNENCRYPTED + plain.length);
    assert.equal(sum, checksum(plain, 0, plain.length), `${lengths}: sum ${i}`);
    batch!.add(i, aes, UNENCRYPTED + plain.length);
    aes.free();
  }
  portable.aes(random(16)).encrypt(random(2_000), 4, 1_988); // uses a separate buffer
  batch!.run();
  for (const [i, { key, plain }] of packets.entries()) {
    const sealed = batch!.buffers[i].slice(UNENCRYPTED, UNENCRYPTED + plain.length);
    assert.deepEqual(sealed, openssl(key, plain), `${lengths}: packet ${i}`);
  }
}

Deno.test("Batch of any number of packets encrypts each packet like OpenSSL, with equal or mixed lengths", () => {
  const next = seeded(2009);
  const random = seededBytes(45);
  const most = portable.batch!.buffers.length;
  for (let count = most; count > 0; count--) { // fewer packets than in earlier batches
    together(Array(count).fill(1_184), random);
    for (let round = 0; round < 10; round++) {
      together(Array.from({ length: count }, () => 16 * Math.floor(1 + next() * 127)), random);
    }
    together(Array.from({ length: count }, (_, i) => i % 2 === 0 ? 16 : 2_032), random);
  }
  together([], random);
});

Deno.test("Batch encrypts packets of every length up to 2,032 bytes, alone and beside others", () => {
  const random = seededBytes(46);
  for (let length = 16; length <= 2_032; length += 16) {
    together([length], random);
    together([32, length, 1_184], random);
    together([length, 1_184, 16, 608, length, 800], random);
  }
});

Deno.test("aesModule() returns the same module and constants when called twice", () => {
  const [first, second] = [aesModule(2), aesModule(2)].map(({ binary, constants }) => {
    return { binary, size: constants.length };
  });
  assert.deepEqual(second, first);
});

Deno.test("The portable AES-128 throws RangeError for a key of 32 bytes", () => {
  assert.throws(() => portable.aes(new Uint8Array(32)), RangeError);
});
