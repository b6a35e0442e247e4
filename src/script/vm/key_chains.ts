// How Lua 5.4 spreads numbers over the nodes of a table. It seeds the hashes of strings, but not those of numbers: if
// a sender chooses many numbers of one node, each look-up scans all of them (ltable.c: hashint, l_hashfloat).

/** Maximum numbers of one node. Of random numbers, 33 share a node with a probability of 10^-36. */
export const MAX_CHAIN = 32;
/** Number of table sizes to check: the present one, and the next ones as a script adds elements. */
const SIZES = 3;

/** Counts the numbers that share a node, in a table of the present size and of the next ones. */
export class KeyChains {
  readonly #places: Uint8Array[] = [];

  /** @param keys number of keys that the table has room for */
  constructor(keys: number) {
    let size = 1;
    while (size < keys) size *= 2;
    for (let i = 0; i < SIZES; i++) this.#places.push(new Uint8Array(size << i));
  }

  /** Counts one more number. @returns false if more than {@link MAX_CHAIN} share its node */
  add(key: number): boolean {
    const few = (places: Uint8Array) => {
      const place = nodeOf(key, places.length);
      const count = (places[place] ?? 0) + 1;
      places[place] = count;
      return count <= MAX_CHAIN;
    };
    return this.#places.every(few);
  }
}

/**
 * The node at which Lua looks for a number first.
 *
 * @param key not NaN
 * @param size number of nodes of the table: a power of 2
 */
export function nodeOf(key: number, size: number): number {
  const divisor = (size - 1) | 1;
  if (!Number.isInteger(key) || key >= 2 ** 63 || key < -(2 ** 63)) {
    return hashOfFloat(key) % divisor;
  }
  if (key >= 0) return key % divisor;
  return (2 ** 64 % divisor + key % divisor + divisor) % divisor; // as an unsigned number of 64 bits
}

const view = new DataView(new ArrayBuffer(8));

/** The upper 31 bits of the mantissa plus the exponent, without its sign. */
function hashOfFloat(key: number): number {
  if (!Number.isFinite(key)) return 0;
  const isSmall = Math.abs(key) < 2 ** -1022;
  view.setFloat64(0, isSmall ? key * 2 ** 54 : key);
  const high = view.getUint32(0);
  const exponent = (high >>> 20 & 0x7ff) - 1022 - (isSmall ? 54 : 0);
  const mantissa = (high & 0xfffff | 0x100000) << 10 | view.getUint32(4) >>> 22;
  const hash = exponent + (key < 0 ? -mantissa : mantissa) | 0;
  return hash < 0 ? ~hash : hash;
}
