/** The time of the input being worked on, for those who need it long after they were made. */
export interface Clock {
  /** Milliseconds, never going back. */
  readonly now: number;
}
