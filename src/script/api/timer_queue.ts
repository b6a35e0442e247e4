// A queue of entries with due times, the earliest first: a binary heap whose entries know their positions.

/** An entry of a {@link TimerQueue}, with its time in ms. */
export interface Due<T> {
  readonly at: number;
  readonly value: T;
  /** Sequence number, so that entries of one time keep their order. */
  readonly order: number;
  /** Index in the heap; -1 after removal. */
  place: number;
}

export class TimerQueue<T> {
  readonly #heap: Due<T>[] = [];
  #order = 0;

  get size(): number {
    return this.#heap.length;
  }

  /** The earliest entry. */
  get first(): Due<T> | undefined {
    return this.#heap[0];
  }

  add(at: number, value: T): Due<T> {
    const due: Due<T> = { at, value, order: this.#order++, place: this.#heap.length };
    this.#heap.push(due);
    this.#up(due);
    return due;
  }

  /** Removes an entry; ignores an entry that the queue does not hold. */
  remove(due: Due<T>): void {
    const { place } = due;
    if (place < 0) return;
    due.place = -1;
    const last = this.#heap.pop()!;
    if (last === due) return;
    this.#put(last, place);
    this.#up(last);
    this.#down(last);
  }

  #put(due: Due<T>, place: number): void {
    this.#heap[place] = due;
    due.place = place;
  }

  #up(due: Due<T>): void {
    while (due.place > 0) {
      const parent = this.#heap[(due.place - 1) >> 1];
      if (!parent || isBefore(parent, due)) return;
      this.#swap(parent, due);
    }
  }

  #down(due: Due<T>): void {
    for (;;) {
      const [left, right] = [2 * due.place + 1, 2 * due.place + 2].map((i) => this.#heap[i]);
      if (!left) return;
      const child = right && isBefore(right, left) ? right : left;
      if (isBefore(due, child)) return;
      this.#swap(due, child);
    }
  }

  #swap(upper: Due<T>, lower: Due<T>): void {
    const { place } = upper;
    this.#put(upper, lower.place);
    this.#put(lower, place);
  }
}

const isBefore = <T>(a: Due<T>, b: Due<T>): boolean =>
  a.at < b.at || (a.at === b.at && a.order < b.order);
