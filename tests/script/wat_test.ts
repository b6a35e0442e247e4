import { deepStrictEqual } from "node:assert";
import { assemble, texts } from "../support/wat.ts";

Deno.test("script/vm: each .wasm equals the output of `deno task wat` for its .wat", async () => {
  const paths = await texts();
  deepStrictEqual(paths.length, 3);
  for (const path of paths) {
    const kept = await Deno.readFile(path.replace(/\.wat$/, ".wasm"));
    deepStrictEqual(kept, await assemble(path), `${path} was changed: run deno task wat`);
  }
});
