// Look-ups of host names. Each takes a thread until the name server answers; the same 32 threads compute
// Diffie-Hellman of handshakes, so look-ups get only some of them.
import { within } from "../common/wait.ts";

/** An address of a name. */
export interface FoundAddress {
  readonly address: string;
  readonly family: number;
}

/** Finds the addresses of a name. @throws {Error} if there are none */
export type NameLookup = (name: string) => Promise<readonly FoundAddress[]>;

/** Maximum number of look-ups in progress, for all callers. */
const MAX_PARALLEL = 8;
/** Maximum number of look-ups that wait for one of those to end. */
const MAX_WAITING = 1_024;
/** Maximum time (ms) that a caller waits. */
const TIMEOUT = 5_000;

interface Waiting {
  readonly name: string;
  settle(found: Promise<readonly FoundAddress[]>): void;
}

/** Limits the look-ups in progress: one that timed out for its caller still occupies its thread. */
export class NameLookups {
  readonly #lookup: NameLookup;
  readonly #timeout: number;
  readonly #waiting: Waiting[] = [];
  #running = 0;

  /**
   * @param lookup asks the system
   * @param timeout milliseconds after which a caller gets an error
   */
  constructor(lookup: NameLookup, timeout = TIMEOUT) {
    this.#lookup = lookup;
    this.#timeout = timeout;
  }

  /** Number of look-ups in progress, also those whose callers have timed out. */
  get running(): number {
    return this.#running;
  }

  /** @throws {Error} if the name has no address, or the look-up takes too long */
  async find(name: string): Promise<readonly FoundAddress[]> {
    if (this.#waiting.length >= MAX_WAITING) throw new Error("too many name lookups in progress");
    let waiting: Waiting;
    const found = new Promise<readonly FoundAddress[]>((settle) => {
      waiting = { name, settle };
      this.#waiting.push(waiting);
    });
    this.#start();
    try {
      return await within(found, this.#timeout, `no answer within ${this.#timeout / 1000} s`);
    } finally {
      const place = this.#waiting.indexOf(waiting!);
      if (place >= 0) this.#waiting.splice(place, 1);
    }
  }

  #start(): void {
    while (this.#running < MAX_PARALLEL) {
      const next = this.#waiting.shift();
      if (!next) return;
      this.#running++;
      const found = this.#lookup(next.name);
      next.settle(found);
      found.catch(() => {}).then(() => {
        this.#running--;
        this.#start();
      });
    }
  }
}

/** By the resolver of the system, for all callers together. Node's module takes long to load and few need it. */
export const systemLookups = new NameLookups(async (name) => {
  const { lookup } = await import("node:dns/promises");
  return await lookup(name, { all: true });
});
