// Cryptography that needs nothing but JavaScript and WebAssembly, for every platform.
import type { CryptoBackend } from "./backend.ts";
import { WasmAes } from "./wasm_aes.ts";
import { WasmHmac, wasmSha256 } from "./wasm_sha256.ts";

/** The back-end that works everywhere. */
export const portable: CryptoBackend = {
  name: "portable",
  aes: (key) => new WasmAes(key),
  hmacSha256: (key) => new WasmHmac(key),
  sha256: wasmSha256,
};
