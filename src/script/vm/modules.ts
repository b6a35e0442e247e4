// The WebAssembly that is ours: NAME.wat is the source, `deno task wat` assembles NAME.wasm of it. The bytes are
// imported as such: `deno compile` embeds no module of a file that is imported as a source.
import batchBytes from "./batch.wasm" with { type: "bytes" };
import shimBytes from "./shim.wasm" with { type: "bytes" };
import trampolineBytes from "./trampoline.wasm" with { type: "bytes" };

export const batch = new WebAssembly.Module(batchBytes);
export const shim = new WebAssembly.Module(shimBytes);
export const trampoline = new WebAssembly.Module(trampolineBytes);
