// How long AES-128-CBC of 1,200 bytes takes by @noble/ciphers, node:crypto and the server's own
// back-ends: deno run -A --config tests/deno.json tests/bench/ciphers.ts
import { createCipheriv, createDecipheriv } from "node:crypto";
import { cbc } from "@noble/ciphers/aes.js";
import { openLibcrypto } from "../../src/openssl/libcrypto.ts";
import { NativeCrypto } from "../../src/openssl/native_crypto.ts";
import { portable } from "../../src/rtmfp/crypto/portable.ts";

const LENGTH = 1_200;
const ROUNDS = 7;
const CALLS = 10_000;
const ZEROS = new Uint8Array(16);
const key = crypto.getRandomValues(new Uint8Array(16));
const bytes = crypto.getRandomValues(new Uint8Array(LENGTH));

const [wasm, native] = [portable.aes(key), new NativeCrypto(openLibcrypto()).aes(key)];
const noble = () => cbc(key, ZEROS, { disablePadding: true });
const contenders: Record<string, [encrypt: () => unknown, decrypt: () => unknown]> = {
  "@noble/ciphers": [() => noble().encrypt(bytes), () => noble().decrypt(bytes)],
  "node:crypto": [
    () => createCipheriv("aes-128-cbc", key, ZEROS).setAutoPadding(false).update(bytes),
    () => createDecipheriv("aes-128-cbc", key, ZEROS).setAutoPadding(false).update(bytes),
  ],
  "WebAssembly": [() => wasm.encrypt(bytes, 0, LENGTH), () => wasm.decrypt(bytes, 0, LENGTH)],
  "libcrypto": [() => native.encrypt(bytes, 0, LENGTH), () => native.decrypt(bytes, 0, LENGTH)],
};

const samples = new Map<() => unknown, number[]>();
for (let round = 0; round < ROUNDS; round++) { // in turns, so that a busy machine is one to all
  for (const action of Object.values(contenders).flat()) {
    const start = performance.now();
    for (let i = 0; i < CALLS; i++) action();
    const taken = (performance.now() - start) * 1_000 / CALLS;
    samples.set(action, [...samples.get(action) ?? [], taken]);
  }
}
const median = (action: () => unknown) =>
  samples.get(action)!.sort((a, b) => a - b)[ROUNDS >> 1].toFixed(2);
for (const [name, [encrypt, decrypt]] of Object.entries(contenders)) {
  console.log(`${name.padEnd(15)} encrypt ${median(encrypt)} µs, decrypt ${median(decrypt)} µs`);
}
Deno.exit();
