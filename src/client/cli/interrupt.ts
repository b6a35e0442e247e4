/**
 * Turns Ctrl-C (and the system's wish to end the program) into a promise, so that a command can
 * close what it has open. A second Ctrl-C ends the program at once.
 */
export class Interrupt {
  readonly #signals: Deno.Signal[] = Deno.build.os === "windows"
    ? ["SIGINT"]
    : ["SIGINT", "SIGTERM"];
  readonly #on: () => void;
  #resolve: () => void = () => {};
  /** Settles on the first one. */
  readonly raised: Promise<void> = new Promise((resolve) => this.#resolve = resolve);
  #isRaised = false;

  constructor() {
    this.#on = () => {
      if (this.#isRaised) Deno.exit(130);
      this.#isRaised = true;
      this.#resolve();
    };
    for (const signal of this.#signals) Deno.addSignalListener(signal, this.#on);
  }

  get isRaised(): boolean {
    return this.#isRaised;
  }

  /** Ctrl-C does what it usually does again. */
  release(): void {
    for (const signal of this.#signals) Deno.removeSignalListener(signal, this.#on);
  }
}

/** Waits until `promise` settles, but no longer than `milliseconds`. */
export async function within(promise: Promise<unknown>, milliseconds: number): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const time = new Promise<void>((resolve) => timer = setTimeout(resolve, milliseconds));
  await Promise.race([promise, time]);
  clearTimeout(timer);
}
