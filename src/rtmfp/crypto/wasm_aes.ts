// AES-128-CBC by table look-up, as WebAssembly that is assembled here. It is our own, unlike the
// hashes, as no library suits: every packet starts from a vector of zeros and brings its own padding,
// so what counts is a short call that allocates nothing. @noble/ciphers and node:crypto take 1.5 to
// 3 times as long for 1200 bytes, crypto.subtle more than that, and the same tables in TypeScript twice.
// Permutations of vectors (Hamburg, "Accelerating AES with Vector Permute Instructions") take 5.3 µs
// where this takes 3.4: the rounds of CBC wait for each other, so that what counts is how long a round
// takes and not how much it does. They would win with the packets of two sessions or more side by side.
// Look-ups are not of constant time: who shares a processor with the server may learn about keys from
// the time they take. The native back-end does not have that weakness.
import {
  decryption,
  encryption,
  expandKey,
  inverseSbox,
  invertSchedule,
  keyOf,
  sbox,
} from "./aes_tables.ts";
import type { Aes128 } from "./backend.ts";
import type { Code } from "../../wasm/encoding.ts";
import {
  add,
  and,
  constant,
  get,
  load,
  loadByte,
  set,
  shiftLeft,
  shiftRight,
  store,
  whileBelow,
  xor,
} from "../../wasm/instructions.ts";
import { functionType, I32, wasmModule } from "../../wasm/module.ts";

// Where things lie in the memory, in bytes.
const SCHEDULE = 0;
const SBOX = 256;
const INVERSE_SBOX = SBOX + 256;
const ENCRYPTION = INVERSE_SBOX + 256;
const TABLE = 4 * 256;
const DECRYPTION = ENCRYPTION + 4 * TABLE;
/** Room for what stands before the data in its buffer, then the data. */
const DATA = DECRYPTION + 4 * TABLE + 16;
/** Buffers of datagrams are no longer. */
const DATAGRAM = 2_048;
/** Units of 64 KiB: room for data longer than any datagram. */
const PAGES = 2;
// Locals. Both functions get where the data begin and end; all others hold a word.
const [AT, STOP] = [0, 1];
const STATE = [2, 3, 4, 5];
const NEXT = [6, 7, 8, 9];
/** The block of ciphertext before, and this one. */
const [BEFORE, THIS] = [[10, 11, 12, 13], [14, 15, 16, 17]];
const LOCALS = 16;

/** From which column row `row` of a column comes. */
type Shift = (column: number, row: number) => number;
/** FIPS 197 §5.1.2. */
const shiftRows: Shift = (column, row) => (column + row) % 4;
/** FIPS 197 §5.3.1. */
const unshiftRows: Shift = (column, row) => (column - row + 4) % 4;

const roundKey = (round: number, column: number) =>
  load(constant(0), SCHEDULE + 4 * (4 * round + column));

/** The ten rounds that follow the first round key, from `STATE` to `STATE`. */
function rounds(tables: number, box: number, shift: Shift): Code {
  const code: number[] = [];
  for (let round = 1, from = STATE, to = NEXT; round <= 10; round++, [from, to] = [to, from]) {
    for (let column = 0; column < 4; column++) {
      const parts = [0, 1, 2, 3].map((row) => {
        const word = get(from[shift(column, row)]);
        return round < 10 ? mixed(word, row, tables) : substituted(word, row, box);
      });
      code.push(...set(to[column], xor(roundKey(round, column), ...parts)));
    }
  }
  return code;
}

/** What byte `row` of a word contributes to a column, by the table of that row. */
function mixed(word: Code, row: number, tables: number): Code {
  const scaled = row === 0 ? shiftLeft(word, 2) : shiftRight(word, 8 * row - 2);
  return load(and(scaled, constant(0x3fc)), tables + row * TABLE);
}

/** The same in the last round, which mixes nothing: the byte of the S-box, in its place. */
function substituted(word: Code, row: number, box: number): Code {
  return shiftLeft(loadByte(and(shiftRight(word, 8 * row), constant(0xff)), box), 8 * row);
}

const columns = (code: (column: number) => Code) => [0, 1, 2, 3].flatMap(code);

const loop = (...block: Code[]) =>
  whileBelow(get(AT), get(STOP), [...block.flat(), ...set(AT, add(get(AT), constant(16)))]);

const encrypt = loop(
  columns((i) => set(STATE[i], xor(get(STATE[i]), load(get(AT), 4 * i), roundKey(0, i)))),
  rounds(ENCRYPTION, SBOX, shiftRows),
  columns((i) => store(get(AT), 4 * i, get(STATE[i]))),
);

const decrypt = loop(
  columns((i) => set(THIS[i], load(get(AT), 4 * i))),
  columns((i) => set(STATE[i], xor(get(THIS[i]), roundKey(0, i)))),
  rounds(DECRYPTION, INVERSE_SBOX, unshiftRows),
  columns((i) => store(get(AT), 4 * i, xor(get(STATE[i]), get(BEFORE[i])))),
  columns((i) => set(BEFORE[i], get(THIS[i]))),
);

const locals: number[] = Array(LOCALS).fill(I32);
const binary = wasmModule({
  types: [functionType([I32, I32], [])],
  memory: PAGES,
  functions: [
    { type: 0, export: "encrypt", locals, code: encrypt },
    { type: 0, export: "decrypt", locals, code: decrypt },
  ],
});

const wasm = new WebAssembly.Instance(new WebAssembly.Module(binary)).exports as {
  memory: WebAssembly.Memory;
  encrypt(at: number, stop: number): void;
  decrypt(at: number, stop: number): void;
};

const memory = wasm.memory.buffer;
const words = new Int32Array(memory);
const data = new Uint8Array(memory, DATA);
new Uint8Array(memory, SBOX).set(sbox);
new Uint8Array(memory, INVERSE_SBOX).set(inverseSbox);
for (let row = 0; row < 4; row++) {
  words.set(encryption[row], (ENCRYPTION + row * TABLE) / 4);
  words.set(decryption[row], (DECRYPTION + row * TABLE) / 4);
}

// A view made for a call would be garbage of 100 bytes, and take longer than to copy a whole buffer.
/** Where a buffer goes for its byte `i` to come to `DATA`. */
const places = Array.from({ length: 16 }, (_, i) => new Uint8Array(memory, DATA - i));
/** The first `i` blocks of the data. */
const blocks = Array.from({ length: DATAGRAM / 16 + 1 }, (_, i) => data.subarray(0, 16 * i));

/** Copies what is to be worked on into the memory. */
function take(buffer: Uint8Array, start: number, end: number): void {
  if (start < places.length && buffer.length <= DATAGRAM) places[start].set(buffer);
  else data.set(buffer.subarray(start, end));
}

/** Copies what came of it back to where it was. */
function give(buffer: Uint8Array, start: number, end: number): void {
  buffer.set(blocks[(end - start) >> 4] ?? data.subarray(0, end - start), start);
}

/** AES-128-CBC; keys stay in JavaScript, so nothing needs to be freed. */
export class WasmAes implements Aes128 {
  // One of them, as a key serves one direction; both once it has served either after the other.
  #encryption: Int32Array | undefined;
  #decryption: Int32Array | undefined;

  constructor(key: Uint8Array) {
    this.#encryption = expandKey(key);
  }

  encrypt(buffer: Uint8Array, start: number, end: number): void {
    words.set(this.#encryption ??= expandKey(keyOf(this.#decryption!)));
    take(buffer, start, end);
    wasm.encrypt(DATA, DATA + end - start);
    give(buffer, start, end);
  }

  decrypt(buffer: Uint8Array, start: number, end: number): void {
    words.set(this.#decryption ??= this.#invert());
    take(buffer, start, end);
    wasm.decrypt(DATA, DATA + end - start);
    give(buffer, start, end);
  }

  free(): void {}

  #invert(): Int32Array {
    const schedule = invertSchedule(this.#encryption!);
    this.#encryption = undefined;
    return schedule;
  }
}
