// Waits for events, on machines of any speed.

/** Time-out (ms) of a test, long enough for a busy machine. */
export const PATIENCE = 60_000;

/** Waiting has reached its time-out; the message names the awaited event. */
export class Timeout extends Error {
  override name = "Timeout";
}

export const sleep = (milliseconds: number): Promise<void> =>
  new Promise((resolve) => setTimeout(resolve, milliseconds));

/** Polls until the answer is not undefined, null or false. @throws {Timeout} */
export async function until<T>(
  ask: () => T | Promise<T>,
  what: string,
  patience = PATIENCE,
): Promise<Exclude<T, undefined | null | false | void>> {
  const end = performance.now() + patience;
  for (let pause = 1;; pause = Math.min(2 * pause, 25)) {
    const answer = await ask();
    if (answer !== undefined && answer !== null && answer !== false) {
      return answer as Exclude<T, undefined | null | false | void>;
    }
    if (performance.now() > end) throw new Timeout(`${what}: not within ${patience / 1000} s`);
    await sleep(pause);
  }
}
