/** Table that keeps its most recent entries: a bounded number, for a limited time. */
export class AgeingTable<Value> {
  #young = new Map<string, Value>();
  #old = new Map<string, Value>();
  #since = 0;

  /**
   * @param most maximum number of entries
   * @param age time in ms for which an entry is kept if there is room; at most twice as long
   */
  constructor(readonly most: number, readonly age: number) {}

  get size(): number {
    return this.#young.size + this.#old.size;
  }

  get(key: string, now: number): Value | undefined {
    this.#turn(now);
    const value = this.#young.get(key);
    if (value !== undefined) return value;
    const old = this.#old.get(key);
    if (old === undefined) return undefined;
    this.#old.delete(key);
    this.#young.set(key, old);
    return old;
  }

  set(key: string, value: Value, now: number): void {
    this.#turn(now);
    this.#old.delete(key);
    this.#young.set(key, value);
  }

  #turn(now: number): void {
    const aged = now - this.#since;
    if (aged < this.age && this.#young.size < this.most / 2) return;
    if (this.#since > 0 && aged >= 2 * this.age) this.#young.clear();
    this.#old = this.#young;
    this.#young = new Map();
    this.#since = now;
  }
}
