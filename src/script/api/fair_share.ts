// How much of the one thread an application takes, where others wait for it.

/** Part of the time that an application may use in the long run, and ms of it that it may have saved. */
const SHARE = 0.5, MOST_SAVED = 5_000;
/** Milliseconds of a call from which on each counts as so many: others have to wait for its end. */
const LONG_CALL = 100, WEIGHT = 3;
/** Milliseconds in debt after which an application is stopped, and stays stopped. */
const PATIENCE = 10_000;
export const PAUSE = 10_000;

/** The account of one application. `now` is in ms and never goes back. */
export class FairShare {
  #saved = MOST_SAVED;
  #at: number | undefined;
  #inDebtSince: number | undefined;

  /** A call into its scripts took so many milliseconds. */
  spend(milliseconds: number, now: number): void {
    this.#earn(now);
    this.#saved -= milliseconds + Math.max(0, milliseconds - LONG_CALL) * (WEIGHT - 1);
    if (this.#saved < 0) this.#inDebtSince ??= now;
  }

  /** Whether what can wait of it has to. */
  inDebt(now: number): boolean {
    this.#earn(now);
    return this.#saved < 0;
  }

  /** Whether it has been in debt for so long that it is stopped. */
  isOver(now: number): boolean {
    return this.inDebt(now) && now - this.#inDebtSince! >= PATIENCE;
  }

  /** Nobody else waits, or it begins anew. */
  forgive(now: number): void {
    this.#saved = MOST_SAVED;
    this.#at = now;
    this.#inDebtSince = undefined;
  }

  #earn(now: number): void {
    this.#saved = Math.min(MOST_SAVED, this.#saved + (now - (this.#at ?? now)) * SHARE);
    this.#at = now;
    // One call that fits between two long ones ends no debt: half of what may be saved does.
    if (this.#saved > MOST_SAVED / 2) this.#inDebtSince = undefined;
  }
}
