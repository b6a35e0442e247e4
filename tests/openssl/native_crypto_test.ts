import assert from "node:assert/strict";
import { createCipheriv, createHash, createHmac, randomBytes } from "node:crypto";
import { type Libcrypto, openLibcrypto } from "../../src/openssl/libcrypto.ts";
import { NativeCrypto } from "../../src/openssl/native_crypto.ts";
import { NativePowers } from "../../src/openssl/native_powers.ts";
import type { CryptoBackend } from "../../src/rtmfp/crypto/backend.ts";
import { generateKeyPair, publicKeyOf, sharedSecret } from "../../src/rtmfp/crypto/dh.ts";
import { type GroupId, groups } from "../../src/rtmfp/crypto/dh_groups.ts";
import { portable } from "../../src/rtmfp/crypto/portable.ts";

let library: Libcrypto | undefined;
try {
  library = openLibcrypto();
} catch {
  // Machines without libcrypto use the portable back-end; these tests are ignored there.
}
const ignore = library === undefined;
const random = (length: number) => new Uint8Array(randomBytes(length));

Deno.test({
  name: "NativeCrypto encrypts and decrypts AES-128-CBC like node:crypto, in consecutive calls",
  ignore,
}, () => {
  const native: CryptoBackend = new NativeCrypto(library!);
  for (let keys = 0; keys < 20; keys++) {
    const key = random(16);
    const aes = native.aes(key);
    for (let round = 0; round < 50; round++) {
      const length = 16 * Math.floor(Math.random() * 90);
      const before = Math.floor(Math.random() * 10);
      const plain = random(before + length + 5);
      const buffer = plain.slice();
      aes.encrypt(buffer, before, before + length);
      const cipher = createCipheriv("aes-128-cbc", key, new Uint8Array(16)).setAutoPadding(false);
      const expected = plain.slice();
      expected.set(cipher.update(plain.subarray(before, before + length)), before);
      cipher.final();
      assert.deepEqual(buffer, expected);
      const theirs = buffer.slice();
      portable.aes(key).decrypt(theirs, before, before + length);
      assert.deepEqual(theirs, plain);
      aes.decrypt(buffer, before, before + length);
      assert.deepEqual(buffer, plain);
    }
    aes.free();
  }
});

Deno.test(
  { name: "NativeCrypto refuses partial AES blocks, and later calls work", ignore },
  () => {
    const aes = new NativeCrypto(library!).aes(random(16));
    assert.throws(() => new NativeCrypto(library!).aes(random(15)), RangeError);
    const reference = random(64);
    const sealed = reference.slice();
    aes.encrypt(sealed, 0, 64);
    for (const [start, end] of [[0, 80], [16, 8], [0, 33], [0, 15]]) {
      assert.throws(() => aes.encrypt(random(64), start, end), RangeError);
      assert.throws(() => aes.decrypt(random(64), start, end), RangeError);
    }
    const again = reference.slice();
    aes.encrypt(again, 0, 64);
    assert.deepEqual(again, sealed);
    aes.decrypt(again, 0, 64);
    assert.deepEqual(again, reference);
    aes.free();
  },
);

Deno.test(
  { name: "NativeCrypto computes the same HMAC-SHA256 and SHA-256 as node:crypto", ignore },
  () => {
    const native: CryptoBackend = new NativeCrypto(library!);
    for (const keyLength of [0, 1, 20, 32, 63, 64, 65, 200]) {
      const key = random(keyLength);
      const hmac = native.hmacSha256(key);
      for (const length of [0, 1, 55, 56, 63, 64, 65, 1200]) {
        const data = random(length + 7);
        assert.deepEqual(
          hmac.digest(data, 3, 3 + length).slice(),
          new Uint8Array(createHmac("sha256", key).update(data.subarray(3, 3 + length)).digest()),
        );
        assert.deepEqual(
          native.sha256(data),
          new Uint8Array(createHash("sha256").update(data).digest()),
        );
      }
      hmac.free();
    }
  },
);

Deno.test(
  { name: "NativeCrypto reuses freed AES contexts for other keys without mixing the keys", ignore },
  () => {
    const native: CryptoBackend = new NativeCrypto(library!);
    for (let round = 0; round < 4; round++) {
      const all = Array.from({ length: 100 }, () => {
        const key = random(16);
        return { native: native.aes(key), portable: portable.aes(key) };
      });
      for (const aes of [...all, ...all.toReversed()]) {
        const plain = random(160);
        const [sealed, expected] = [plain.slice(), plain.slice()];
        aes.native.encrypt(sealed, 0, 160);
        aes.portable.encrypt(expected, 0, 160);
        assert.deepEqual(sealed, expected);
        aes.native.decrypt(sealed, 0, 160);
        assert.deepEqual(sealed, plain);
      }
      for (const aes of all) aes.native.free();
    }
  },
);

Deno.test(
  { name: "NativeCrypto keeps other HMAC keys intact when a key is freed twice", ignore },
  () => {
    const native: CryptoBackend = new NativeCrypto(library!);
    const data = random(40);
    for (let round = 0; round < 50; round++) {
      const keys = Array.from({ length: 20 }, () => random(round));
      const hmacs = keys.map((key) => native.hmacSha256(key));
      for (const [i, key] of keys.entries()) {
        const expected = createHmac("sha256", key).update(data).digest().toString("hex");
        assert.equal(hmacs[i].digest(data, 0, 40).toHex(), expected);
        if (i % 2 === 0) continue;
        hmacs[i].free();
        hmacs[i].free();
        assert.throws(() => hmacs[i].digest(data, 0, 40), /freed/);
      }
    }
  },
);

Deno.test({
  name: "NativePowers computes the same Diffie-Hellman keys and secrets as the portable code",
  ignore,
}, async () => {
  for (const id of [2, 14, 16] as GroupId[]) {
    const powers = new NativePowers(library!, Uint8Array.fromHex(groups[id].prime.toString(16)));
    const near = generateKeyPair(id, random);
    const far = generateKeyPair(id, random);
    const wanted = [
      { base: Uint8Array.of(2), exponent: near.privateKey },
      { base: far.publicKey, exponent: near.privateKey },
    ];
    const one = await Promise.all(wanted.map((power) => powers.compute([power])));
    const [own, shared] = one.flat();
    if (powers.together === 2) assert.deepEqual(await powers.compute(wanted), [own, shared]);
    assert.deepEqual(own, publicKeyOf(id, near.privateKey));
    assert.deepEqual(shared, sharedSecret(near, far.publicKey));
    assert.deepEqual(await powers.compute([]), []);
  }
});
