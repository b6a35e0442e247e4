// How much of the one thread an application takes, where others wait for it.

/** Part of the time that all applications in debt together may use in the long run. */
const SHARE = 0.5;
/** Milliseconds of it that one may have saved: at the start, and when it starts again after it was stopped. */
const MAX_SAVED = 5_000, SAVED_AFTER_STOP = 1_000;
/** Milliseconds that it may owe: beyond that nothing of it is called. */
const MAX_DEBT = 5_000;
/** Milliseconds of a call from which on each counts as so many: others have to wait for its end. */
const LONG_CALL = 100, WEIGHT = 3;
/** Milliseconds that a call may take of an application that has saved little. */
export const SHORT_TIME = 250;
/** Milliseconds in debt, long calls among what it is for, after which an application is stopped. */
const PATIENCE = 10_000;
/** Milliseconds that it stays stopped: the first time, at most, and after which it is the first time again. */
export const PAUSE = 10_000;
const MAX_PAUSE = 300_000, FORGET_STOPS = 600_000;

/** The account of one application. `now` is in ms and never goes back. */
export class FairShare {
  /** How many applications are in debt, this one included: they share what there is. */
  debtors = 1;
  #saved = MAX_SAVED;
  #at: number | undefined;
  #inDebtSince: number | undefined;
  #hasLongCalls = false;
  #stops = 0;
  #stoppedAt = -Infinity;

  /** A call into its scripts took so many milliseconds. */
  spend(milliseconds: number, now: number): void {
    this.#earn(now);
    this.#saved -= milliseconds + Math.max(0, milliseconds - LONG_CALL) * (WEIGHT - 1);
    if (milliseconds > LONG_CALL) this.#hasLongCalls = true;
    if (this.#saved < 0) this.#inDebtSince ??= now;
  }

  /** Whether it was in debt when it was last looked at: cheap, for those who ask often. */
  get owes(): boolean {
    return this.#saved < 0;
  }

  /** Whether its calls have to wait. */
  inDebt(now: number): boolean {
    this.#earn(now);
    return this.#saved < 0;
  }

  /** Whether it owes so much that nothing of it is called any more. */
  isSpent(now: number): boolean {
    return this.inDebt(now) && this.#saved < -MAX_DEBT;
  }

  /** Milliseconds that a call may take, of those that the configuration allows. */
  timeOfCall(allowed: number, now: number): number {
    this.#earn(now);
    if (this.#saved >= MAX_SAVED / 2) return allowed;
    return Math.min(allowed, Math.max(SHORT_TIME, this.#saved));
  }

  /** Whether it is to be stopped: by calls so long that others notice, it has been in debt for long, or owes much. */
  isOver(now: number): boolean {
    this.#earn(now);
    if (this.#inDebtSince === undefined || !this.#hasLongCalls) return false;
    return this.isSpent(now) || now - this.#inDebtSince >= PATIENCE;
  }

  /** It is stopped. @returns for how many milliseconds: twice as many each time */
  stop(now: number): number {
    if (now - this.#stoppedAt > FORGET_STOPS) this.#stops = 0;
    this.#stoppedAt = now;
    return Math.min(MAX_PAUSE, PAUSE * 2 ** this.#stops++);
  }

  /** It starts again after it was stopped. */
  restart(now: number): void {
    this.forgive(now);
    this.#saved = SAVED_AFTER_STOP;
  }

  /** Nobody else waits. */
  forgive(now: number): void {
    this.#saved = MAX_SAVED;
    this.#at = now;
    this.#inDebtSince = undefined;
    this.#hasLongCalls = false;
  }

  #earn(now: number): void {
    const earned = (now - (this.#at ?? now)) * SHARE / this.debtors;
    this.#saved = Math.min(MAX_SAVED, this.#saved + earned);
    this.#at = now;
    // A call that fits between two long ones ends no debt: half of what may be saved does.
    if (this.#saved <= MAX_SAVED / 2) return;
    this.#inDebtSince = undefined;
    this.#hasLongCalls = false;
  }
}
