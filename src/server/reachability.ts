import { isLoopback } from "../common/ip.ts";

/** How long the addresses of this machine are taken for the same, in milliseconds. */
const LOOKUP_INTERVAL = 60_000;

/** Whether clients from outside of this machine's networks reach it. */
export class Reachability {
  #lastFromOutside: number | null = null;
  #local: ReadonlySet<string> = new Set();
  #localAt = -Infinity;

  /** A client's first packet has come. */
  helloFrom(ip: string): void {
    if (this.#isOutside(ip)) this.#lastFromOutside = Date.now();
  }

  /** A client has been heard of at an address. @param at ms since 1970 */
  heard(ip: string, at: number): void {
    if (!this.#isOutside(ip)) return;
    this.#lastFromOutside = Math.max(this.#lastFromOutside ?? 0, Math.round(at));
  }

  /** When a client from outside was heard last, in ms since 1970. */
  get lastFromOutside(): number | null {
    return this.#lastFromOutside;
  }

  /** Addresses of this machine, looked up once in a while. */
  get localAddresses(): ReadonlySet<string> {
    const now = performance.now();
    if (now - this.#localAt > LOOKUP_INTERVAL) {
      this.#localAt = now;
      try {
        this.#local = new Set(Deno.networkInterfaces().map(({ address }) => address));
      } catch {
        // not allowed to know (--allow-sys)
      }
    }
    return this.#local;
  }

  #isOutside(ip: string): boolean {
    return !isLoopback(ip) && !this.localAddresses.has(ip);
  }
}
