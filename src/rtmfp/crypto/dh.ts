// Diffie-Hellman key agreement. RFC 7425 §4.2, §4.6.2. Numbers are sent, and enter key derivation,
// big-endian without leading zero bytes.
import { toHex } from "../../bytes/hex.ts";
import type { Random } from "./backend.ts";
import { type Group, type GroupId, groupOf, groups } from "./dh_groups.ts";
import { FixedBase, power } from "./power.ts";

export interface KeyPair {
  readonly group: GroupId;
  /** Big-endian, of the full length of the group. */
  readonly publicKey: Uint8Array;
  /** Big-endian. */
  readonly privateKey: Uint8Array;
}

/** Makes key pairs and shared secrets, on this thread or another. */
export interface KeyAgreement {
  /** A key pair for one handshake; under load several may get the same one. */
  keyPair(group: GroupId): KeyPair;
  /**
   * Computes the secret that a pair shares with a far end and gives it to `done`, at once or later;
   * until then the public value must not change. The secret is undefined if the far end's public
   * value is not acceptable.
   */
  agree(pair: KeyPair, farPublic: Uint8Array, done: (secret: Uint8Array | undefined) => void): void;
}

/** Computes at once, on this thread. */
export class DirectKeyAgreement implements KeyAgreement {
  readonly #random: Random;

  constructor(random: Random) {
    this.#random = random;
  }

  keyPair(group: GroupId): KeyPair {
    return generateKeyPair(group, this.#random);
  }

  agree(
    pair: KeyPair,
    farPublic: Uint8Array,
    done: (secret: Uint8Array | undefined) => void,
  ): void {
    done(sharedSecret(pair, farPublic));
  }
}

/**
 * Makes a key pair whose public key has no leading zero byte, as librtmfp accepts at most one byte less than the full length and older clients only the full length.
 *
 * @throws {Error} if `random` gives the same unusable bytes again and again
 */
export function generateKeyPair(id: GroupId, random: Random): KeyPair {
  const group = groups[id];
  for (let attempt = 0; attempt < 100; attempt++) {
    const privateKey = random(group.exponentBits / 8);
    privateKey[0]! |= 0x80; // never shorter than it should be
    const publicKey = publicKeyOf(id, privateKey);
    if (publicKey.length === group.size && acceptable(group, publicKey)) {
      return { group: id, publicKey, privateKey };
    }
  }
  throw new Error(`Cannot make a key pair of group ${id}: the source of randomness is stuck`);
}

/** The generator of all groups. */
const GENERATOR = 2n;
const generators = new Map<GroupId, FixedBase>();

/** The public key of a private exponent of any length, without leading zero bytes. */
export function publicKeyOf(id: GroupId, privateKey: Uint8Array): Uint8Array {
  const { prime, exponentBits } = groups[id];
  if (privateKey.length * 8 !== exponentBits) {
    return toBytes(power(GENERATOR, toBigInt(privateKey), prime));
  }
  let generator = generators.get(id);
  if (!generator) generators.set(id, generator = new FixedBase(GENERATOR, prime, exponentBits));
  return toBytes(generator.power(privateKey));
}

/**
 * The secret that a pair shares with a far end, without leading zero bytes.
 *
 * @returns undefined for an unacceptable public value
 */
export function sharedSecret(pair: KeyPair, farPublic: Uint8Array): Uint8Array | undefined {
  const group = groups[pair.group];
  if (!acceptable(group, farPublic)) return undefined;
  return toBytes(power(toBigInt(farPublic), toBigInt(pair.privateKey), group.prime));
}

/** Whether a far end may use this public value. */
export function acceptablePublic(groupId: number, publicKey: Uint8Array): boolean {
  const group = groupOf(groupId);
  return group !== undefined && acceptable(group, publicKey);
}

/** Binary logarithm of the minimum distance of a public value from 0 and from the prime. */
const MARGIN = 24;
/** Minimum number of one bits, and of zero bits, in a public value. */
const MIN_BITS = 16;
const onesOf = Uint8Array.from(
  { length: 256 },
  (_, byte) => byte.toString(2).split("1").length - 1,
);
const largest = new Map<GroupId, Uint8Array>();

/** Compares bytes, as every handshake calls it and BigInt costs more. */
function acceptable(group: Group, publicKey: Uint8Array): boolean {
  let first = 0;
  while (publicKey[first] === 0) first++;
  const length = publicKey.length - first;
  if (length > group.size || length <= MARGIN / 8) return false; // below 2 to the 24
  let ones = 0;
  for (const byte of publicKey) ones += onesOf[byte]!;
  if (ones < MIN_BITS || publicKey.length * 8 - ones < MIN_BITS) return false;
  if (length < group.size) return true;
  let most = largest.get(group.id);
  if (!most) largest.set(group.id, most = toBytes(group.prime - (1n << BigInt(MARGIN))));
  for (let i = 0; i < length; i++) {
    if (publicKey[first + i] !== most[i]) return publicKey[first + i]! < most[i]!;
  }
  return true;
}

function toBigInt(bytes: Uint8Array): bigint {
  return bytes.length > 0 ? BigInt(`0x${toHex(bytes)}`) : 0n;
}

function toBytes(value: bigint): Uint8Array {
  const hex = value.toString(16);
  return Uint8Array.fromHex(hex.length % 2 === 0 ? hex : `0${hex}`);
}
