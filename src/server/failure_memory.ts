/** Sources whose last failure is remembered; the oldest are forgotten first. */
const MAX_SOURCES = 256;

/** Remembers why each source failed last, so that one reason is told once. */
export class FailureMemory {
  readonly #reasons = new Map<string, string>();

  /** @returns whether the source did not fail for this reason the last time */
  add(source: string, reason: string): boolean {
    const isNew = this.#reasons.get(source) !== reason;
    this.#reasons.delete(source);
    this.#reasons.set(source, reason);
    if (this.#reasons.size > MAX_SOURCES) this.forget(this.#reasons.keys().next().value!);
    return isNew;
  }

  forget(source: string): void {
    this.#reasons.delete(source);
  }
}
