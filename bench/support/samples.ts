/** Collects numbers for their distribution. */
export class Samples {
  #values = new Float64Array(1 << 16);
  #count = 0;
  #sorted = true;

  get count(): number {
    return this.#count;
  }

  add(value: number): void {
    if (this.#count === this.#values.length) {
      const larger = new Float64Array(2 * this.#count);
      larger.set(this.#values);
      this.#values = larger;
    }
    this.#values[this.#count++] = value;
    this.#sorted = false;
  }

  clear(): void {
    this.#count = 0;
  }

  /** @returns the value that a share (0 to 1) of the samples does not exceed; undefined without samples */
  quantile(share: number): number | undefined {
    if (this.#count === 0) return undefined;
    if (!this.#sorted) this.#values.subarray(0, this.#count).sort();
    this.#sorted = true;
    return this.#values[Math.min(this.#count - 1, Math.floor(share * this.#count))];
  }
}

/** Rounds a number to decimals; undefined and NaN become null, as in JSON. */
export function rounded(value: number | undefined, decimals: number): number | null {
  return value === undefined || !Number.isFinite(value) ? null : Number(value.toFixed(decimals));
}
