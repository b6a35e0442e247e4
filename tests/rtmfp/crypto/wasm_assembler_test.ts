import assert from "node:assert/strict";
import {
  add,
  and,
  assemble,
  type Code,
  constant,
  get,
  load,
  loadByte,
  rotateRight,
  set,
  shiftLeft,
  shiftRight,
  store,
  whileBelow,
  xor,
} from "../../../src/rtmfp/crypto/wasm_assembler.ts";

/** Assembles a function of two parameters and one more local, runs it, and returns its memory. */
function run(body: Code, first = 0, second = 0, memory: number[] = []): DataView {
  const binary = assemble([
    { name: "other", parameters: 0, locals: 0, body: [] },
    { name: "run", parameters: 2, locals: 1, body },
  ], 3);
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(binary));
  const { buffer } = exports.memory as WebAssembly.Memory;
  assert.equal(buffer.byteLength, 3 * 0x10000);
  new Uint8Array(buffer).set(memory);
  (exports.run as (first: number, second: number) => void)(first, second);
  return new DataView(buffer);
}

const result = (code: Code, first?: number, second?: number, memory?: number[]) =>
  run(store(constant(0), 8, code), first, second, memory).getInt32(8, true);

Deno.test("assembler: constants of every length", () => {
  const values = [0, 1, -1, 63, 64, -64, -65, 127, 128, 8191, 8192, -8192, -8193, 2 ** 31 - 1];
  for (const value of [...values, -(2 ** 31)]) assert.equal(result(constant(value)), value);
  assert.equal(result(constant(0xffffffff)), -1, "unsigned ones as well");
});

Deno.test("assembler: each instruction does what its name says", () => {
  const [a, b] = [0x12345678, -0x0f0f0f0f];
  assert.equal(result(add(get(0), get(1), constant(1)), a, b), (a + b + 1) | 0);
  assert.equal(result(and(get(0), get(1)), a, b), a & b);
  assert.equal(result(xor(get(0), get(1), constant(0xff)), a, b), a ^ b ^ 0xff);
  assert.equal(result(shiftLeft(get(0), 5), a), a << 5);
  assert.equal(result(shiftRight(get(1), 5), a, b), (b >>> 5) | 0);
  assert.equal(result(rotateRight(get(1), 5), a, b), (b >>> 5) | (b << 27));
  assert.equal(result(load(get(0), 2), 1, 0, [0, 0, 0, 1, 2, 3, 4]), 0x04030201);
  assert.equal(result(loadByte(get(0), 300), 3, 0, [...Array(303).fill(0), 0xfe]), 0xfe);
});

Deno.test("assembler: a loop runs while one is below the other, unsigned", () => {
  const sum = (from: number, to: number) =>
    run(
      [
        ...whileBelow(get(0), get(1), [
          ...set(2, add(get(2), get(0))),
          ...set(0, add(get(0), constant(1))),
        ]),
        ...store(constant(0), 8, get(2)),
      ],
      from,
      to,
    ).getInt32(8, true);
  assert.equal(sum(3, 1000), 999 * 500 - 3);
  assert.equal(sum(5, 5), 0);
  assert.equal(sum(6, 5), 0);
  assert.equal(sum(0x7fffffff, 0x80000001 | 0), (0x7fffffff + 0x80000000) | 0);
});
