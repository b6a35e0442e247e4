// Instructions on vectors of 16 bytes. WebAssembly Core Specification 2.0, §5.4.8, but for the
// relaxed one, which is of 3.0.
import { type Code, join, unsigned } from "./encoding.ts";
import { constant } from "./instructions.ts";
import { functionType, V128, wasmModule } from "./module.ts";

const instruction = (number: number): Code => [0xfd, ...unsigned(number)];

const SWIZZLE = instruction(14);
const RELAXED_SWIZZLE = instruction(256);

/** The vector at `address + offset`, at any alignment. */
export const loadVector = (address: Code, offset: number): Code =>
  join(address, instruction(0), [0], unsigned(offset));
/** Puts a vector to `address + offset`. */
export const storeVector = (address: Code, offset: number, value: Code): Code =>
  join(address, value, instruction(11), [0], unsigned(offset));

const chain = (operator: Code) => (first: Code, ...more: Code[]): Code =>
  more.reduce((code, operand) => join(code, operand, operator), first);

export const andVectors = chain(instruction(78));
export const xorVectors = chain(instruction(81));
/** Adds eight unsigned 16-bit integers in pairs, to four of 32 bits. */
export const addShortsInPairs = (value: Code): Code => join(value, instruction(127));
/** Adds vectors of four 32-bit integers. */
export const addWords = chain(instruction(174));
/** The 32-bit integer of an index from 0 to 3. */
export const wordOf = (value: Code, index: number): Code => join(value, instruction(27), [index]);
/** Shifts each of eight 16-bit integers; zeros come in from the left. */
export const shiftShortsRight = (value: Code, bits: number): Code =>
  join(value, constant(bits), instruction(141));

/** Whether the engine has the relaxed swizzle, whose result for an index from 16 to 127 is undefined. */
const relaxed = WebAssembly.validate(wasmModule({
  types: [functionType([V128, V128], [V128])],
  functions: [{ type: 0, export: "", code: [0x20, 0, 0x20, 1, ...RELAXED_SWIZZLE] }],
}));

/**
 * Picks of 16 bytes those that 16 indices name. An index must be below 16, or at least 128, which gives 0: the relaxed
 * instruction, one of the processor's instead of two, defines no more.
 */
export const swizzle = (bytes: Code, indices: Code): Code =>
  join(bytes, indices, relaxed ? RELAXED_SWIZZLE : SWIZZLE);
