/** Monotonic time (ms) of the input in work. */
export interface Clock {
  /** Milliseconds, never going back. */
  readonly now: number;
}
