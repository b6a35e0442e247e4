// Waiting for what happens, on machines of any speed.

/** Milliseconds after which a test gives up: nothing that works takes as long, however busy the machine is. */
export const PATIENCE = 60_000;

/** Waiting took too long; the message says for what. */
export class Timeout extends Error {
  override name = "Timeout";
}

export const sleep = (milliseconds: number): Promise<void> =>
  new Promise((resolve) => setTimeout(resolve, milliseconds));

/** Asks again and again until there is an answer: not undefined, null or false. @throws {Timeout} */
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
