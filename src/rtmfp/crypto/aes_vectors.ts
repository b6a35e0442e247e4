// The vectors of 16 bytes by which AES-128 and its inverse work: substitutions of bytes, as tables of `aes_field.ts`, and permutations. FIPS 197; Hamburg, CHES 2009, §4.
//
// ShiftRows costs nothing, as no byte is moved for it: bytes stay where they are, and from round to round they change the row and column of the state that they are. Round keys are laid out, and
// columns are mixed, in the order that a round has come to.
import {
  affine,
  inverses,
  type Linear,
  multiply,
  ofByte,
  ofInverse,
  pair,
  quotients,
  unaffine,
} from "./aes_field.ts";
import type { Code } from "../../wasm/encoding.ts";
import { constant } from "../../wasm/instructions.ts";
import { loadVector } from "../../wasm/vectors.ts";

export const BLOCK = 16;
/** Number of rounds of AES-128. */
export const ROUNDS = 10;

/** Initial content of the memory. It grows while the code is generated. */
export const constants: number[] = [];

/** Adds 16 bytes to the memory; returns their address. */
function place(bytes: readonly number[]): number {
  const address = constants.length;
  constants.push(...bytes);
  return address;
}

const placed = new Map<string, number>();

/** Adds 16 bytes to the memory, once for equal bytes; returns the code that loads them. */
export function vector(bytes: readonly number[]): Code {
  const key = bytes.join();
  const address = placed.get(key) ?? place(bytes);
  placed.set(key, address);
  return loadVector(constant(0), address);
}

export const INVERSES: Code = vector(inverses);
export const QUOTIENTS: Code = vector(quotients);
export const LOWER_NIBBLES: Code = vector(Array(16).fill(0x0f));
/** The constant that the S-box adds last. FIPS 197 §5.1.1. */
export const ADDED = 0x63;

/** A table for each of two vectors of nibbles; the results are added. */
export type Tables = readonly [Code, Code];

/** Tables of a linear map of bytes, by their lower and upper nibbles. */
export const byteTables = (f: Linear): Tables => {
  const { low, high } = ofByte(f);
  return [vector(low), vector(high)];
};
/** Tables by `u` and by `v` of a linear map of the inverse. */
const inverseTables = (f: Linear): Tables => {
  const { u, v } = ofInverse(f);
  return [vector(u), vector(v)];
};

// Byte 4 c + r of a block is in column c and row r of the state. FIPS 197 §3.4.
export const positions: readonly number[] = Array.from({ length: 16 }, (_, i) => i);
const at = (column: number, row: number) => 4 * (column & 3) + (row & 3);
export const below = (position: number): number => at(position >> 2, position + 1);

/** Multiples of a byte that a column gets, for each of four rows. */
type Mix = readonly [readonly [number], ...(readonly number[])[]];

/** AES in one direction: that of FIPS 197 §5.1, or the equivalent inverse cipher of §5.3.5. */
export class Cipher {
  /** From bytes to the pairs that are inverted. */
  readonly into: Tables;
  /** From inverses to multiples of the substituted byte, by factor, as pairs of the next round. */
  readonly products: ReadonlyMap<number, Tables>;
  /** From inverses to bytes, in the last round. */
  readonly out: Tables;
  /** For each round, the byte of the state at each position after shifting. */
  readonly orders: readonly (readonly number[])[];
  /** Puts bytes back in order after all rounds. */
  readonly restore: Code;
  /** Address of the permutation that moves bytes one row up in round n, minus 16 n. */
  readonly rows: number;

  /**
   * @param before the linear map that substitution begins with, ahead of inverting
   * @param after the one that follows
   * @param shift the column to which a byte goes. §5.1.2, §5.3.1
   * @param mix multiples of a byte that its column gets: for the row three further up (or one down), for
   *   the rows two and one up, and for its own; they are added. §5.1.3, §5.3.3
   */
  constructor(
    before: Linear,
    after: Linear,
    shift: (column: number, row: number) => number,
    readonly mix: Mix,
  ) {
    const into: Linear = (x) => pair(before(x));
    this.into = byteTables(into);
    this.products = new Map(
      mix.flat().map((by) => [by, inverseTables((x) => into(multiply(by, after(x))))]),
    );
    this.out = inverseTables(after);
    let order = positions;
    const orders = [order];
    for (let round = 1; round <= ROUNDS; round++) {
      order = order.map((byte) => at(shift(byte >> 2, byte & 3), byte & 3));
      orders.push(order);
    }
    this.orders = orders;
    this.restore = vector(positions.map((byte) => order.indexOf(byte)));
    const rows = orders.slice(1, ROUNDS).map((order) =>
      place(order.map((byte) => order.indexOf(below(byte))))
    );
    this.rows = rows[0]! - BLOCK;
  }
}

export const forward = new Cipher(
  (x) => x,
  affine,
  (column, row) => column - row,
  [[1], [1], [1, 2], [2]],
);
export const backward = new Cipher(
  unaffine,
  (x) => x,
  (column, row) => column + row,
  [[0x09], [0x0d], [0x0b], [0x0e]],
);
