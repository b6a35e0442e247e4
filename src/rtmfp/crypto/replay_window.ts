const SIZE = 32;

/**
 * Records the session sequence numbers seen, so that no packet counts twice. Refuses numbers 32 or more
 * below the highest as well. RFC 7425 §4.5.3.
 */
export class ReplayWindow {
  #highest = -1;
  /** Bit n: the number n below the highest has been seen. */
  #seen = 0;

  /**
   * Records a number; call it when the integrity of the packet has been checked.
   *
   * @returns false if it has been seen before, or is too old to tell
   */
  accept(sequence: number): boolean {
    const ahead = sequence - this.#highest;
    if (ahead > 0) {
      this.#seen = ahead < SIZE ? (this.#seen << ahead) | 1 : 1;
      this.#highest = sequence;
      return true;
    }
    if (-ahead >= SIZE) return false;
    const bit = 1 << -ahead;
    if (this.#seen & bit) return false;
    this.#seen |= bit;
    return true;
  }
}
