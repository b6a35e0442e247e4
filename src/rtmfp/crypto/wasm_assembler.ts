// Writes WebAssembly modules of one memory and functions over 32-bit integers. Code is a list of
// bytes; the functions below are instructions, or take operands' code and give that of an expression.
// WebAssembly Core Specification 2.0, chapter 5 (binary format).

export type Code = readonly number[];

/** A function of the module: its parameters are locals 0 and up, further locals follow them. */
export interface WasmFunction {
  readonly name: string;
  readonly parameters: number;
  readonly locals: number;
  readonly body: Code;
}

/**
 * Assembles a module that exports its functions and `memory`.
 *
 * @param pages memory in units of 64 KiB
 */
export function assemble(
  functions: readonly WasmFunction[],
  pages: number,
): Uint8Array<ArrayBuffer> {
  const types = functions.map((
    { parameters },
  ) => [0x60, ...vector(Array(parameters).fill([I32])), 0]);
  const exports = functions.map(({ name }, i) => [...text(name), 0x00, ...unsigned(i)]);
  const bodies = functions.map(({ locals, body }) => {
    const code = [...vector([[...unsigned(locals), I32]]), ...body, END];
    return [...unsigned(code.length), ...code];
  });
  return Uint8Array.from([
    ...[0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0], // "\0asm", version 1
    ...section(1, vector(types)),
    ...section(3, vector(functions.map((_, i) => unsigned(i)))),
    ...section(5, vector([[0x00, ...unsigned(pages)]])),
    ...section(7, vector([...exports, [...text("memory"), 0x02, 0]])),
    ...section(10, vector(bodies)),
  ]);
}

const I32 = 0x7f;
const END = 0x0b;

const section = (id: number, content: Code) => [id, ...unsigned(content.length), ...content];
const vector = (items: readonly Code[]) => [...unsigned(items.length), ...items.flat()];
const text = (name: string) => vector(Array.from(name, (letter) => [letter.charCodeAt(0)]));

/** LEB128. */
function unsigned(value: number): number[] {
  const bytes: number[] = [];
  for (; value >= 0x80; value = Math.floor(value / 0x80)) bytes.push((value & 0x7f) | 0x80);
  return [...bytes, value];
}

/** Signed LEB128 of a 32-bit integer. */
function signed(value: number): number[] {
  const bytes: number[] = [];
  for (; value < -0x40 || value >= 0x40; value >>= 7) bytes.push((value & 0x7f) | 0x80);
  return [...bytes, value & 0x7f];
}

export const constant = (value: number): Code => [0x41, ...signed(value | 0)];
export const get = (local: number): Code => [0x20, ...unsigned(local)];
export const set = (local: number, value: Code): Code => [...value, 0x21, ...unsigned(local)];

const chain = (operator: number) => (first: Code, ...more: Code[]): Code =>
  more.reduce((code, operand) => [...code, ...operand, operator], first);

export const add = chain(0x6a);
export const and = chain(0x71);
export const or = chain(0x72);
export const xor = chain(0x73);
export const shiftLeft = (value: Code, bits: number): Code => [...value, ...constant(bits), 0x74];
export const shiftRight = (value: Code, bits: number): Code => [...value, ...constant(bits), 0x76];
export const rotateRight = (value: Code, bits: number): Code => [...value, ...constant(bits), 0x78];

/** The word at `address + offset`, little-endian. */
export const load = (
  address: Code,
  offset: number,
): Code => [...address, 0x28, 2, ...unsigned(offset)];
/** The byte at `address + offset`. */
export const loadByte = (address: Code, offset: number): Code => [
  ...address,
  0x2d,
  0,
  ...unsigned(offset),
];
/** Puts a word to `address + offset`. */
export const store = (address: Code, offset: number, value: Code): Code => [
  ...address,
  ...value,
  0x36,
  2,
  ...unsigned(offset),
];

/** Does `body` as long as `left` is lower than `right`, both unsigned; not even once if it is not. */
export const whileBelow = (left: Code, right: Code, body: Code): Code => [
  ...[0x02, 0x40, 0x03, 0x40], // block, loop
  ...[...left, ...right, 0x4f, 0x0d, 1], // leave the block unless lower
  ...body,
  ...[0x0c, 0, END, END], // go on with the loop
];
