/** Lua 5.4 as WebAssembly, out of wasmoon 1.16. */
declare const glue: WebAssembly.Module;
export default glue;
