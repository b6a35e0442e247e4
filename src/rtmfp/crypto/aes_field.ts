// The field of AES such that a vector of 16 bytes is inverted by looking up nibbles, in tables of
// 16 bytes that stand in a register: no address in memory depends on the data.
// Hamburg, "Accelerating AES with Vector Permute Instructions", CHES 2009, §3.
//
// The bytes of AES are GF(2^8), with the subfield GF(2^4). With `a` of the subfield and a root `t` of
// t² = a t + a outside of it, each byte is x = k + i t with k and i of the subfield: its "pair", i in
// the upper nibble. Let N = k² + a i k + a i², the norm of x, and j = i + k. Then
//
//     u := 1 / (1/i + a/k) + j = N / (k + a i)
//     v := 1 / (1/j + a/k) + i = N / (k + a j)
//
// are six look-ups of nibbles, where 1/0 is "infinite" and 1/infinite is 0. As the conjugate of t is
// a + t, 1/x = (k + a i + i t) / N. The first part is 1/u, and as a k / N = 1/u + 1/v,
//
//     1/x = 1/u (1 + t (1/a + 1/a²)) + 1/v t / a²
//
// So any linear map that follows the inversion is a table for u plus a table for v.

/** A map of bytes that is linear over GF(2), so that f(x ^ y) = f(x) ^ f(y). */
export type Linear = (byte: number) => number;

const nibbles = Array.from({ length: 16 }, (_, i) => i);
const bytes = Array.from({ length: 256 }, (_, i) => i);

/** Multiplies in GF(2^8) modulo x^8 + x^4 + x^3 + x + 1. FIPS 197 §4.2. */
export function multiply(a: number, b: number): number {
  let product = 0;
  for (; b > 0; b >>= 1, a = (a << 1) ^ (a & 0x80 ? 0x11b : 0)) if (b & 1) product ^= a;
  return product;
}

const squared = (x: number) => multiply(x, x);
const inverse = (x: number) => bytes.find((y) => multiply(x, y) === 1) ?? 0;

/** The affine map of the S-box, without adding 0x63. FIPS 197 §5.1.1. */
export const affine: Linear = (x) =>
  [0, 1, 2, 3, 4].reduce((sum, by) => sum ^ (x << by) ^ (x >> (8 - by)), 0) & 0xff;
const affinely = bytes.map(affine);
export const unaffine: Linear = (x) => affinely.indexOf(x);

// The subfield consists of the solutions of x^16 = x; its nibbles are sums of 1, g, g² and g³.
const subfield = bytes.filter((x) => x === squared(squared(squared(squared(x)))));
const g = subfield.find((x) => x !== squared(squared(x)))!;
const base = [1, g, squared(g), multiply(g, squared(g))];
const elements = nibbles.map((n) => base.reduce((sum, x, i) => sum ^ ((n >> i) & 1) * x, 0));
const nibbleOf = (x: number) => elements.indexOf(x);
const inverted = elements.map(inverse);

const outside = bytes.filter((x) => !subfield.includes(x));
const isRoot = (t: number, a: number) => squared(t) === (multiply(a, t) ^ a);
const a = subfield.find((a) => outside.some((t) => isRoot(t, a)))!;
const t = outside.find((t) => isRoot(t, a))!;

const unpaired = bytes.map((pair) => elements[pair & 15]! ^ multiply(elements[pair >> 4]!, t));
const paired = bytes.map((x) => unpaired.indexOf(x));
/** The pair of a byte. */
export const pair: Linear = (x) => paired[x]!;

/** Indices of 128 and more give 0, and so do sums of one with a nibble. */
const INFINITE = 0x80;
/** 1/x of a nibble x. */
export const inverses = inverted.map((inverse, n) => n === 0 ? INFINITE : nibbleOf(inverse));
/** a/x of a nibble x. */
export const quotients = inverted.map((inverse, n) =>
  n === 0 ? INFINITE : nibbleOf(multiply(a, inverse))
);

/** The tables by which the nibbles u and v give f(1/x). */
export function ofInverse(f: Linear): { readonly u: number[]; readonly v: number[] } {
  const overA = inverse(a);
  const inV = multiply(t, squared(overA));
  const inU = 1 ^ multiply(t, overA) ^ inV;
  const table = (factor: number) => inverted.map((x) => f(multiply(factor, x)));
  return { u: table(inU), v: table(inV) };
}

/** The tables by which the nibbles of any byte x give f(x). */
export function ofByte(f: Linear): { readonly low: number[]; readonly high: number[] } {
  return { low: nibbles.map((n) => f(n)), high: nibbles.map((n) => f(n << 4)) };
}
