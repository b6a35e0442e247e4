import { ownText } from "../bytes/text.ts";

/** Sources whose last failure is remembered; the oldest are forgotten first. */
const MAX_SOURCES = 256;
/** Characters of a reason that are compared. */
const MAX_REASON = 512;

/** Remembers why each source failed last, so that one reason is told once. */
export class FailureMemory {
  readonly #reasons = new Map<string, string>();

  /** @returns whether the source did not fail for this reason the last time */
  add(source: string, reason: string): boolean {
    const kept = ownText(reason, MAX_REASON);
    const isNew = this.#reasons.get(source) !== kept;
    this.#reasons.delete(source);
    this.#reasons.set(source, kept);
    if (this.#reasons.size > MAX_SOURCES) this.forget(this.#reasons.keys().next().value!);
    return isNew;
  }

  forget(source: string): void {
    this.#reasons.delete(source);
  }
}
