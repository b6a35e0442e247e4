// Our own WebAssembly: `deno task wat` assembles NAME.wasm from NAME.wat. The files are imported as bytes, because
// `deno compile` does not embed a module that is imported as a source.
import batchBytes from "./batch.wasm" with { type: "bytes" };
import shimBytes from "./shim.wasm" with { type: "bytes" };
import trampolineBytes from "./trampoline.wasm" with { type: "bytes" };

export const batch = new WebAssembly.Module(batchBytes);
export const shim = new WebAssembly.Module(shimBytes);
export const trampoline = new WebAssembly.Module(trampolineBytes);
