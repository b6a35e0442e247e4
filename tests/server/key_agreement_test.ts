import assert from "node:assert/strict";
import { openLibcrypto } from "../../src/openssl/libcrypto.ts";
import {
  generateKeyPair,
  type KeyPair,
  publicKeyOf,
  sharedSecret,
} from "../../src/rtmfp/crypto/dh.ts";
import type { GroupId } from "../../src/rtmfp/crypto/dh_groups.ts";
import { PreparedKeyAgreement } from "../../src/server/key_agreement.ts";
import { sleep, until } from "../support/wait.ts";
import { LibraryPowers, type Power, type Powers, WorkerPowers } from "../../src/server/powers.ts";

const random = (length: number) => crypto.getRandomValues(new Uint8Array(length));

function prepare(powers: Powers, groups: GroupId[] = [2]) {
  const seen = { settled: 0, log: [] as string[], now: 0 };
  const agreement = new PreparedKeyAgreement(powers, {
    random,
    groups,
    now: () => seen.now,
    settle: () => seen.settled++,
    log: (text) => seen.log.push(text),
  });
  return { agreement, seen };
}

const agree = (agreement: PreparedKeyAgreement, pair: KeyPair, farPublic: Uint8Array) =>
  new Promise<Uint8Array | undefined>((resolve) => agreement.agree(pair, farPublic, resolve));

function library(): Powers | undefined {
  try {
    return new LibraryPowers(openLibcrypto());
  } catch {
    return undefined; // this machine has none
  }
}

for (const make of [() => new WorkerPowers(), library]) {
  Deno.test(`PreparedKeyAgreement computes the same secret as its far end by ${make === library ? "OpenSSL" : "a worker"}`, async () => {
    const powers = make();
    if (!powers) return;
    await powers.compute(2, [{ base: undefined, exponent: random(28) }]); // it runs
    const { agreement, seen } = prepare(powers, [2, 14]);
    for (const group of [2, 14] as const) {
      const pairs = Array.from({ length: 12 }, () => agreement.keyPair(group));
      for (const pair of pairs) {
        const far = generateKeyPair(group, random);
        assert.equal(pair.group, group);
        assert.deepEqual(
          await agree(agreement, pair, far.publicKey),
          sharedSecret(far, pair.publicKey),
        );
      }
      // Pairs are computed ahead again: two handshakes get two.
      let [one, other] = [agreement.keyPair(group), agreement.keyPair(group)];
      await until(() => {
        [one, other] = [agreement.keyPair(group), agreement.keyPair(group)];
        return one !== other;
      }, "two pairs");
      const zero = new Uint8Array(pairs[0].publicKey.length);
      assert.equal(await agree(agreement, one, zero), undefined);
    }
    assert.ok(seen.settled >= 24);
    assert.deepEqual(seen.log, []);
    agreement.close();
  });
}

/** Powers whose results the test delivers step by step. */
class HeldPowers implements Powers {
  readonly name = "held";
  ready = true;
  readonly parallel = 2;
  readonly held: { base: boolean; count: number; finish(): void; fail(): void }[] = [];

  constructor(readonly together = 1) {}

  compute(group: GroupId, wanted: readonly Power[]): Promise<Uint8Array[]> {
    return new Promise((resolve, reject) => {
      this.held.push({
        base: wanted[0].base !== undefined,
        count: wanted.length,
        finish: () =>
          resolve(
            wanted.map(({ base, exponent }) =>
              base
                ? sharedSecret({ group, publicKey: base, privateKey: exponent }, base)!
                : publicKeyOf(group, exponent)
            ),
          ),
        fail: () => reject(new Error("lost")),
      });
    });
  }

  close(): void {}
}

Deno.test("PreparedKeyAgreement computes secrets before key pairs, at most two at once", async () => {
  const powers = new HeldPowers();
  const { agreement } = prepare(powers);
  assert.deepEqual(powers.held.map(({ base }) => base), [false, false]);
  const [near, far] = [generateKeyPair(2, random), generateKeyPair(2, random)];
  let secret: Uint8Array | undefined;
  agreement.agree(near, far.publicKey, (result) => secret = result);
  assert.equal(powers.held.length, 2);
  powers.held[0].finish();
  await sleep(0);
  assert.deepEqual(powers.held.map(({ base }) => base), [false, false, true]);
  powers.held[2].finish();
  await sleep(0);
  assert.deepEqual(secret, sharedSecret(far, near.publicKey));
  agreement.close();
});

Deno.test("PreparedKeyAgreement computes waiting secrets of one group in one call", async () => {
  const powers = new HeldPowers(2);
  const { agreement } = prepare(powers, [2, 14]);
  assert.deepEqual(powers.held.map(({ count }) => count), [2, 2]);
  const near = generateKeyPair(2, random);
  const near14 = generateKeyPair(14, random);
  const fars = ([2, 2, 14, 2] as const).map((group) => generateKeyPair(group, random));
  const secrets = fars.map((far) =>
    agree(agreement, far.group === 2 ? near : near14, far.publicKey)
  );
  const handed: number[] = [];
  for (let at = 0; at < 5; at++) {
    const { base, count, finish } = powers.held[at];
    if (base) handed.push(count);
    finish();
    await sleep(0);
  }
  assert.deepEqual(handed, [2, 1, 1]);
  assert.deepEqual(
    await Promise.all(secrets),
    fars.map((far) => sharedSecret(far, far.group === 2 ? near.publicKey : near14.publicKey)),
  );
  agreement.close();
});

Deno.test("PreparedKeyAgreement delivers the secrets of other handshakes after an exception of one", async () => {
  const bugs: string[] = [];
  const note = (event: PromiseRejectionEvent) => {
    event.preventDefault();
    bugs.push((event.reason as Error).message);
  };
  addEventListener("unhandledrejection", note);
  const powers: Powers = {
    name: "two",
    ready: true,
    parallel: 1,
    together: 2,
    compute: (_, wanted) => Promise.resolve(wanted.map(() => random(128))),
    close: () => {},
  };
  const { agreement, seen } = prepare(powers, []);
  const [one, other, far] = [0, 1, 2].map(() => generateKeyPair(2, random));
  agreement.agree(one, far.publicKey, () => {}); // keeps the thread busy
  agreement.agree(one, far.publicKey, () => {
    throw new Error("of a handler");
  });
  const secret = await agree(agreement, other, far.publicKey);
  assert.equal(secret?.length, 128);
  await until(() => bugs.length > 0, "the rejection");
  assert.deepEqual([bugs, seen.settled], [["of a handler"], 2]);
  removeEventListener("unhandledrejection", note);
  agreement.close();
});

Deno.test("PreparedKeyAgreement computes keys on the event loop while the worker starts", async () => {
  const powers = new HeldPowers();
  powers.ready = false;
  const { agreement } = prepare(powers);
  const far = generateKeyPair(2, random);
  const [one, other] = [agreement.keyPair(2), agreement.keyPair(2)];
  assert.notEqual(one, other);
  assert.deepEqual(await agree(agreement, one, far.publicKey), sharedSecret(far, one.publicKey));
  agreement.close();
});

Deno.test("PreparedKeyAgreement shares a key pair among at most 101 handshakes, and at most 10 s", () => {
  const powers = new HeldPowers();
  const { agreement, seen } = prepare(powers);
  const first = agreement.keyPair(2);
  for (let i = 0; i < 100; i++) assert.equal(agreement.keyPair(2), first, `handshake ${i}`);
  const second = agreement.keyPair(2);
  assert.notEqual(second, first);
  seen.now += 10_001;
  assert.notEqual(agreement.keyPair(2), second);
  agreement.close();
});

Deno.test("PreparedKeyAgreement makes some 200 key pairs a second during a long rush", async () => {
  const powers = new HeldPowers();
  const { agreement, seen } = prepare(powers);
  const pairs = new Set<KeyPair>();
  let made = 0;
  for (let i = 0; i < 1000; i++, seen.now++) {
    for (; made < powers.held.length; made++) powers.held[made].finish();
    await sleep(0);
    pairs.add(agreement.keyPair(2));
  }
  assert.ok(pairs.size >= 200 && pairs.size <= 210, `${pairs.size} pairs in a second`);
  agreement.close();
});

Deno.test("PreparedKeyAgreement computes keys on the event loop after the worker failed, and logs it once", async () => {
  const powers = new HeldPowers();
  const { agreement, seen } = prepare(powers);
  const [near, far] = [generateKeyPair(2, random), generateKeyPair(2, random)];
  const secrets = [agree(agreement, near, far.publicKey), agree(agreement, near, far.publicKey)];
  for (const { fail } of powers.held) fail();
  const expected = sharedSecret(far, near.publicKey);
  assert.deepEqual(await Promise.all(secrets), [expected, expected]);
  assert.deepEqual(seen.log, ["Computing Diffie-Hellman on the event loop from now on: lost"]);
  assert.deepEqual(await agree(agreement, near, far.publicKey), expected);
  assert.notEqual(agreement.keyPair(2), agreement.keyPair(2));
  agreement.close();
});

Deno.test("PreparedKeyAgreement drops requests for secrets beyond its queue", async () => {
  const powers = new HeldPowers();
  const { agreement } = prepare(powers);
  const [near, far] = [generateKeyPair(2, random), generateKeyPair(2, random)];
  let given = 0;
  for (let i = 0; i < 2_100; i++) agreement.agree(near, far.publicKey, () => given++);
  assert.equal(given, 52);
  agreement.close();
  for (const { finish } of powers.held) finish();
  await sleep(0);
  assert.equal(given, 52, "nothing is told after the end");
});
