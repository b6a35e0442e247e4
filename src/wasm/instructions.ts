// The instructions that our modules are written in. WebAssembly Core Specification 2.0, §5.4.
//
// Code for the stack machine is a list of bytes. Constants below are single instructions, to be
// written after the code of their operands; functions give the code of a whole expression from
// that of its operands. `[...get(0), ...get(1), ADD]` and `add(get(0), get(1))` are the same.
import { type Code, join, signed, unsigned } from "./encoding.ts";

// Control. Blocks give no values; `0x40` says so.
export const BLOCK: Code = [0x02, 0x40];
export const LOOP: Code = [0x03, 0x40];
export const IF: Code = [0x04, 0x40];
export const ELSE = 0x05;
export const END = 0x0b;
export const RETURN = 0x0f;
export const DROP = 0x1a;
/** Leaves the block that is `depth` blocks further out, or continues it if it is a loop. */
export const branch = (depth: number): Code => [0x0c, ...unsigned(depth)];
/** The same if the value on top of the stack is not 0. */
export const branchIf = (depth: number): Code => [0x0d, ...unsigned(depth)];
export const call = (index: number): Code => [0x10, ...unsigned(index)];

// Variables.
export const get = (local: number): Code => [0x20, ...unsigned(local)];
/** Sets a local to `value`, or to the top of the stack. */
export const set = (local: number, value: Code = []): Code => join(value, [0x21], unsigned(local));
export const getGlobal = (index: number): Code => [0x23, ...unsigned(index)];
export const setGlobal = (index: number): Code => [0x24, ...unsigned(index)];

// 32-bit integers; `U` takes its operands as unsigned.
export const constant = (value: number): Code => [0x41, ...signed(value | 0)];
export const EQZ = 0x45;
export const EQ = 0x46;
export const NE = 0x47;
export const GT_U = 0x4b;
export const GE_U = 0x4f;
export const ADD = 0x6a;
export const SUB = 0x6b;
export const AND = 0x71;
export const OR = 0x72;

/** The sum of all operands. */
export const add = (first: Code, ...more: Code[]): Code =>
  more.reduce((code, operand) => join(code, operand, [ADD]), first);

// Doubles, and from one type to another.
export const F64_NE = 0x62;
/** A 64-bit integer to its lower half. */
export const I64_TO_I32 = 0xa7;
/** A signed 32-bit integer to one of 64 bits. */
export const I32_TO_I64 = 0xac;
/** A signed 32-bit integer to a double. */
export const I32_TO_F64 = 0xb7;
/** A double to a signed 64-bit integer, towards zero, and to the nearest there is if out of range. */
export const F64_TO_I64: Code = [0xfc, 6];

// Memory, little-endian. The number after an instruction tells the alignment: 2^n.
/** The word at `address + offset`. */
export const load = (address: Code, offset: number): Code => [
  ...[...address, 0x28, 2, ...unsigned(offset)],
];
/** The double at `address + offset`. */
export const loadDouble = (address: Code, offset: number): Code => [
  ...[...address, 0x2b, 3, ...unsigned(offset)],
];
/** The two bytes at `address`, which need not be even. */
export const loadShort = (address: Code): Code => [...address, 0x2f, 0, 0];
/** Puts the word on top of the stack to the address below it, plus `offset`. */
export const storeAt = (offset: number): Code => [0x36, 2, ...unsigned(offset)];
/** Stores a word at `address + offset`. */
export const store = (address: Code, offset: number, value: Code): Code => [
  ...[...address, ...value, ...storeAt(offset)],
];
/** As `storeAt`, a double. */
export const storeDoubleAt = (offset: number): Code => [0x39, 3, ...unsigned(offset)];

/** Repeats `body` while `left` is lower than `right`, both unsigned; tests before each round. */
export const whileBelow = (left: Code, right: Code, body: Code): Code =>
  join(BLOCK, LOOP, left, right, [GE_U], branchIf(1), body, branch(0), [END, END]);
