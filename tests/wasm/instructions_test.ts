import assert from "node:assert/strict";
import type { Code } from "../../src/wasm/encoding.ts";
import {
  ADD,
  add,
  AND,
  BLOCK,
  branch,
  branchIf,
  constant,
  DROP,
  ELSE,
  END,
  EQ,
  EQZ,
  F64_NE,
  F64_TO_I64,
  GE_U,
  get,
  GT_U,
  I32_TO_F64,
  I32_TO_I64,
  I64_TO_I32,
  IF,
  load,
  loadDouble,
  loadShort,
  LOOP,
  NE,
  OR,
  RETURN,
  set,
  store,
  storeAt,
  storeDoubleAt,
  SUB,
  whileBelow,
} from "../../src/wasm/instructions.ts";
import { functionType, I32, wasmModule } from "../../src/wasm/module.ts";

/** Runs code of two parameters (locals 0 and 1) and one more local over a memory, which it returns. */
function run(code: Code, first = 0, second = 0, memory: number[] = []): DataView {
  const binary = wasmModule({
    types: [functionType([I32, I32], [])],
    memory: 1,
    functions: [{ type: 0, export: "run", locals: [I32], code }],
  });
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(binary));
  const { buffer } = exports.memory as WebAssembly.Memory;
  new Uint8Array(buffer).set(memory);
  (exports.run as (first: number, second: number) => void)(first, second);
  return new DataView(buffer);
}

/** The value that code leaves on the stack. */
const result = (code: Code, first?: number, second?: number, memory?: number[]) =>
  run(store(constant(0), 8, code), first, second, memory).getInt32(8, true);

Deno.test("wasm: constant() loads numbers of every encoded length unchanged", () => {
  const values = [0, 1, -1, 63, 64, -64, -65, 127, 128, 8191, 8192, -8192, -8193, 2 ** 31 - 1];
  for (const value of [...values, -(2 ** 31)]) assert.equal(result(constant(value)), value);
  assert.equal(result(constant(0xffffffff)), -1, "an unsigned constant");
});

Deno.test("wasm: each integer instruction computes its operation", () => {
  const [a, b] = [0x12345678, -0x0f0f0f0f];
  assert.equal(result(add(get(0), get(1), constant(1)), a, b), (a + b + 1) | 0);
  const both = (operator: number) => result([...get(0), ...get(1), operator], a, b);
  assert.equal(both(ADD), (a + b) | 0);
  assert.equal(both(SUB), (a - b) | 0);
  assert.deepEqual([both(OR), both(AND)], [a | b, a & b]);
  assert.deepEqual([both(EQ), both(NE), both(GT_U), both(GE_U)], [0, 1, 0, 0]);
  assert.deepEqual([GT_U, GE_U].map((operator) => result([...get(0), ...get(0), operator], a)), [
    ...[0, 1],
  ]);
  assert.deepEqual([0, 1].map((value) => result([...get(0), EQZ], value)), [1, 0]);
});

Deno.test("wasm: conversions between 32 bit integers, 64 bit integers and doubles keep the number", () => {
  const back = [...F64_TO_I64, I64_TO_I32];
  for (const value of [0, -1, 2 ** 31 - 1, -(2 ** 31)]) {
    assert.equal(result([...get(0), I32_TO_F64, ...back], value), value);
    assert.equal(result([...get(0), I32_TO_I64, I64_TO_I32], value), value);
    assert.equal(result([...get(0), I32_TO_F64, ...get(1), I32_TO_F64, F64_NE], value, 7), 1);
    assert.equal(result([...get(0), I32_TO_F64, ...get(0), I32_TO_F64, F64_NE], value), 0);
  }
  const double = [...new Uint8Array(Float64Array.of(-2.9).buffer)];
  assert.equal(result([...loadDouble(constant(0), 0), ...back], 0, 0, double), -2);
});

Deno.test("wasm: loads and stores of each size use little-endian order, also at large offsets", () => {
  const memory = [0, 0, 0, 1, 2, 3, 4];
  assert.equal(result(load(get(0), 2), 1, 0, memory), 0x04030201);
  assert.equal(result(loadShort(get(0)), 5, 0, memory), 0x0403);
  assert.equal(result(load(get(0), 300), 3, 0, [...Array(303).fill(0), 0xfe]), 0xfe);
  const stored = run(
    [
      ...[...get(0), ...get(1), ...storeAt(200)],
      ...[...get(0), ...get(1), I32_TO_F64, ...storeDoubleAt(304)],
    ],
    8,
    -5,
  );
  assert.equal(stored.getInt32(208, true), -5);
  assert.equal(stored.getFloat64(312, true), -5);
});

Deno.test("wasm: if, else, branch and return execute the right code", () => {
  const sign = [
    ...[...get(0), EQZ, ...IF, ...set(2, constant(1)), ELSE, ...set(2, constant(2)), END],
    ...get(2),
  ];
  assert.deepEqual([0, 5].map((value) => result(sign, value)), [1, 2]);
  const outer = [
    ...[...BLOCK, ...BLOCK, ...get(0), ...branchIf(1), ...set(2, constant(3)), ...branch(0), END],
    ...[...set(2, add(get(2), constant(4))), END, ...get(2)],
  ];
  assert.deepEqual([0, 1].map((value) => result(outer, value)), [7, 0]);
  const early = [...get(0), DROP, ...get(0), ...IF, RETURN, END, ...store(constant(0), 8, get(1))];
  assert.deepEqual([0, 1].map((value) => run(early, value, 9).getInt32(8, true)), [9, 0]);
  const endless = [
    ...[...BLOCK, ...LOOP, ...get(2), ...get(0), GE_U, ...branchIf(1)],
    ...[...set(2, add(get(2), constant(3))), ...branch(0), END, END, ...get(2)],
  ];
  assert.equal(result(endless, 100), 102);
});

Deno.test("wasm: whileBelow() repeats its body while one unsigned number is below the other", () => {
  const sum = (from: number, to: number) =>
    result(
      [
        ...whileBelow(get(0), get(1), [
          ...set(2, add(get(2), get(0))),
          ...set(0, add(get(0), constant(1))),
        ]),
        ...get(2),
      ],
      from,
      to,
    );
  assert.equal(sum(3, 1000), 999 * 500 - 3);
  assert.equal(sum(5, 5), 0);
  assert.equal(sum(6, 5), 0);
  assert.equal(sum(0x7fffffff, 0x80000001 | 0), (0x7fffffff + 0x80000000) | 0);
});
