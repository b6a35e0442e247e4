// Repeatable fuzzing: a seed determines how samples of a target's input are changed.
// The tests run some inputs, `deno task fuzz` runs until you stop it.
import { WireError } from "../../src/bytes/wire_error.ts";
import { toHex } from "../../src/bytes/hex.ts";
import { cpuTime } from "../support/cpu_time.ts";
import { seeded } from "../support/random.ts";

/** A parser of untrusted bytes. */
export interface FuzzTarget {
  readonly name: string;
  /** Samples of valid input. */
  readonly samples: () => readonly Uint8Array[];
  /** Resets state of earlier inputs, so that a seed is repeatable. */
  readonly reset?: (() => void) | undefined;
  /** Parses a copy of the input. It may throw WireError; another exception is a failure. */
  readonly run: (bytes: Uint8Array) => void;
}

/** Longest time for one input, in milliseconds. */
const LIMIT = 50;
/** The largest UDP payload. */
const MAX_INPUT = 65_507;

/**
 * Runs a target on inputs made from one seed.
 *
 * @throws {Error} that names seed and input, for the first input on which the target throws
 *   anything but WireError, or takes too long
 */
export function fuzz(target: FuzzTarget, seed: number, rounds: number): void {
  const next = seeded(seed);
  const samples = target.samples();
  target.reset?.();
  for (let round = 0; round < rounds; round++) {
    const input = mutate(samples, next);
    // An input is too slow only if it is so in each of three more runs: other programs need time too.
    const slow = timed(target, input, seed, () => performance.now()) > LIMIT;
    if (slow && [1, 2, 3].every(() => timed(target, input, seed, cpuTime) > LIMIT)) {
      throw failure(target, input, seed, new Error(`took longer than ${LIMIT} ms`));
    }
  }
}

function timed(target: FuzzTarget, input: Uint8Array, seed: number, clock: () => number): number {
  const bytes = input.slice();
  const start = clock();
  try {
    target.run(bytes);
  } catch (error) {
    if (!(error instanceof WireError)) throw failure(target, input, seed, error);
  }
  return clock() - start;
}

function failure({ name }: FuzzTarget, input: Uint8Array, seed: number, cause: unknown): Error {
  const hex = toHex(input.subarray(0, 2000)) + (input.length > 2000 ? "…" : "");
  return new Error(`${name}, seed ${seed}, ${input.length} bytes: ${hex}`, { cause });
}

type Next = () => number;

const below = (limit: number, next: Next) => Math.floor(next() * limit);
const pick = <T>(list: readonly T[], next: Next): T => list[below(list.length, next)];
/** Bytes with a meaning in the formats. */
const telling = [0x00, 0x01, 0x02, 0x0a, 0x0d, 0x10, 0x1d, 0x7f, 0x80, 0x81, 0xfe, 0xff];
const byte = (next: Next) => next() < 0.6 ? pick(telling, next) : below(256, next);
const randomBytes = (length: number, next: Next) => Uint8Array.from({ length }, () => byte(next));

/** Changes bytes. `other` is another sample. */
type Mutation = (bytes: Uint8Array, next: Next, other: Uint8Array) => Uint8Array;

const concat = (...parts: Uint8Array[]): Uint8Array => {
  const all = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
};

const mutations: Mutation[] = [
  /* one bit */ (bytes, next) => {
    if (bytes.length > 0) bytes[below(bytes.length, next)] ^= 1 << below(8, next);
    return bytes;
  },
  /* one byte, more often near the start */ (bytes, next) => {
    if (bytes.length > 0) bytes[below(bytes.length * next(), next)] = byte(next);
    return bytes;
  },
  /* two bytes, as a length */ (bytes, next) => {
    const at = below(bytes.length, next);
    const length = next() < 0.5 ? bytes.length - at : below(0x10000, next);
    if (at + 1 < bytes.length) bytes.set([length >> 8, length], at);
    return bytes;
  },
  /* truncated */ (bytes, next) => bytes.slice(0, below(bytes.length + 1, next)),
  /* a piece removed */ (bytes, next) => {
    const at = below(bytes.length + 1, next);
    return concat(bytes.subarray(0, at), bytes.subarray(at + below(8, next)));
  },
  /* a piece inserted */ (bytes, next) => {
    const at = below(bytes.length + 1, next);
    return concat(bytes.subarray(0, at), randomBytes(below(9, next), next), bytes.subarray(at));
  },
  /* an endless integer inserted */ (bytes, next) => {
    const at = below(bytes.length + 1, next);
    const endless = new Uint8Array(1 + below(20, next)).fill(pick([0x80, 0xff], next));
    return concat(bytes.subarray(0, at), endless, bytes.subarray(at));
  },
  /* the start of one sample, the end of another */ (bytes, next, other) =>
    concat(
      bytes.subarray(0, below(bytes.length + 1, next)),
      other.subarray(below(other.length + 1, next)),
    ),
  /* a piece repeated */ (bytes, next) => {
    const at = below(bytes.length, next);
    const piece = bytes.subarray(at, at + 1 + below(12, next));
    const times = next() < 0.02 ? 0x10000 : below(40, next);
    const room = Math.max(0, MAX_INPUT - bytes.length);
    const count = piece.length > 0 ? Math.min(times, Math.floor(room / piece.length)) : 0;
    const again = concat(...Array.from({ length: count }, () => piece));
    return concat(bytes.subarray(0, at), again, bytes.subarray(at));
  },
];

function mutate(samples: readonly Uint8Array[], next: Next): Uint8Array {
  if (next() < 0.02) return randomBytes(below(2000, next), next);
  let bytes: Uint8Array = pick(samples, next).slice();
  const count = 1 + below(4, next);
  for (let i = 0; i < count; i++) {
    bytes = pick(mutations, next)(bytes, next, pick(samples, next));
  }
  return bytes.slice(0, MAX_INPUT);
}
