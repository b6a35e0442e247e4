import type { Address } from "../../common/address.ts";
import { isLoopback, sourceKey } from "../../common/ip.ts";
import { TokenBucket } from "../../common/token_bucket.ts";
import { AgeingTable } from "./ageing_table.ts";
import type { Limits } from "./limits.ts";

const MAX_SOURCES = 16_384;
/** Time (ms) for which a source is remembered. */
const SOURCE_LIFETIME = 30_000;
/** Time (ms) whose answers may be sent in one burst. */
const BURST_TIME = 2000;

interface Source {
  /** Bytes of answers that may be sent to it. */
  bytes: number;
  /** Requests of it that may be processed. */
  readonly answers: TokenBucket;
}

/**
 * Limits answers to packets without session: their source address may be forged, and the server must not flood the owner of that address.
 */
export class AmplificationLimiter {
  readonly #limits: Limits;
  readonly #table = new AgeingTable<Source>(MAX_SOURCES, SOURCE_LIFETIME);

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

  /** The source has proved that it receives at its address. */
  proved(from: Address, now: number): void {
    this.#source(from, now).bytes = Infinity;
  }

  /** Whether one more request may be processed; counts it, answered or not. */
  admit(from: Address, now: number): boolean {
    if (isLoopback(from.hostname)) return true; // cannot be forged from outside
    return this.#source(from, now).answers.take(now);
  }

  /** Whether an answer of `length` bytes may be sent to an admitted request; counts it. */
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
    if (!source) {
      const { answers } = this.#limits;
      source = { bytes: 0, answers: new TokenBucket(answers * BURST_TIME / 1000, answers) };
      this.#table.set(key, source, now);
    }
    return source;
  }
}
