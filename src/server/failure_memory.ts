import { ownText } from "../bytes/text.ts";

/** Maximum number of sources whose last failure is kept; the oldest is removed first. */
const MAX_SOURCES = 256;
/** Maximum characters of a reason that are compared. */
const MAX_REASON = 512;

/** Keeps the reason of each source's last failure, so that the log repeats none. */
export class FailureMemory {
  readonly #reasons = new Map<string, string>();

  /** @returns whether the reason differs from that of the source's last failure */
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
