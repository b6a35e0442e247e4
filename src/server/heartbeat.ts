// What the watchdog sees of the loop: memory that both threads share.

/** Places of the shared `Int32Array`. */
const BEATS = 0, APPLICATION = 1, EVENT = 2, LIMIT = 3, PLACES = 4;
/** The number that all names share which come after so many others. */
const OTHERS = 4_096;
/** Characters of a name. */
const MAX_NAME = 100;

/** The text of a number, told before the number is used for the first time. */
export interface Named {
  readonly number: number;
  readonly name: string;
}

/** The side of the loop. */
export class Heartbeat {
  readonly shared = new Int32Array(new SharedArrayBuffer(PLACES * 4));
  readonly #applications = new Map<string, number>();
  readonly #events = new Map<string, number>();
  readonly #tell: (named: Named) => void;

  /** @param tell gets each name once */
  constructor(tell: (named: Named) => void) {
    this.#tell = tell;
  }

  /** The loop runs. */
  beat(): void {
    Atomics.add(this.shared, BEATS, 1);
  }

  /** Sets for how many seconds the loop may stand; 0 for ever. */
  set limit(seconds: number) {
    Atomics.store(this.shared, LIMIT, seconds);
  }

  /** An event of an application runs from now on; none if `path` is undefined. */
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

/** The side of the watchdog, which looks once a second. */
export class StallDetector {
  readonly #shared: Int32Array;
  readonly #names = new Map<number, string>();
  #beats = -1;
  #stands = 0;

  constructor(shared: Int32Array) {
    this.#shared = shared;
  }

  learn({ number, name }: Named): void {
    this.#names.set(number, name);
  }

  /**
   * Looks whether the loop has run since the last look. Looks are counted, and no clock is asked: a computer that
   * slept has not looked.
   *
   * @returns what to log when the loop has stood for as many looks as the limit says
   */
  look(): string | undefined {
    const beats = Atomics.load(this.#shared, BEATS);
    if (beats !== this.#beats) {
      this.#beats = beats;
      this.#stands = 0;
      return undefined;
    }
    const limit = Atomics.load(this.#shared, LIMIT);
    this.#stands++;
    if (limit === 0 || this.#stands < limit) return undefined;
    return `The server has stood for ${this.#stands} s ${this.place()}`;
  }

  /** Which script runs, as far as is known. */
  place(): string {
    const application = Atomics.load(this.#shared, APPLICATION);
    if (application === 0) return "outside of scripts";
    const event = Atomics.load(this.#shared, EVENT);
    const name = (number: number) => this.#names.get(number) ?? "?";
    return `in ${name(event)} of ${name(application)}/main.lua`;
  }
}
