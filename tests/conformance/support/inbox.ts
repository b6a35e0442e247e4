import { PATIENCE, Timeout } from "../../support/wait.ts";

/** Received items, and a way to wait for further ones. */
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
