// The few parts of the WebAssembly binary format that shim.ts is written in.
// WebAssembly Core Specification 1.0, §5.

export const I32 = 0x7f;
export const I64 = 0x7e;
export const F64 = 0x7c;

/** Unsigned LEB128. §5.2.2 */
export function leb(value: number): number[] {
  const bytes: number[] = [];
  do {
    const low = value & 0x7f;
    value >>>= 7;
    bytes.push(value ? low | 0x80 : low);
  } while (value);
  return bytes;
}

/** Signed LEB128 of a 32-bit integer. §5.2.2 */
export function sleb(value: number): number[] {
  const bytes: number[] = [];
  for (;;) {
    const low = value & 0x7f;
    value >>= 7;
    const done = (value === 0 && !(low & 0x40)) || (value === -1 && (low & 0x40));
    bytes.push(done ? low : low | 0x80);
    if (done) return bytes;
  }
}

/** A vector: its length, then its elements. §5.1.3 */
export const vec = (items: number[][]): number[] => [...leb(items.length), ...items.flat()];

export const name = (text: string): number[] => {
  const bytes = [...new TextEncoder().encode(text)];
  return [...leb(bytes.length), ...bytes];
};

/** §5.3.6 */
export const functionType = (params: number[], results: number[]): number[] => [
  0x60,
  ...vec(params.map((type) => [type])),
  ...vec(results.map((type) => [type])),
];

const section = (id: number, content: number[]) => [id, ...leb(content.length), ...content];

export interface WasmParts {
  types: number[][];
  /** Module, name and index of the type of each imported function. */
  imports: [module: string, name: string, type: number][];
  /** Where its memory comes from. */
  memory?: [module: string, name: string];
  /** Index of the type, and the instructions without their closing `end`. */
  functions: { type: number; export: string; locals?: number[]; code: number[] }[];
  /** Mutable 32-bit integers, exported. */
  globals: { export: string; value: number }[];
}

/** A whole module. §5.5 */
export function wasmModule(parts: WasmParts): Uint8Array<ArrayBuffer> {
  const bodies = parts.functions.map(({ locals = [], code }) => {
    const body = [...vec(locals.map((type) => [1, type])), ...code, 0x0b];
    return [...leb(body.length), ...body];
  });
  return new Uint8Array([
    ...[0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    ...section(1, vec(parts.types)),
    ...section(
      2,
      vec([
        ...parts.imports.map((
          [from, what, type],
        ) => [...name(from), ...name(what), 0, ...leb(type)]),
        ...(parts.memory ? [[...name(parts.memory[0]), ...name(parts.memory[1]), 2, 0, 1]] : []),
      ]),
    ),
    ...section(3, vec(parts.functions.map(({ type }) => leb(type)))),
    ...section(6, vec(parts.globals.map(({ value }) => [I32, 1, 0x41, ...sleb(value), 0x0b]))),
    ...section(
      7,
      vec([
        ...parts.functions.map((f, i) => [...name(f.export), 0, ...leb(parts.imports.length + i)]),
        ...parts.globals.map((g, i) => [...name(g.export), 3, ...leb(i)]),
      ]),
    ),
    ...section(10, vec(bodies)),
  ]);
}
