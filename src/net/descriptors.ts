// How many files and sockets the process has open: Deno ends in a panic where the system has no more for it.

/** Descriptors that only the server itself may use. */
export const KEPT = 64;
/** Milliseconds between two counts of open descriptors. */
const COUNT_INTERVAL = 250;

/** What scripts ask before they open something. */
export class Descriptors {
  /** Of the process; `Infinity` if there is none, or the system does not tell. */
  readonly limit: number;
  readonly #most: number;
  readonly #count: () => number;
  readonly #now: () => number;
  #counted = 0;
  #countedAt = -Infinity;
  /** Asked for since the last count, and between the two before: those may be on their way still. */
  #asked = 0;
  #askedBefore = 0;

  /**
   * @param limit of the process; `Infinity` if there is none
   * @param count how many are open
   * @param now monotonic time in ms
   */
  constructor(limit: number, count: () => number, now: () => number) {
    this.limit = limit;
    this.#most = limit - KEPT;
    this.#count = count;
    this.#now = now;
  }

  /** How many are open; undefined where the system does not tell. */
  get open(): number | undefined {
    try {
      return this.#count();
    } catch {
      return undefined;
    }
  }

  /** Asks for one more. @returns why there is none */
  take(): string | undefined {
    if (this.#most === Infinity) return undefined;
    const now = this.#now();
    if (now - this.#countedAt >= COUNT_INTERVAL) {
      this.#counted = this.#count();
      this.#countedAt = now;
      this.#askedBefore = this.#asked;
      this.#asked = 0;
    }
    if (this.#counted + this.#askedBefore + this.#asked >= this.#most) return FULL;
    this.#asked++;
    return undefined;
  }

  /**
   * Whether a second descriptor of a connection may be opened: as long as more than half are free, so
   * that there is room for other connections.
   *
   * @param lowest the lowest number that is free: as many are open at least
   */
  allows(lowest: number): boolean {
    return lowest < this.#most / 2;
  }
}

const FULL =
  `Too many open files (the last ${KEPT} that the system allows are kept for the server)`;

/** Descriptors of this process. On systems other than Linux they are unknown, and never refused. */
export const descriptors = new Descriptors(limit(), count, () => performance.now());

function limit(): number {
  try {
    const limits = Deno.readTextFileSync("/proc/self/limits");
    return Number(/^Max open files +(\d+)/m.exec(limits)?.[1] ?? Infinity);
  } catch {
    return Infinity;
  }
}

function count(): number {
  let open = 0;
  for (const _ of Deno.readDirSync("/proc/self/fd")) open++;
  return open;
}
