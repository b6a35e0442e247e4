// A WebAssembly module out of its parts. WebAssembly Core Specification 2.0, §5.5.
import { type Code, join, name, signed, sized, unsigned, vector } from "./encoding.ts";
import { END } from "./instructions.ts";

// Types of values. §5.3.1
export const I32 = 0x7f;
export const I64 = 0x7e;
export const F64 = 0x7c;
/** A vector of 16 bytes. */
export const V128 = 0x7b;

// Kinds of imports and exports. §5.5.5, §5.5.10
const FUNCTION = 0x00;
const MEMORY = 0x02;
const GLOBAL = 0x03;
/** Memory without an upper limit. §5.3.7 */
const UNLIMITED = 0x00;
const MUTABLE = 0x01;

/** Type of a function. §5.3.6 */
export const functionType = (parameters: number[], results: number[]): Code => [
  ...[0x60, ...vector(parameters.map((type) => [type]))],
  ...vector(results.map((type) => [type])),
];

export interface WasmFunction {
  /** Index of its type. */
  readonly type: number;
  readonly export: string;
  /** Types of its locals; they are numbered after its parameters. */
  readonly locals?: readonly number[];
  /** Its instructions without the closing `END`. */
  readonly code: Code;
}

interface WasmParts {
  readonly types: readonly Code[];
  /** Module, name and index of the type of each imported function; they are numbered before others. */
  readonly imports?: readonly (readonly [module: string, name: string, type: number])[];
  /** Import of its memory, or the number of 64 KiB pages of its own, exported as `memory`. */
  readonly memory?: readonly [module: string, name: string] | number;
  readonly functions: readonly WasmFunction[];
  /** Mutable 32-bit integers, exported. */
  readonly globals?: readonly { readonly export: string; readonly value: number }[];
}

/** A section; nothing if it has no items. §5.5.2 */
const section = (id: number, items: readonly Code[]): Code =>
  items.length === 0 ? [] : join([id], sized(vector(items)));

/** A whole module, as `WebAssembly.Module` takes it. */
export function wasmModule(parts: WasmParts): Uint8Array<ArrayBuffer> {
  const { types, imports = [], memory, functions, globals = [] } = parts;
  const imported = imports.map(([from, what, type]) => [
    ...[...name(from), ...name(what), FUNCTION, ...unsigned(type)],
  ]);
  const exported = functions.map((each, i) => [
    ...[...name(each.export), FUNCTION, ...unsigned(imports.length + i)],
  ]);
  const memories: Code[] = [];
  if (typeof memory === "number") {
    memories.push([UNLIMITED, ...unsigned(memory)]);
    exported.push([...name("memory"), MEMORY, 0]);
  } else if (memory) {
    imported.push([...name(memory[0]), ...name(memory[1]), MEMORY, UNLIMITED, 1]);
  }
  exported.push(...globals.map((each, i) => [...name(each.export), GLOBAL, ...unsigned(i)]));
  return new Uint8Array(join(
    [0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0], // "\0asm", version 1
    section(1, types),
    section(2, imported),
    section(3, functions.map(({ type }) => unsigned(type))),
    section(5, memories),
    section(6, globals.map(({ value }) => [I32, MUTABLE, 0x41, ...signed(value), END])),
    section(7, exported),
    section(10, functions.map((each) => sized(body(each)))),
  ));
}

/** Body of a function. §5.5.13 */
const body = ({ locals = [], code }: WasmFunction): Code =>
  join(vector(locals.map((type) => [1, type])), code, [END]);
