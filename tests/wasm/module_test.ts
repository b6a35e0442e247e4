import assert from "node:assert/strict";
import {
  add,
  call,
  constant,
  get,
  getGlobal,
  load,
  setGlobal,
} from "../../src/wasm/instructions.ts";
import { F64, functionType, I32, I64, wasmModule } from "../../src/wasm/module.ts";

const instance = (binary: Uint8Array<ArrayBuffer>, imports = {}) =>
  new WebAssembly.Instance(new WebAssembly.Module(binary), imports).exports;

Deno.test("wasmModule() encodes a module of one function, like bytes written by hand", () => {
  const binary = wasmModule({
    types: [functionType([I32], [I32])],
    functions: [{ type: 0, export: "f", code: get(0) }],
  });
  assert.deepEqual([...binary], [
    ...[0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00],
    ...[0x01, 0x06, 0x01, 0x60, 0x01, 0x7f, 0x01, 0x7f], // types
    ...[0x03, 0x02, 0x01, 0x00], // functions
    ...[0x07, 0x05, 0x01, 0x01, 0x66, 0x00, 0x00], // exports
    ...[0x0a, 0x06, 0x01, 0x04, 0x00, 0x20, 0x00, 0x0b], // code
  ]);
  assert.equal((instance(binary).f as (value: number) => number)(42), 42);
});

Deno.test("wasmModule() numbers imported functions before its own, and functions call both kinds", () => {
  const exports = instance(
    wasmModule({
      types: [functionType([], [I32]), functionType([I32], [I32]), functionType([I64], [F64])],
      imports: [["js", "twice", 1], ["js", "half", 2]],
      functions: [
        { type: 0, export: "seven", locals: [F64, I64, I32], code: constant(7) },
        { type: 0, export: "fourteen", code: [...call(2), ...call(0)] },
        { type: 2, export: "halved", code: [...get(0), ...call(1)] },
      ],
    }),
    { js: { twice: (value: number) => 2 * value, half: (value: bigint) => Number(value) / 2 } },
  ) as unknown as { fourteen(): number; halved(value: bigint): number };
  assert.equal(exports.fourteen(), 14);
  assert.equal(exports.halved(5n), 2.5);
});

Deno.test("wasmModule() exports globals that host and module both read and write", () => {
  const exports = instance(wasmModule({
    types: [functionType([], [])],
    functions: [
      { type: 0, export: "f", code: [...add(getGlobal(0), getGlobal(1)), ...setGlobal(1)] },
    ],
    globals: [{ export: "step", value: -100 }, { export: "total", value: 0 }],
  })) as unknown as { f(): void; step: WebAssembly.Global; total: WebAssembly.Global };
  exports.f();
  exports.step.value = 1;
  exports.f();
  assert.equal(exports.total.value, -99);
});

Deno.test("wasmModule() exports its own memory, or imports one of the host", () => {
  const types = [functionType([I32], [I32])];
  const functions = [{ type: 0, export: "read", code: load(get(0), 0) }];
  const own = instance(wasmModule({ types, functions, memory: 3 })) as unknown as {
    memory: WebAssembly.Memory;
  };
  assert.equal(own.memory.buffer.byteLength, 3 * 0x10000);
  new Int32Array(own.memory.buffer)[5] = 1234;
  const { memory } = own;
  const exports = instance(
    wasmModule({ types, functions, memory: ["env", "m"] }),
    { env: { m: memory } },
  );
  assert.equal((exports.read as (at: number) => number)(20), 1234);
  assert.equal(exports.memory, undefined);
});
