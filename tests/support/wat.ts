// Assembles the WebAssembly text format with WABT.
import openWabt from "wabt";

const FOLDER = new URL("../../src/script/vm/", import.meta.url).pathname;

/** Paths of all modules written as text. */
export async function texts(): Promise<string[]> {
  const names = await Array.fromAsync(Deno.readDir(FOLDER), ({ name }) => name);
  return names.filter((name) => name.endsWith(".wat")).sort().map((name) => FOLDER + name);
}

/** @throws {Error} with line and column of invalid text */
export async function assemble(path: string): Promise<Uint8Array> {
  const wabt = await openWabt();
  const module = wabt.parseWat(path, await Deno.readTextFile(path));
  try {
    module.resolveNames();
    module.validate();
    return module.toBinary({}).buffer;
  } finally {
    module.destroy();
  }
}
