/**
 * Time (ms) of a turn of the event loop that TCP input may take. An action that has begun may exceed it.
 * With more time, a few connections that send without a pause would delay the datagrams of all clients,
 * and a client needs several turns to connect.
 */
const MAX_TURN = 4;
/** Time (ms) to read from a connection, which counts besides the action. */
const READ_COST = 0.02;
/** Time (ms) to accept a connection, which counts besides the action. */
export const ACCEPT_COST = 0.1;
/**
 * Time (ms) until the next turn. Without a rest, as with `setImmediate`, the runtime would poll its
 * sockets only rarely.
 */
const MIN_REST = 1;
/** Maximum rest (ms). After a long action the rest is a quarter of the action's time. */
const MAX_REST = 250;

interface Piece {
  readonly action: () => void;
  readonly cost: number;
  readonly done: () => void;
  readonly fail: (error: unknown) => void;
}

/** Divides the event loop between TCP input and other work. Actions beyond the share of a turn wait. */
export class Turns {
  readonly #waiting: Piece[] = [];
  readonly #clock: () => number;
  readonly #nextTurn: (action: () => void, delay: number) => void;
  #spent = 0;
  #restUntil = -Infinity;
  #armed = false;

  /** @param nextTurn calls `action` once, after `delay` ms */
  constructor(
    clock: () => number = () => performance.now(),
    nextTurn: (action: () => void, delay: number) => void = (action, delay) =>
      void setTimeout(action, delay), // as a method of this object it would throw in Deno 2.6
  ) {
    this.#clock = clock;
    this.#nextTurn = nextTurn;
  }

  /**
   * Runs an action in this turn or a later one, after the actions of earlier calls.
   *
   * @param cost time (ms) that counts besides the action's
   * @returns undefined if the action has run; otherwise a promise, resolved after the action
   * @throws the action's error; the promise rejects with it
   */
  take(action: () => void, cost = READ_COST): Promise<void> | undefined {
    if (this.#waiting.length === 0 && this.#spent < MAX_TURN) {
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
      if (this.#spent >= MAX_TURN) {
        this.#restUntil = now + Math.min(MAX_REST, Math.max(MIN_REST, this.#spent / 4));
      }
    }
  }

  #arm(delay = MIN_REST): void {
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
    for (const { action, cost, done, fail } of this.#waiting) {
      if (this.#spent >= MAX_TURN) break;
      next++;
      try {
        this.#run(action, cost);
        done();
      } catch (error) {
        fail(error);
      }
    }
    this.#waiting.splice(0, next);
    if (next > 0) this.#arm(); // the next turn resets #spent
  }
}

/** The turns of this process. */
export const turns = new Turns();
