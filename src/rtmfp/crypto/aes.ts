// AES-128-CBC by table look-up. FIPS 197, with the four tables of the Rijndael proposal (§5.2.1).
// Table look-ups are not of constant time: who shares a processor cache with the server may learn
// about keys. The native back-end is.
import type { Aes128 } from "./backend.ts";

const ROUNDS = 10;

const sbox = new Uint8Array(256);
const inverseSbox = new Uint8Array(256);
// Each table is the one before, every word rotated by a byte.
const [e0, e1, e2, e3] = [0, 1, 2, 3].map(() => new Int32Array(256));
const [d0, d1, d2, d3] = [0, 1, 2, 3].map(() => new Int32Array(256));

/** Multiplies by x in GF(2^8) with x^8 + x^4 + x^3 + x + 1. */
const double = (a: number) => ((a << 1) ^ (a & 0x80 ? 0x11b : 0)) & 0xff;

/** Rotates a word to the right by `bits`. */
const rotate = (word: number, bits: number) => (word >>> bits) | (word << (32 - bits));

for (let i = 0, value = 1, inverse = 1; i < 255; i++) {
  // `value` runs through all that is not 0 as powers of 3, and `inverse` through those of 1/3.
  const affine = inverse | (inverse << 8);
  const s = ((affine ^ (affine >> 4) ^ (affine >> 5) ^ (affine >> 6) ^ (affine >> 7)) & 0xff) ^
    0x63;
  sbox[value] = s;
  value ^= double(value);
  inverse ^= inverse << 1;
  inverse ^= inverse << 2;
  inverse ^= inverse << 4;
  inverse &= 0xff;
  if (inverse & 0x80) inverse ^= 0x09;
}
sbox[0] = 0x63;
for (let i = 0; i < 256; i++) inverseSbox[sbox[i]] = i;
for (let i = 0; i < 256; i++) {
  const s = sbox[i];
  const s2 = double(s);
  const e = (s2 << 24) | (s << 16) | (s << 8) | (s2 ^ s);
  const v = inverseSbox[i];
  const [v2, v4, v8] = [double(v), double(double(v)), double(double(double(v)))];
  const d = ((v8 ^ v4 ^ v2) << 24) | ((v8 ^ v) << 16) | ((v8 ^ v4 ^ v) << 8) | (v8 ^ v2 ^ v);
  for (const [at, table] of [e0, e1, e2, e3].entries()) table[i] = rotate(e, 8 * at);
  for (const [at, table] of [d0, d1, d2, d3].entries()) table[i] = rotate(d, 8 * at);
}

const substitute = (word: number) =>
  (sbox[word >>> 24] << 24) | (sbox[(word >>> 16) & 255] << 16) |
  (sbox[(word >>> 8) & 255] << 8) | sbox[word & 255];

/** The 44 words of the key schedule. FIPS 197 §5.2. */
function expand(key: Uint8Array): Int32Array {
  const words = new Int32Array(4 * (ROUNDS + 1));
  for (let i = 0; i < 4; i++) {
    words[i] = (key[4 * i] << 24) | (key[4 * i + 1] << 16) | (key[4 * i + 2] << 8) | key[4 * i + 3];
  }
  for (let i = 4, constant = 1; i < words.length; i++) {
    let word = words[i - 1];
    if (i % 4 === 0) {
      word = substitute(rotate(word, 24)) ^ (constant << 24);
      constant = double(constant);
    }
    words[i] = words[i - 4] ^ word;
  }
  return words;
}

/** The schedule of the equivalent inverse cipher. FIPS 197 §5.3.5. */
function invert(schedule: Int32Array): Int32Array {
  const words = new Int32Array(schedule.length);
  for (let i = 0; i < words.length; i++) {
    const round = i >> 2;
    const word = schedule[4 * (ROUNDS - round) + (i & 3)];
    words[i] = round === 0 || round === ROUNDS ? word : d0[sbox[word >>> 24]] ^
      d1[sbox[(word >>> 16) & 255]] ^ d2[sbox[(word >>> 8) & 255]] ^ d3[sbox[word & 255]];
  }
  return words;
}

/** AES-128-CBC in TypeScript. */
export class TableAes implements Aes128 {
  readonly #encryption: Int32Array;
  readonly #decryption: Int32Array;

  constructor(key: Uint8Array) {
    if (key.length !== 16) throw new RangeError(`Cannot use an AES-128 key of ${key.length} bytes`);
    this.#encryption = expand(key);
    this.#decryption = invert(this.#encryption);
  }

  encrypt(buffer: Uint8Array, start: number, end: number): void {
    const k = this.#encryption;
    let a = 0, b = 0, c = 0, d = 0;
    for (let at = start; at < end; at += 16) {
      a ^= load(buffer, at) ^ k[0];
      b ^= load(buffer, at + 4) ^ k[1];
      c ^= load(buffer, at + 8) ^ k[2];
      d ^= load(buffer, at + 12) ^ k[3];
      for (let i = 4; i < 40; i += 4) {
        const a1 = e0[a >>> 24] ^ e1[(b >>> 16) & 255] ^ e2[(c >>> 8) & 255] ^ e3[d & 255] ^ k[i];
        const b1 = e0[b >>> 24] ^ e1[(c >>> 16) & 255] ^ e2[(d >>> 8) & 255] ^ e3[a & 255] ^
          k[i + 1];
        const c1 = e0[c >>> 24] ^ e1[(d >>> 16) & 255] ^ e2[(a >>> 8) & 255] ^ e3[b & 255] ^
          k[i + 2];
        d = e0[d >>> 24] ^ e1[(a >>> 16) & 255] ^ e2[(b >>> 8) & 255] ^ e3[c & 255] ^ k[i + 3];
        a = a1, b = b1, c = c1;
      }
      const a1 = last(sbox, a, b, c, d) ^ k[40];
      const b1 = last(sbox, b, c, d, a) ^ k[41];
      const c1 = last(sbox, c, d, a, b) ^ k[42];
      d = last(sbox, d, a, b, c) ^ k[43];
      a = a1, b = b1, c = c1;
      store(buffer, at, a);
      store(buffer, at + 4, b);
      store(buffer, at + 8, c);
      store(buffer, at + 12, d);
    }
  }

  decrypt(buffer: Uint8Array, start: number, end: number): void {
    const k = this.#decryption;
    let p0 = 0, p1 = 0, p2 = 0, p3 = 0; // the block of ciphertext before
    for (let at = start; at < end; at += 16) {
      const q0 = load(buffer, at);
      const q1 = load(buffer, at + 4);
      const q2 = load(buffer, at + 8);
      const q3 = load(buffer, at + 12);
      let a = q0 ^ k[0], b = q1 ^ k[1], c = q2 ^ k[2], d = q3 ^ k[3];
      for (let i = 4; i < 40; i += 4) {
        const a1 = d0[a >>> 24] ^ d1[(d >>> 16) & 255] ^ d2[(c >>> 8) & 255] ^ d3[b & 255] ^ k[i];
        const b1 = d0[b >>> 24] ^ d1[(a >>> 16) & 255] ^ d2[(d >>> 8) & 255] ^ d3[c & 255] ^
          k[i + 1];
        const c1 = d0[c >>> 24] ^ d1[(b >>> 16) & 255] ^ d2[(a >>> 8) & 255] ^ d3[d & 255] ^
          k[i + 2];
        d = d0[d >>> 24] ^ d1[(c >>> 16) & 255] ^ d2[(b >>> 8) & 255] ^ d3[a & 255] ^ k[i + 3];
        a = a1, b = b1, c = c1;
      }
      store(buffer, at, last(inverseSbox, a, d, c, b) ^ k[40] ^ p0);
      store(buffer, at + 4, last(inverseSbox, b, a, d, c) ^ k[41] ^ p1);
      store(buffer, at + 8, last(inverseSbox, c, b, a, d) ^ k[42] ^ p2);
      store(buffer, at + 12, last(inverseSbox, d, c, b, a) ^ k[43] ^ p3);
      p0 = q0, p1 = q1, p2 = q2, p3 = q3;
    }
  }

  free(): void {}
}

function load(buffer: Uint8Array, at: number): number {
  return (buffer[at] << 24) | (buffer[at + 1] << 16) | (buffer[at + 2] << 8) | buffer[at + 3];
}

function store(buffer: Uint8Array, at: number, word: number): void {
  buffer[at] = word >>> 24;
  buffer[at + 1] = word >>> 16;
  buffer[at + 2] = word >>> 8;
  buffer[at + 3] = word;
}

/** A column of the last round, which mixes no columns. */
function last(box: Uint8Array, a: number, b: number, c: number, d: number): number {
  return (box[a >>> 24] << 24) | (box[(b >>> 16) & 255] << 16) | (box[(c >>> 8) & 255] << 8) |
    box[d & 255];
}
