/** Monotonic time (ms) of the input being processed. */
export interface Clock {
  /** Milliseconds, never going back. */
  readonly now: number;
}
