// @ts-self-types="./glue.d.ts"
// wasmoon's WebAssembly, compiled and part of the program (`deno compile` embeds it); TypeScript cannot parse this import.
import source glue from "wasmoon/dist/glue.wasm";
export default glue;
