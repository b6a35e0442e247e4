import { isLoopback } from "../common/ip.ts";

/** Time (ms) for which the addresses of this machine are cached. */
const LOOKUP_INTERVAL = 60_000;

/** Detects whether clients from outside of this machine's networks reach it. */
export class Reachability {
  #lastFromOutside: number | null = null;
  #local: ReadonlySet<string> = new Set();
  #localAt = -Infinity;

  /** A client's first packet has come. */
  helloFrom(ip: string): void {
    if (this.#isOutside(ip)) this.#lastFromOutside = Date.now();
  }

  /** Notes a packet of a client at an address. @param at ms since 1970 */
  heard(ip: string, at: number): void {
    if (!this.#isOutside(ip)) return;
    this.#lastFromOutside = Math.max(this.#lastFromOutside ?? 0, Math.round(at));
  }

  /** Time of the last packet from outside, in ms since 1970. */
  get lastFromOutside(): number | null {
    return this.#lastFromOutside;
  }

  /** Addresses of this machine, refreshed from time to time. */
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
