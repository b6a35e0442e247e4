import assert from "node:assert/strict";
import { fromHex, toHex } from "../../../src/bytes/hex.ts";
import {
  acceptablePublic,
  DirectKeyAgreement,
  generateKeyPair,
  publicKeyOf,
  sharedSecret,
} from "../../../src/rtmfp/crypto/dh.ts";
import { type GroupId, groupOf, groups } from "../../../src/rtmfp/crypto/dh_groups.ts";
import { seededBytes } from "../../support/random.ts";
import { vector } from "../../support/vectors.ts";

const bytes = (hex: string) => fromHex(hex.length % 2 ? `0${hex}` : hex);

Deno.test("vector:dh-groups: groupOf() returns the primes of groups 2, 14 and 16", () => {
  let found = 0;
  for (const { group: id, bits, prime } of vector("dh-groups").cases) {
    const group = groupOf(id);
    if (!group) continue;
    assert.equal(group.prime.toString(16), prime);
    assert.equal(group.size * 8, bits);
    found++;
  }
  assert.equal(found, 3);
  for (const id of [0, 1, 5, 3.5, Infinity]) assert.equal(groupOf(id), undefined);
});

Deno.test("vector:dh: publicKeyOf() and sharedSecret() return the vector's bytes without leading zeros", () => {
  for (const test of vector("dh").cases) {
    const group = test.group as GroupId;
    const pair = (name: string) => ({
      group,
      privateKey: bytes(test[`${name}Private`]),
      publicKey: bytes(test[`${name}Public`]),
    });
    const [initiator, responder] = [pair("initiator"), pair("responder")];
    for (const { privateKey, publicKey } of [initiator, responder]) {
      assert.equal(toHex(publicKeyOf(group, privateKey)), toHex(publicKey), test.name);
    }
    assert.equal(toHex(sharedSecret(initiator, responder.publicKey)!), test.secret, test.name);
    assert.equal(toHex(sharedSecret(responder, initiator.publicKey)!), test.secret, test.name);
    assert.equal(test.secret.length / 2, test.secretLength);
  }
});

Deno.test("vector:dh-public-check: acceptablePublic() accepts exactly the valid public keys", () => {
  const pair = generateKeyPair(2, seededBytes(1));
  for (const { name, public: value, accept } of vector("dh-public-check").cases) {
    assert.equal(acceptablePublic(2, bytes(value)), accept, name);
    assert.equal(sharedSecret(pair, bytes(value)) !== undefined, accept, name);
  }
  assert.equal(acceptablePublic(2, new Uint8Array(0)), false);
  assert.equal(acceptablePublic(2, new Uint8Array(60_000).fill(0x55)), false);
  assert.equal(acceptablePublic(5, new Uint8Array(128).fill(0x55)), false);
  for (const id of [2, 14, 16] as const) {
    const { prime } = groups[id];
    const most = prime - 2n ** 24n;
    for (const [value, accept] of [[most, true], [most + 1n, false], [prime, false]] as const) {
      const far = bytes(value.toString(16));
      assert.equal(acceptablePublic(id, far), accept, `${id}: prime - ${prime - value}`);
    }
  }
  const padded = new Uint8Array(132);
  padded.set(pair.publicKey, 4);
  assert.equal(acceptablePublic(2, padded), true, "a valid key after leading zero bytes");
});

Deno.test("DirectKeyAgreement makes key pairs of full length with short exponents, which agree in every group", () => {
  const random = seededBytes(2409);
  const agreement = new DirectKeyAgreement(random);
  for (const id of [2, 14, 16] as const) {
    const [near, far] = [agreement.keyPair(id), agreement.keyPair(id)];
    assert.notDeepEqual(near.publicKey, far.publicKey);
    for (const { publicKey, privateKey } of [near, far]) {
      assert.equal(publicKey.length, groups[id].size);
      assert.notEqual(publicKey[0], 0);
      assert.equal(privateKey.length * 8, groups[id].exponentBits);
    }
    const secrets: (Uint8Array | undefined)[] = [];
    agreement.agree(near, far.publicKey, (secret) => secrets.push(secret));
    agreement.agree(far, near.publicKey, (secret) => secrets.push(secret));
    agreement.agree(far, Uint8Array.of(1), (secret) => secrets.push(secret));
    assert.deepEqual(secrets[0], secrets[1]);
    assert.notEqual(secrets[0]![0], 0);
    assert.equal(secrets[2], undefined);
  }
});

Deno.test("generateKeyPair() discards a key pair with a short public key", () => {
  // Searches an exponent with its most significant bit set, as every private key has it, whose
  // public key has a leading zero byte.
  const random = seededBytes(77);
  let short: Uint8Array | undefined;
  while (!short) {
    const candidate = random(28);
    candidate[0] |= 0x80;
    if (publicKeyOf(2, candidate).length < 128) short = candidate;
  }
  const given = [short, random(28)];
  const pair = generateKeyPair(2, () => given.shift()!);
  assert.equal(given.length, 0);
  assert.equal(pair.publicKey.length, 128);
  assert.throws(() => generateKeyPair(2, () => short.slice()), /stuck/);
});
