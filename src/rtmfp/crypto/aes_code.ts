// Generates AES-128 in CBC mode and its key schedule as WebAssembly in constant time: no branch and no address
// depends on keys or data. See `aes_vectors.ts` and `aes_field.ts`.
//
// Memory is divided into slots, one for each packet in work. Functions get the addresses of slots.
import {
  ADDED,
  backward,
  below,
  BLOCK,
  byteTables,
  type Cipher,
  constants,
  forward,
  INVERSES,
  LOWER_NIBBLES,
  positions,
  QUOTIENTS,
  ROUNDS,
  type Tables,
  vector,
} from "./aes_vectors.ts";
import { multiply } from "./aes_field.ts";
import { type Code, join } from "../../wasm/encoding.ts";
import { add, constant, get, set, whileBelow } from "../../wasm/instructions.ts";
import { functionType, I32, V128, type WasmFunction, wasmModule } from "../../wasm/module.ts";
import {
  addShortsInPairs,
  addWords,
  andVectors as and,
  loadVector,
  shiftShortsRight,
  storeVector,
  swizzle,
  wordOf,
  xorVectors as xor,
} from "../../wasm/vectors.ts";

// Offsets in a slot, in bytes.
/** The eleven round keys for one direction, in the order in which it uses them. */
const SCHEDULE = 0;
/** The key itself. */
export const KEY: number = SCHEDULE + BLOCK * (ROUNDS + 1);
/** End of the schedule and the key in a slot. */
export const RECORD: number = KEY + BLOCK;
/** Start of the data, with room before it for the bytes that precede them in their buffer. */
export const DATA: number = RECORD + 64;

/** Hands out the locals of a function, which are numbered after its parameters. */
class Locals {
  readonly types: number[] = [];
  constructor(readonly parameters: number) {}

  integer(): number {
    return this.parameters + this.types.push(I32) - 1;
  }

  vector(): number {
    return this.parameters + this.types.push(V128) - 1;
  }

  lane(): Lane {
    return {
      x: this.vector(),
      i: this.vector(),
      k: this.vector(),
      u: this.vector(),
      v: this.vector(),
    };
  }

  function(name: string, code: Code): WasmFunction {
    return { type: this.parameters, export: name, locals: this.types, code };
  }
}

/** The locals of one block of several in work side by side; the names are those of `aes_field.ts`. */
interface Lane {
  /** The block, or its state after some steps; j while it is inverted. */
  readonly x: number;
  readonly i: number;
  readonly k: number;
  readonly u: number;
  readonly v: number;
}

const lookUp = ([first, second]: Tables, a: number, b: number): Code =>
  xor(swizzle(first, get(a)), swizzle(second, get(b)));

/** Splits a vector: upper nibbles to `i`, lower ones to `k`. */
const split = ({ i, k }: Lane, bytes: Code): Code =>
  join(
    set(k, bytes),
    set(i, and(shiftShortsRight(get(k), 4), LOWER_NIBBLES)),
    set(k, and(get(k), LOWER_NIBBLES)),
  );

/** Puts bytes into `x` as pairs. */
const enter = ({ into }: Cipher, lane: Lane, bytes: Code): Code =>
  join(split(lane, bytes), set(lane.x, lookUp(into, lane.k, lane.i)));

/** Computes `u` and `v` of the pairs in `x`. */
function invert(lane: Lane): Code {
  const { x, i, k, u, v } = lane;
  const inverse = (of: Code) => swizzle(INVERSES, of);
  return join(
    split(lane, get(x)),
    set(x, xor(get(i), get(k))), // j
    set(k, swizzle(QUOTIENTS, get(k))), // a/k
    set(u, xor(inverse(xor(inverse(get(i)), get(k))), get(x))),
    set(v, xor(inverse(xor(inverse(get(x)), get(k))), get(i))),
  );
}

/** Mixes columns, given their multiples and the permutation that moves bytes one row up. */
function mixed({ mix }: Cipher, multiple: (by: number) => Code, rows: Code): Code {
  const [[first], ...others] = mix;
  return others.reduce<Code>(
    (sum, all) => xor(swizzle(sum, rows), ...all.map(multiple)),
    multiple(first),
  );
}

/** The rounds of blocks side by side, from and to the `x` of their lanes, with a slot for each. */
function rounds(cipher: Cipher, lanes: readonly Lane[], slots: Code[], locals: Locals): Code {
  const round = locals.integer();
  const products = new Map([...cipher.products].map(([by]) => [by, locals.vector()]));
  const each = (code: (lane: Lane, slot: Code) => Code) =>
    join(...lanes.map((lane, n) => code(lane, slots[n]!)));
  return join(
    each((lane, slot) => {
      const { x } = lane;
      return join(
        enter(cipher, lane, get(x)),
        set(x, xor(get(x), loadVector(slot, SCHEDULE))),
      );
    }),
    set(round, constant(BLOCK)),
    whileBelow(
      get(round),
      constant(BLOCK * ROUNDS),
      join(
        each(invert),
        each(({ x, u, v }, slot) => {
          const multiples = [...cipher.products]
            .map(([by, tables]) => set(products.get(by)!, lookUp(tables, u, v)));
          const rows = loadVector(get(round), cipher.rows);
          const columns = mixed(cipher, (by) => get(products.get(by)!), rows);
          const key = loadVector(add(slot, get(round)), SCHEDULE);
          return join(...multiples, set(x, xor(columns, key)));
        }),
        set(round, add(get(round), constant(BLOCK))),
      ),
    ),
    each(invert),
    each(({ x, u, v }, slot) => {
      const bytes = swizzle(lookUp(cipher.out, u, v), cipher.restore);
      return set(x, xor(bytes, loadVector(slot, SCHEDULE + BLOCK * ROUNDS)));
    }),
  );
}

/**
 * Encrypts the data of several slots side by side: `encryptN(slot, ..., length)`. All run to the same
 * length, shorter ones beyond their end.
 */
function encryption(count: number): WasmFunction {
  const stop = count;
  const locals = new Locals(count + 1);
  const offset = locals.integer();
  const lanes = Array.from({ length: count }, () => locals.lane());
  const data = (n: number) => add(get(n), get(offset));
  const code = whileBelow(
    get(offset),
    get(stop),
    join(
      // `x` still has the block before.
      ...lanes.map(({ x }, n) => set(x, xor(get(x), loadVector(data(n), DATA)))),
      rounds(forward, lanes, lanes.map((_, n) => get(n)), locals),
      ...lanes.map(({ x }, n) => storeVector(data(n), DATA, get(x))),
      set(offset, add(get(offset), constant(BLOCK))),
    ),
  );
  return locals.function(`encrypt${count}`, code);
}

/** Blocks of one packet that are decrypted side by side. */
const TOGETHER = 4;

/** Decrypts the data of a slot, and up to three blocks behind their end: `decrypt(slot, length)`. */
function decryption(): WasmFunction {
  const [slot, stop] = [0, 1];
  const locals = new Locals(2);
  const at = locals.integer();
  const before = locals.vector();
  const lanes = Array.from({ length: TOGETHER }, () => locals.lane());
  const block = (n: number) => loadVector(get(at), DATA + BLOCK * n);
  const code = join(
    set(at, get(slot)),
    set(stop, add(get(slot), get(stop))),
    whileBelow(
      get(at),
      get(stop),
      join(
        ...lanes.map(({ x }, n) => set(x, block(n))),
        rounds(backward, lanes, lanes.map(() => get(slot)), locals),
        ...lanes.map(({ x }, n) => set(x, xor(get(x), n === 0 ? get(before) : block(n - 1)))),
        set(before, block(TOGETHER - 1)),
        ...lanes.map(({ x }, n) => storeVector(get(at), DATA + BLOCK * n, get(x))),
        set(at, add(get(at), constant(BLOCK * TOGETHER))),
      ),
    ),
  );
  return locals.function("decrypt", code);
}

/** Adds up the 16-bit integers, little-endian, of the data in a slot: `sum(slot, length)`. */
function summation(type: number): WasmFunction {
  const [at, stop] = [0, 1];
  const locals = new Locals(2);
  const sums = locals.vector();
  const code = join(
    set(stop, add(get(at), get(stop))),
    whileBelow(
      get(at),
      get(stop),
      join(
        set(sums, addWords(get(sums), addShortsInPairs(loadVector(get(at), DATA)))),
        set(at, add(get(at), constant(BLOCK))),
      ),
    ),
    add(wordOf(get(sums), 0), ...[1, 2, 3].map((n) => wordOf(get(sums), n))),
  );
  return { ...locals.function("sum", code), type };
}

/** Moves bytes towards the end; zeros come in. */
const moved = (bytes: Code, by: number): Code =>
  swizzle(bytes, vector(positions.map((i) => i < by ? 0x80 : i - by)));

/**
 * Makes the schedule of the key in a slot: `name(slot)`. Round keys are stored as pairs and in the order of their round, but for the last one. 0x63, which substitution adds before each but the one
 * that is first in encryption, is added along with it. FIPS 197 §5.2, §5.3.5
 */
function expansion(name: string, cipher: Cipher): WasmFunction {
  const slot = 0;
  const locals = new Locals(1);
  const key = locals.vector();
  const lane = locals.lane();
  const { x, u, v } = lane;
  const inverse = cipher === backward;
  const rows = vector(positions.map(below));
  const multiples = new Map([...cipher.products.keys()].map((by) => {
    return [by, byteTables((x) => multiply(by, x))];
  }));
  const lastRotated = vector(positions.map((i) => 12 + (i + 1) % 4));
  const code: Code[] = [set(key, loadVector(get(slot), KEY))];
  for (let number = 0, power = 1; number <= ROUNDS; number++, power = multiply(2, power)) {
    const round = inverse ? ROUNDS - number : number;
    const inner = round > 0 && round < ROUNDS;
    code.push(set(x, get(key)));
    if (inverse && inner) {
      const multiple = (by: number) => lookUp(multiples.get(by)!, lane.k, lane.i);
      code.push(split(lane, get(key)), set(x, mixed(cipher, multiple, rows)));
    }
    if (number > 0) code.push(set(x, xor(get(x), vector(Array(16).fill(ADDED)))));
    if (round < ROUNDS) code.push(enter(cipher, lane, get(x)));
    if (inner) code.push(set(x, swizzle(get(x), vector(cipher.orders[round]!))));
    code.push(storeVector(get(slot), SCHEDULE + BLOCK * round, get(x)));
    if (number === ROUNDS) break;
    // Each word of the next key is the sum of those up to it, and of the last one, substituted.
    const added = vector(positions.map((i) => ADDED ^ (i % 4 === 0 ? power : 0)));
    code.push(
      enter(forward, lane, swizzle(get(key), lastRotated)),
      invert(lane),
      set(key, xor(get(key), moved(get(key), 4))),
      set(key, xor(get(key), moved(get(key), 8))),
      set(key, xor(get(key), lookUp(forward.out, u, v), added)),
    );
  }
  return locals.function(name, join(...code));
}

/**
 * The module, and the initial content of its memory.
 *
 * @param pages size of the memory in units of 64 KiB
 */
export function aesModule(pages: number): { binary: Uint8Array<ArrayBuffer>; constants: number[] } {
  const functions = [
    ...[1, 2, 4, 8].map(encryption),
    decryption(),
    expansion("expand", forward),
    expansion("expandInverse", backward),
  ];
  const most = Math.max(...functions.map(({ type }) => type));
  const types = Array.from({ length: most + 1 }, (_, n) => functionType(Array(n).fill(I32), []));
  types.push(functionType([I32, I32], [I32]));
  functions.push(summation(most + 1));
  return { binary: wasmModule({ types, memory: pages, functions }), constants };
}
