import assert from "node:assert/strict";
import { toHex } from "../../../src/bytes/hex.ts";
import { groups } from "../../../src/rtmfp/crypto/dh_groups.ts";
import { FixedBase, power } from "../../../src/rtmfp/crypto/power.ts";
import { seededBytes } from "../../support/random.ts";

/** The definition of a power, as repeated multiplication. */
function simple(base: bigint, exponent: number, modulus: bigint): bigint {
  let result = 1n % modulus;
  for (let i = 0; i < exponent; i++) result = result * base % modulus;
  return result;
}

Deno.test("power() follows its definition for small numbers, and for exponent 0", () => {
  for (const modulus of [7n, 97n, 65537n]) {
    for (let base = 0n; base < 6n; base++) {
      for (const exponent of [0, 1, 2, 15, 16, 17, 255, 256, 300]) {
        assert.equal(power(base, BigInt(exponent), modulus), simple(base, exponent, modulus));
      }
    }
  }
});

Deno.test("power() satisfies Fermat's little theorem for the primes of the groups", () => {
  for (const { prime } of [groups[2], groups[14]]) {
    assert.equal(power(0x1234_5678_9abcn, prime - 1n, prime), 1n);
    assert.equal(power(2n, (prime - 1n) / 2n, prime), 1n, "2 is a square");
  }
});

Deno.test("FixedBase.power() equals power() for base 2", () => {
  const random = seededBytes(14117);
  for (const { prime, exponentBits } of Object.values(groups)) {
    const generator = new FixedBase(2n, prime, exponentBits);
    const exponents = [random(exponentBits / 8), random(exponentBits / 8)];
    exponents.push(new Uint8Array(exponentBits / 8), new Uint8Array(exponentBits / 8).fill(0xff));
    for (const exponent of exponents) {
      assert.equal(generator.power(exponent), power(2n, BigInt(`0x${toHex(exponent)}`), prime));
    }
  }
});
