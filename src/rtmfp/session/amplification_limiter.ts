import type { Address } from "../../common/address.ts";
import { isLoopback, sourceKey } from "../../common/ip.ts";
import { AgeingTable } from "./ageing_table.ts";
import type { Limits } from "./limits.ts";

const MOST_SOURCES = 16_384;
const AGE = 30_000;
/** Answers of this time (ms) may be sent in one burst. */
const SPAN = 2000;

interface Source {
  /** Bytes that may be answered to it. */
  bytes: number;
  /** Questions of it that may be looked into, as of {@link at}. */
  answers: number;
  at: number;
}

/**
 * Limits answers to packets without session: their source may be forged, and the server must not
 * flood its owner.
 */
export class AmplificationLimiter {
  readonly #limits: Limits;
  readonly #table = new AgeingTable<Source>(MOST_SOURCES, AGE);

  constructor(limits: Limits) {
    this.#limits = limits;
  }

  /** How many sources are remembered. */
  get size(): number {
    return this.#table.size;
  }

  /** Counts a datagram of `length` bytes. */
  received(from: Address, length: number, now: number): void {
    this.#source(from, now).bytes += length * this.#limits.amplification;
  }

  /** It has shown that it receives at its address. */
  proved(from: Address, now: number): void {
    this.#source(from, now).bytes = Infinity;
  }

  /** Whether one more question may be looked into; it is counted then, answered or not. */
  admit(from: Address, now: number): boolean {
    if (isLoopback(from.hostname)) return true; // cannot be forged from outside
    const source = this.#source(from, now);
    if (source.answers < 1) return false;
    source.answers--;
    return true;
  }

  /** Whether an answer of `length` bytes may be sent to a question that was admitted; it is counted then. */
  mayAnswer(from: Address, length: number, now: number): boolean {
    if (isLoopback(from.hostname)) return true;
    const source = this.#source(from, now);
    if (source.bytes < length) return false;
    source.bytes -= length;
    return true;
  }

  #source(from: Address, now: number): Source {
    const key = sourceKey(from.hostname);
    let source = this.#table.get(key, now);
    const most = this.#limits.answers * SPAN / 1000;
    if (!source) {
      source = { bytes: 0, answers: most, at: now };
      this.#table.set(key, source, now);
    }
    source.answers = Math.min(most, source.answers + (now - source.at) * most / SPAN);
    source.at = now;
    return source;
  }
}
