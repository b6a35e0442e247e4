import assert from "node:assert/strict";
import { type Code, join } from "../../src/wasm/encoding.ts";
import { constant, get, store } from "../../src/wasm/instructions.ts";
import { functionType, I32, V128, wasmModule } from "../../src/wasm/module.ts";
import {
  addShortsInPairs,
  addWords,
  andVectors,
  loadVector,
  shiftShortsRight,
  storeVector,
  swizzle,
  wordOf,
  xorVectors,
} from "../../src/wasm/vectors.ts";

const A = Uint8Array.from({ length: 16 }, (_, i) => 17 * i + 3);
const B = Uint8Array.from({ length: 16 }, (_, i) => 255 - 29 * i);
/** Address of the result: even, but not a multiple of 4. */
const RESULT = 302;

/** Runs code of two parameters, addresses of `A` and `B`, and a local vector; returns the memory from `RESULT`. */
function run(code: Code): Uint8Array {
  const binary = wasmModule({
    types: [functionType([I32, I32], [])],
    memory: 1,
    functions: [{ type: 0, export: "run", locals: [V128], code }],
  });
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(binary));
  const memory = new Uint8Array((exports.memory as WebAssembly.Memory).buffer);
  memory.set(A, 5);
  memory.set(B, 205);
  (exports.run as (a: number, b: number) => void)(5, 200);
  return memory.slice(RESULT, RESULT + 17);
}

const a = loadVector(get(0), 0);
const b = loadVector(get(1), 5);
const vectorOf = (code: Code) => run(storeVector(constant(0), RESULT, code)).slice(0, 16);

Deno.test("wasm: loadVector() and storeVector() access 16 bytes at any address, and no byte beyond", () => {
  assert.deepEqual(run(storeVector(get(1), RESULT - 200, b)), Uint8Array.of(...B, 0));
});

Deno.test("wasm: each vector instruction computes its operation", () => {
  assert.deepEqual(vectorOf(andVectors(a, b)), A.map((byte, i) => byte & B[i]));
  assert.deepEqual(vectorOf(xorVectors(a, b, a, a)), A.map((byte, i) => byte ^ B[i]));
  const shorts = new Uint16Array(A.buffer);
  const shifted = new Uint16Array(vectorOf(shiftShortsRight(a, 4)).buffer);
  assert.deepEqual(shifted, shorts.map((short) => short >> 4));
  const pairs = Uint32Array.from({ length: 4 }, (_, i) => shorts[2 * i] + shorts[2 * i + 1]);
  assert.deepEqual(new Uint32Array(vectorOf(addShortsInPairs(a)).buffer), pairs);
  const words = [new Uint32Array(A.buffer), new Uint32Array(B.buffer)];
  const sums = words[0].map((word, i) => word + words[1][i]);
  assert.deepEqual(new Uint32Array(vectorOf(addWords(a, b)).buffer), sums);
  for (let i = 0; i < 4; i++) {
    const word = run(store(constant(0), RESULT, wordOf(b, i))).slice(0, 4);
    assert.deepEqual(word, B.slice(4 * i, 4 * i + 4));
  }
});

Deno.test("wasm: swizzle() selects bytes by index, and 0 for an index of 128 or more", () => {
  const indices = [15, 0, 7, 7, 128, 1, 255, 2, 3, 200, 14, 13, 12, 143, 5, 0];
  const code = join(
    ...indices.map((index, i) => storeByte(240 + i, index)),
    storeVector(constant(0), RESULT, swizzle(b, loadVector(constant(0), 240))),
  );
  const expected = Uint8Array.from(indices, (index) => index < 16 ? B[index] : 0);
  assert.deepEqual(run(code).slice(0, 16), expected);
});

/** Writes a byte at an address. */
const storeByte = (address: number, byte: number): Code => [
  ...[...constant(address), ...constant(byte), 0x3a, 0, 0],
];
