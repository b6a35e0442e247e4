/** Time (ms) after the first signal for which further signals count as copies of it. */
const COPY_TIMEOUT = 250;

/**
 * Turns Ctrl-C (and the system's termination signal) into a promise, so that a command can
 * close its resources. A second Ctrl-C ends the program at once; signals within `COPY_TIMEOUT` of the first are copies of it: `deno task` sends one besides the terminal's.
 */
export class Interrupt {
  readonly #signals: Deno.Signal[] = Deno.build.os === "windows"
    ? ["SIGINT"]
    : ["SIGINT", "SIGTERM"];
  readonly #on: () => void;
  #resolve: () => void = () => {};
  /** Resolves on the first signal. */
  readonly raised: Promise<void> = new Promise((resolve) => this.#resolve = resolve);
  #raisedAt = Infinity;

  constructor() {
    this.#on = () => {
      if (performance.now() > this.#raisedAt + COPY_TIMEOUT) Deno.exit(130);
      this.#raisedAt = Math.min(this.#raisedAt, performance.now());
      this.#resolve();
    };
    for (const signal of this.#signals) Deno.addSignalListener(signal, this.#on);
  }

  get isRaised(): boolean {
    return this.#raisedAt < Infinity;
  }

  /** Restores the default action of Ctrl-C. */
  release(): void {
    for (const signal of this.#signals) Deno.removeSignalListener(signal, this.#on);
  }
}
