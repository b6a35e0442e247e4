/** Waiting took too long; the message says for what. */
export class Timeout extends Error {
  override name = "Timeout";
}

/** Milliseconds that something may take that should happen at once. */
const PATIENCE = 4000;

/** What has come in so far, and a way to wait for what is still to come. */
export class Inbox<T> {
  readonly items: T[] = [];
  #waiting = new Set<() => void>();

  push(item: T): void {
    this.items.push(item);
    for (const check of [...this.#waiting]) check();
  }

  /**
   * Waits until an item is there that a test accepts.
   *
   * @param what for the message of the error
   * @param from the first place to look at
   * @throws {Timeout}
   */
  find(accepts: (item: T) => boolean, what: string, from = 0, patience = PATIENCE): Promise<T> {
    return new Promise((resolve, reject) => {
      let next = from;
      const check = () => {
        for (; next < this.items.length; next++) {
          if (!accepts(this.items[next])) continue;
          this.#waiting.delete(check);
          clearTimeout(timer);
          resolve(this.items[next]);
          return;
        }
      };
      const timer = setTimeout(() => {
        this.#waiting.delete(check);
        reject(new Timeout(`${what}: not within ${patience / 1000} s`));
      }, patience);
      this.#waiting.add(check);
      check();
    });
  }
}

/** Asks again and again until there is an answer: not undefined, null or false. @throws {Timeout} */
export async function until<T>(
  ask: () => T | undefined | Promise<T | undefined>,
  what: string,
  patience = PATIENCE,
): Promise<T> {
  const end = Date.now() + patience;
  for (;;) {
    const answer = await ask();
    if (answer !== undefined && answer !== null && answer !== false) return answer;
    if (Date.now() > end) throw new Timeout(`${what}: not within ${patience / 1000} s`);
    await sleep(25);
  }
}

export const sleep = (milliseconds: number): Promise<void> =>
  new Promise((resolve) => setTimeout(resolve, milliseconds));
