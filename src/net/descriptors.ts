// Counts the open files and sockets of the process: Deno panics when the system has no more for it.

/** Number of descriptors that only the server itself may use. */
export const RESERVED = 64;
/** Milliseconds between two counts of open descriptors. */
const COUNT_INTERVAL = 250;

/** Grants descriptors to scripts while the process has enough of them. */
export class Descriptors {
  /** Limit of the process; `Infinity` if there is none or it is unknown. */
  readonly limit: number;
  readonly #most: number;
  readonly #count: () => number;
  readonly #now: () => number;
  #counted = 0;
  #countedAt = -Infinity;
  /** Granted since the last count, and between the two counts before, as those may not be open yet. */
  #asked = 0;
  #askedBefore = 0;

  /**
   * @param limit of the process; `Infinity` if there is none
   * @param count counts the open ones
   * @param now monotonic time in ms
   */
  constructor(limit: number, count: () => number, now: () => number) {
    this.limit = limit;
    this.#most = limit - RESERVED;
    this.#count = count;
    this.#now = now;
  }

  /** Number of open descriptors; undefined if it is unknown. */
  get open(): number | undefined {
    try {
      return this.#count();
    } catch {
      return undefined;
    }
  }

  /** Grants one more. @returns the reason for a refusal */
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
   * Whether a second descriptor of a connection may be opened: while more than half are free, so that
   * other connections have room.
   *
   * @param lowest the lowest free number: at least as many are open
   */
  allows(lowest: number): boolean {
    return lowest < this.#most / 2;
  }
}

const FULL =
  `Too many open files (the last ${RESERVED} that the system allows are reserved for the server)`;

/** Descriptors of this process. On systems other than Linux their number is unknown and none is refused. */
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
