// Assembles the WebAssembly of src/script/vm: each NAME.wat to NAME.wasm beside it.
import { assemble, texts } from "./wat.ts";

for (const text of await texts()) {
  const binary = await assemble(text);
  const target = text.replace(/\.wat$/, ".wasm");
  await Deno.writeFile(target, binary);
  console.log(`${target.slice(target.lastIndexOf("/") + 1)}: ${binary.length} bytes`);
}
