// SHA-256 and HMAC-SHA256 as WebAssembly that is assembled here. FIPS 180-4, RFC 2104.
import type { Hmac } from "./backend.ts";
import {
  add,
  and,
  assemble,
  type Code,
  constant,
  get,
  load,
  or,
  rotateRight,
  set,
  shiftRight,
  store,
  whileBelow,
  xor,
} from "./wasm_assembler.ts";

const BLOCK = 64;
const DIGEST = 32;

// Where things lie in the memory, in bytes: the eight words of the hash, then blocks.
const STATE = 0;
const DATA = 64;
/** Units of 64 KiB. */
const PAGES = 2;
/** As much as is hashed at once; room for padding is left. */
const PIECE = 0x10000;

/** The first bits of the fractional parts of roots of the first primes. FIPS 180-4 §4.2.2, §5.3.3. */
const primes = Array.from({ length: 310 }, (_, i) => i + 2)
  .filter((number, _, all) => all.every((other) => other >= number || number % other !== 0));
const fraction = (root: number) => ((root % 1) * 2 ** 32) | 0;
const roundConstants = primes.slice(0, 64).map((prime) => fraction(Math.cbrt(prime)));
const initialState = Int32Array.from(primes.slice(0, 8), (prime) => fraction(Math.sqrt(prime)));

// Locals. The function gets where the blocks begin and end.
const [AT, STOP] = [0, 1];
const WORKING = [2, 3, 4, 5, 6, 7, 8, 9];
/** The last sixteen words of the message schedule. */
const SCHEDULE = Array.from({ length: 16 }, (_, i) => 10 + i);
const LOCALS = 24;

/** The exclusive or of several rotations of a word. */
const rotations = (word: Code, first: number, ...more: number[]) =>
  xor(rotateRight(word, first), ...more.map((bits) => rotateRight(word, bits)));

/** A word of the message, which is big-endian. */
function messageWord(index: number): Code {
  const word = get(SCHEDULE[index]);
  return [
    ...set(SCHEDULE[index], load(get(AT), 4 * index)),
    ...set(
      SCHEDULE[index],
      or(
        and(rotateRight(word, 8), constant(0xff00ff00)),
        and(rotateRight(word, 24), constant(0x00ff00ff)),
      ),
    ),
  ];
}

/** A further word of the schedule, in place of the one sixteen before it. FIPS 180-4 §6.2.2, step 1. */
function scheduleWord(index: number): Code {
  const word = (back: number) => get(SCHEDULE[(index - back) & 15]);
  const [early, late] = [word(15), word(2)];
  const sigma0 = xor(rotations(early, 7, 18), shiftRight(early, 3));
  const sigma1 = xor(rotations(late, 17, 19), shiftRight(late, 10));
  return set(SCHEDULE[index & 15], add(word(16), sigma0, word(7), sigma1));
}

/** One round: what was `a` to `h` is found one local further on afterwards. Ibidem, step 3. */
function round(index: number): Code {
  const local = (name: number) => WORKING[(name - index) & 7];
  const [a, b, c, d, e, f, g, h] = [0, 1, 2, 3, 4, 5, 6, 7].map((name) => get(local(name)));
  const sigma0 = rotations(a, 2, 13, 22);
  const sigma1 = rotations(e, 6, 11, 25);
  const choice = xor(and(xor(f, g), e), g);
  const majority = or(and(a, b), and(or(a, b), c));
  const first = add(h, sigma1, choice, constant(roundConstants[index]), get(SCHEDULE[index & 15]));
  return [
    ...set(local(7), first),
    ...set(local(3), add(d, h)),
    ...set(local(7), add(h, sigma0, majority)),
  ];
}

const eight = (code: (index: number) => Code) => WORKING.flatMap((_, index) => code(index));
const stateWord = (index: number) => load(constant(0), STATE + 4 * index);

const compress = whileBelow(get(AT), get(STOP), [
  ...eight((i) => set(WORKING[i], stateWord(i))),
  ...roundConstants.flatMap((_, i) => [...(i < 16 ? messageWord : scheduleWord)(i), ...round(i)]),
  ...eight((i) => store(constant(0), STATE + 4 * i, add(stateWord(i), get(WORKING[i])))),
  ...set(AT, add(get(AT), constant(BLOCK))),
]);

const binary = assemble(
  [{ name: "compress", parameters: 2, locals: LOCALS, body: compress }],
  PAGES,
);
const wasm = new WebAssembly.Instance(new WebAssembly.Module(binary)).exports as {
  memory: WebAssembly.Memory;
  compress(at: number, stop: number): void;
};

const state = new Int32Array(wasm.memory.buffer, STATE, DIGEST / 4);
const view = new DataView(wasm.memory.buffer);
const data = new Uint8Array(wasm.memory.buffer, DATA);

/** Takes `message[start..end)` into the hash, of which `before` bytes have been taken, and ends it. */
function finish(message: Uint8Array, start: number, end: number, before: number): void {
  const bits = (before + end - start) * 8;
  for (; end - start >= PIECE; start += PIECE) {
    data.set(message.subarray(start, start + PIECE));
    wasm.compress(DATA, DATA + PIECE);
  }
  const rest = end - start;
  const padded = rest + 1 + 8 + (-(rest + 1 + 8) & (BLOCK - 1));
  data.set(message.subarray(start, end));
  data.fill(0, rest, padded);
  data[rest] = 0x80;
  view.setUint32(DATA + padded - 8, Math.floor(bits / 2 ** 32));
  view.setUint32(DATA + padded - 4, bits);
  wasm.compress(DATA, DATA + padded);
}

/** Writes the hash, big-endian. */
function digestTo(to: DataView): void {
  for (let i = 0; i < DIGEST / 4; i++) to.setInt32(4 * i, state[i]);
}

/** SHA-256: 32 bytes, the caller's own. */
export function wasmSha256(message: Uint8Array): Uint8Array {
  const digest = new Uint8Array(DIGEST);
  state.set(initialState);
  finish(message, 0, message.length, 0);
  digestTo(new DataView(digest.buffer));
  return digest;
}

const inner = new Uint8Array(DIGEST);
const result = new Uint8Array(DIGEST);
const innerView = new DataView(inner.buffer);
const resultView = new DataView(result.buffer);

/** HMAC-SHA256. The key is hashed once, and each message goes on from there. */
export class WasmHmac implements Hmac {
  readonly #inner: Int32Array;
  readonly #outer: Int32Array;

  constructor(key: Uint8Array) {
    const short = key.length > BLOCK ? wasmSha256(key) : key;
    this.#inner = keyed(short, 0x36);
    this.#outer = keyed(short, 0x5c);
  }

  digest(message: Uint8Array, start: number, end: number): Uint8Array {
    state.set(this.#inner);
    finish(message, start, end, BLOCK);
    digestTo(innerView);
    state.set(this.#outer);
    finish(inner, 0, DIGEST, BLOCK);
    digestTo(resultView);
    return result;
  }

  free(): void {}
}

/** The state after a block of the key with `pad` over it. */
function keyed(key: Uint8Array, pad: number): Int32Array {
  state.set(initialState);
  data.fill(0, 0, BLOCK);
  data.set(key);
  for (let i = 0; i < BLOCK; i++) data[i] ^= pad;
  wasm.compress(DATA, DATA + BLOCK);
  return state.slice();
}
