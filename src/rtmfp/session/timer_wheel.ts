/** An item with a deadline. The wheel links the items and allocates no records. */
export interface Timed {
  /** Deadline in milliseconds, or Infinity; only the wheel sets it. */
  due: number;
  timerBefore: Timed | undefined;
  timerAfter: Timed | undefined;
  timerSlot: number;
}

/** The grain of the wheel, in milliseconds. */
export const GRAIN = 16;
const SLOTS = 256;
const FAR = SLOTS; // each slot from here on covers a whole turn of the near ones
const EMPTYING = 2 * SLOTS;

/**
 * Deadlines of many sessions at little cost: setting one takes a few assignments, and items that are
 * not due are not visited. It has two wheels: one turns in 4.096 s, and one step of the other is a
 * turn of that. An item due after more than 17 minutes fires early.
 */
export class TimerWheel<T extends Timed> {
  readonly #slots: (T | undefined)[] = new Array(2 * SLOTS + 1).fill(undefined);
  readonly #fire: (item: T) => void;
  #tick = 0;
  /** No item is due before this tick. */
  #nextTick = 0;
  #count = 0;

  /** @param fire is called for a due item, after the wheel has removed it */
  constructor(fire: (item: T) => void) {
    this.#fire = fire;
  }

  /** Fires `item` by `time` (up to a grain later); an earlier deadline stays. */
  schedule(item: T, time: number, now: number): void {
    if (time >= item.due) return;
    this.cancel(item);
    if (this.#count === 0) this.#tick = Math.max(this.#tick, Math.floor(now / GRAIN));
    item.due = time;
    this.#insert(item, this.#tick + 1);
  }

  cancel(item: T): void {
    if (item.due === Infinity) return;
    this.#unlink(item);
    item.due = Infinity;
  }

  /** When to call {@link advance} next; Infinity if the wheel is empty. */
  get next(): number {
    if (this.#count === 0) return Infinity;
    const slots = this.#slots;
    const end = this.#tick + SLOTS;
    for (let tick = Math.max(this.#nextTick, this.#tick + 1); tick < end; tick++) {
      if (slots[tick % SLOTS] || (tick % SLOTS === 0 && slots[FAR + (tick / SLOTS) % SLOTS])) {
        this.#nextTick = tick;
        return tick * GRAIN;
      }
    }
    const turn = Math.floor(this.#tick / SLOTS) + 1;
    for (let i = 0; i < SLOTS; i++) {
      if (!slots[FAR + (turn + i) % SLOTS]) continue;
      this.#nextTick = (turn + i) * SLOTS;
      return this.#nextTick * GRAIN;
    }
    return Infinity;
  }

  /** Fires the items that are due by `now`. */
  advance(now: number): void {
    const until = Math.floor(now / GRAIN);
    while (this.#tick < until) {
      if (this.#count === 0) {
        this.#tick = until;
        return;
      }
      const tick = ++this.#tick;
      if (tick % SLOTS === 0) this.#empty(FAR + (tick / SLOTS) % SLOTS, false);
      if (this.#slots[tick % SLOTS]) this.#empty(tick % SLOTS, true);
    }
  }

  /** Removes all items of a slot, and fires them or inserts them anew. */
  #empty(slot: number, fire: boolean): void {
    for (let item = this.#slots[slot]; item; item = item.timerAfter as T | undefined) {
      item.timerSlot = EMPTYING;
    }
    this.#slots[EMPTYING] = this.#slots[slot];
    this.#slots[slot] = undefined;
    for (let item = this.#slots[EMPTYING]; item; item = this.#slots[EMPTYING]) {
      this.#unlink(item); // others may be cancelled meanwhile
      if (fire) {
        item.due = Infinity;
        this.#fire(item);
      } else {
        this.#insert(item, this.#tick);
      }
    }
  }

  #insert(item: T, earliest: number): void {
    const tick = Math.max(Math.ceil(item.due / GRAIN), earliest);
    const isNear = tick - this.#tick < SLOTS;
    const turn = Math.min(Math.floor(tick / SLOTS), Math.floor(this.#tick / SLOTS) + SLOTS - 1);
    const slot = isNear ? tick % SLOTS : FAR + turn % SLOTS;
    this.#nextTick = Math.min(this.#nextTick, isNear ? tick : turn * SLOTS);
    const first = this.#slots[slot];
    item.timerAfter = first;
    if (first) first.timerBefore = item;
    item.timerSlot = slot;
    this.#slots[slot] = item;
    this.#count++;
  }

  #unlink(item: T): void {
    const { timerBefore, timerAfter } = item;
    if (timerBefore) timerBefore.timerAfter = timerAfter;
    else this.#slots[item.timerSlot] = timerAfter as T | undefined;
    if (timerAfter) timerAfter.timerBefore = timerBefore;
    item.timerBefore = item.timerAfter = undefined;
    this.#count--;
  }
}
