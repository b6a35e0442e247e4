// Limits the share of the server's only thread that an application takes while others wait.

/** Share of the time that all applications in debt together may use in the long run. */
const SHARE = 0.5;
/** Ms that an application has saved: the maximum, also its initial value, and the value after a stop. */
const MAX_SAVED = 5_000, SAVED_AFTER_STOP = 1_000;
/** Maximum debt in milliseconds; above it, its functions are not called. */
const MAX_DEBT = 5_000;
/** Beyond this length (ms), each ms of a call counts as several, as others have to wait for its end. */
const LONG_CALL = 100, WEIGHT = 3;
/** Maximum milliseconds of a call of an application that has saved little. */
export const SHORT_TIME = 250;
/** Milliseconds of debt, partly from long calls, after which an application is stopped. */
const DEBT_TIMEOUT = 10_000;
/** Ms of the first stop, of the longest one, and without a stop after which the first length applies again. */
export const MIN_PAUSE = 10_000;
const MAX_PAUSE = 300_000, FORGET_STOPS_TIMEOUT = 600_000;

/** The account of one application. `now` is in ms and never goes back. */
export class FairShare {
  /** Number of applications in debt, this one included, which share the time. */
  debtors = 1;
  #saved = MAX_SAVED;
  #at: number | undefined;
  #inDebtSince: number | undefined;
  #hasLongCalls = false;
  #stops = 0;
  #stoppedAt = -Infinity;

  /** Counts a call into its scripts. */
  spend(milliseconds: number, now: number): void {
    this.#earn(now);
    this.#saved -= milliseconds + Math.max(0, milliseconds - LONG_CALL) * (WEIGHT - 1);
    if (milliseconds > LONG_CALL) this.#hasLongCalls = true;
    if (this.#saved < 0) this.#inDebtSince ??= now;
  }

  /** Whether it was in debt at the last check: cheap, for frequent use. */
  get owes(): boolean {
    return this.#saved < 0;
  }

  /** Whether its calls have to wait. */
  inDebt(now: number): boolean {
    this.#earn(now);
    return this.#saved < 0;
  }

  /** Whether its debt is so high that its functions are no longer called. */
  isSpent(now: number): boolean {
    return this.inDebt(now) && this.#saved < -MAX_DEBT;
  }

  /** Maximum ms of a call, at most the configured ones. */
  timeOfCall(allowed: number, now: number): number {
    this.#earn(now);
    if (this.#saved >= MAX_SAVED / 2) return allowed;
    return Math.min(allowed, Math.max(SHORT_TIME, this.#saved));
  }

  /** Whether to stop it: its long calls kept it in debt for long, or its debt is high. */
  isOver(now: number): boolean {
    this.#earn(now);
    if (this.#inDebtSince === undefined || !this.#hasLongCalls) return false;
    return this.isSpent(now) || now - this.#inDebtSince >= DEBT_TIMEOUT;
  }

  /** Stops it. @returns the duration in milliseconds, doubled each time */
  stop(now: number): number {
    if (now - this.#stoppedAt > FORGET_STOPS_TIMEOUT) this.#stops = 0;
    this.#stoppedAt = now;
    return Math.min(MAX_PAUSE, MIN_PAUSE * 2 ** this.#stops++);
  }

  /** Restarts it after a stop. */
  restart(now: number): void {
    this.forgive(now);
    this.#saved = SAVED_AFTER_STOP;
  }

  /** Clears the debt when no other application waits. */
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
    // A short call between two long ones does not end a debt; saving half of the maximum does.
    if (this.#saved <= MAX_SAVED / 2) return;
    this.#inDebtSince = undefined;
    this.#hasLongCalls = false;
  }
}
