/**
 * Time (ms) that input by TCP may take of one turn of the event loop, the piece under way not counted.
 * More would let a few connections that send without a pause keep everybody's datagrams waiting: a
 * client needs several turns to connect.
 */
const SHARE = 4;
/** What a piece costs besides its action: reading or accepting, in milliseconds. */
const LEAST_COST = 0.02;
export const ACCEPT_COST = 0.1;
/**
 * Milliseconds until the next turn. A runtime that always has something to do, as with `setImmediate`,
 * looks at its sockets only now and then.
 */
const REST = 1;
/** After a long piece the rest is longer: a fourth of its time, at most so many milliseconds. */
const MAX_REST = 250;

interface Piece {
  readonly action: () => void;
  readonly cost: number;
  readonly done: () => void;
  readonly fail: (error: unknown) => void;
}

/** Divides the event loop between TCP and the rest: what exceeds the share of a turn waits for the next. */
export class Turns {
  readonly #waiting: Piece[] = [];
  readonly #clock: () => number;
  readonly #nextTurn: (action: () => void, delay: number) => void;
  #spent = 0;
  #restUntil = -Infinity;
  #armed = false;

  /** @param nextTurn calls an action once, after so many milliseconds */
  constructor(
    clock: () => number = () => performance.now(),
    nextTurn: (action: () => void, delay: number) => void = setTimeout,
  ) {
    this.#clock = clock;
    this.#nextTurn = nextTurn;
  }

  /**
   * Runs actions in the order of their calls.
   *
   * @param cost milliseconds that count besides those of the action
   * @returns undefined: it has run; otherwise it runs before the promise resolves
   * @throws {Error} what the action throws; or the promise is rejected with it
   */
  take(action: () => void, cost = LEAST_COST): Promise<void> | undefined {
    if (this.#waiting.length === 0 && this.#spent < SHARE) {
      this.#arm();
      this.#run(action, cost);
      return undefined;
    }
    return new Promise((done, fail) => {
      this.#waiting.push({ action, cost, done, fail });
      this.#arm();
    });
  }

  #run(action: () => void, cost: number): void {
    const started = this.#clock();
    try {
      action();
    } finally {
      const now = this.#clock();
      this.#spent += cost + now - started;
      if (this.#spent >= SHARE) {
        this.#restUntil = now + Math.min(MAX_REST, Math.max(REST, this.#spent / 4));
      }
    }
  }

  #arm(delay = REST): void {
    if (this.#armed) return;
    this.#armed = true;
    this.#nextTurn(() => this.#turn(), delay);
  }

  #turn(): void {
    this.#armed = false;
    const rest = this.#restUntil - this.#clock();
    if (rest > 0) return this.#arm(rest);
    this.#spent = 0;
    let next = 0;
    while (next < this.#waiting.length && this.#spent < SHARE) {
      const { action, cost, done, fail } = this.#waiting[next++];
      try {
        this.#run(action, cost);
        done();
      } catch (error) {
        fail(error);
      }
    }
    this.#waiting.splice(0, next);
    if (next > 0) this.#arm(); // to forget what this turn has spent
  }
}

/** Those of this process. */
export const turns = new Turns();
