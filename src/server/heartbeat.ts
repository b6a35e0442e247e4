// State of the loop for the watchdog, in memory that both threads share.

/** Indices in the shared `Int32Array`, and its length. */
const BEATS = 0, APPLICATION = 1, EVENT = 2, LIMIT = 3, LENGTH = 4;
/** Number of all names after the first 4,095. */
const OTHERS = 4_096;
/** Maximum characters of a name. */
const MAX_NAME = 100;

/** The name of a number, sent before the first use of the number. */
export interface Named {
  readonly number: number;
  readonly name: string;
}

/** Used by the thread of the loop. */
export class LoopHeartbeat {
  readonly shared = new Int32Array(new SharedArrayBuffer(LENGTH * 4));
  readonly #applications = new Map<string, number>();
  readonly #events = new Map<string, number>();
  readonly #tell: (named: Named) => void;

  /** @param tell receives each name once */
  constructor(tell: (named: Named) => void) {
    this.#tell = tell;
  }

  /** Notes that the loop runs. */
  beat(): void {
    Atomics.add(this.shared, BEATS, 1);
  }

  /** Maximum seconds for which the loop may be blocked; 0: no limit. */
  set limit(seconds: number) {
    Atomics.store(this.shared, LIMIT, seconds);
  }

  /** Notes the start of an event of an application; `path` undefined: no script runs. */
  enter(path: string | undefined, name: string): void {
    const { shared } = this;
    if (path === undefined) {
      shared[APPLICATION] = 0;
      return;
    }
    shared[EVENT] = this.#events.get(name) ?? this.#number(this.#events, name, "");
    shared[APPLICATION] = this.#applications.get(path) ??
      this.#number(this.#applications, path, "www");
  }

  /** Gives a name its number, from 1 on. */
  #number(numbers: Map<string, number>, name: string, prefix: string): number {
    const number = this.#applications.size + this.#events.size + 1;
    if (number >= OTHERS) return OTHERS;
    numbers.set(name, number);
    this.#tell({ number, name: (prefix + name).slice(0, MAX_NAME) });
    return number;
  }
}

/** Used by the thread of the watchdog, once a second. */
export class StallDetector {
  readonly #shared: Int32Array;
  readonly #names = new Map<number, string>();
  #beats = -1;
  #stalledChecks = 0;

  constructor(shared: Int32Array) {
    this.#shared = shared;
  }

  learn({ number, name }: Named): void {
    this.#names.set(number, name);
  }

  /**
   * Checks whether the loop has run since the last check. It counts checks instead of reading a clock, so that it
   * does not mistake a computer that slept for a blocked loop.
   *
   * @returns the message to log when the loop was blocked for the limit of checks
   */
  look(): string | undefined {
    const beats = Atomics.load(this.#shared, BEATS);
    if (beats !== this.#beats) {
      this.#beats = beats;
      this.#stalledChecks = 0;
      return undefined;
    }
    const limit = Atomics.load(this.#shared, LIMIT);
    this.#stalledChecks++;
    if (limit === 0 || this.#stalledChecks < limit) return undefined;
    return `The event loop has not run for ${this.#stalledChecks} s ${this.place()}`;
  }

  /** The running script, for messages. */
  place(): string {
    const application = Atomics.load(this.#shared, APPLICATION);
    if (application === 0) return "outside of scripts";
    const event = Atomics.load(this.#shared, EVENT);
    const name = (number: number) => this.#names.get(number) ?? "?";
    return `in ${name(event)} of ${name(application)}/main.lua`;
  }
}
