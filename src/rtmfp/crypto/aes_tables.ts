// The tables and key schedules of AES-128, for words whose first byte is the lowest (FIPS 197, and
// the tables of the Rijndael proposal, §5.2.1).

const ROUNDS = 10;

/** Words of a key schedule. */
export const SCHEDULE_WORDS = 4 * (ROUNDS + 1);

export const sbox: Uint8Array = new Uint8Array(256);
export const inverseSbox: Uint8Array = new Uint8Array(256);
/** What one byte of a column becomes in a round, with the columns mixed: one table for each row. */
export const encryption: readonly Int32Array[] = [0, 1, 2, 3].map(() => new Int32Array(256));
export const decryption: readonly Int32Array[] = [0, 1, 2, 3].map(() => new Int32Array(256));

/** Multiplies by x in GF(2^8) with x^8 + x^4 + x^3 + x + 1. */
const double = (a: number) => ((a << 1) ^ (a & 0x80 ? 0x11b : 0)) & 0xff;

const rotateLeft = (word: number, bits: number) => (word << bits) | (word >>> (32 - bits));

for (let i = 0, value = 1, inverse = 1; i < 255; i++) {
  // `value` runs through all that is not 0 as powers of 3, and `inverse` through those of 1/3.
  const twice = inverse | (inverse << 8);
  sbox[value] = twice ^ (twice >> 4) ^ (twice >> 5) ^ (twice >> 6) ^ (twice >> 7) ^ 0x63;
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
  const mixed = s2 | (s << 8) | (s << 16) | ((s2 ^ s) << 24); // 2 1 1 3
  const v = inverseSbox[i];
  const [v2, v4, v8] = [double(v), double(double(v)), double(double(double(v)))];
  const unmixed = (v8 ^ v4 ^ v2) | ((v8 ^ v) << 8) | ((v8 ^ v4 ^ v) << 16) | ((v8 ^ v2 ^ v) << 24);
  for (let row = 0; row < 4; row++) {
    encryption[row][i] = rotateLeft(mixed, 8 * row);
    decryption[row][i] = rotateLeft(unmixed, 8 * row);
  }
}

/** The key schedule for encryption, of a key of 16 bytes. FIPS 197 §5.2. */
export function expandKey(key: Uint8Array): Int32Array {
  if (key.length !== 16) throw new RangeError(`Cannot use an AES-128 key of ${key.length} bytes`);
  const words = new Int32Array(SCHEDULE_WORDS);
  for (let i = 0; i < 4; i++) {
    words[i] = key[4 * i] | (key[4 * i + 1] << 8) | (key[4 * i + 2] << 16) | (key[4 * i + 3] << 24);
  }
  for (let i = 4, constant = 1; i < SCHEDULE_WORDS; i++) {
    let word = words[i - 1];
    if (i % 4 === 0) {
      word = rotateLeft(word, 24);
      word = (sbox[word & 255] ^ constant) | (sbox[(word >>> 8) & 255] << 8) |
        (sbox[(word >>> 16) & 255] << 16) | (sbox[word >>> 24] << 24);
      constant = double(constant);
    }
    words[i] = words[i - 4] ^ word;
  }
  return words;
}

/** The schedule for decryption, of the one for encryption. FIPS 197 §5.3.5. */
export function invertSchedule(schedule: Int32Array): Int32Array {
  return schedule.map((_, i) => {
    const round = i >> 2;
    const word = schedule[4 * (ROUNDS - round) + (i & 3)];
    if (round === 0 || round === ROUNDS) return word;
    const [d0, d1, d2, d3] = decryption;
    return d0[sbox[word & 255]] ^ d1[sbox[(word >>> 8) & 255]] ^
      d2[sbox[(word >>> 16) & 255]] ^ d3[sbox[word >>> 24]];
  });
}

/** The key that a schedule for decryption ends with. */
export function keyOf(inverted: Int32Array): Uint8Array {
  return Uint8Array.from(
    { length: 16 },
    (_, i) => inverted[4 * ROUNDS + (i >> 2)] >>> (8 * (i & 3)),
  );
}
