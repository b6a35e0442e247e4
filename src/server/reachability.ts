import { isLoopback } from "../common/ip.ts";

/** Minimum ms between two look-ups of this machine's addresses. */
const LOOKUP_INTERVAL = 60_000;

/** Detects whether clients from outside of this machine's networks reach it. */
export class Reachability {
  #lastFromOutside: number | null = null;
  #local: ReadonlySet<string> = new Set();
  #localAt = -Infinity;

  /** Notes the first packet of a client. */
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

  /** IP addresses of this machine, at most {@link LOOKUP_INTERVAL} old. */
  get localAddresses(): ReadonlySet<string> {
    const now = performance.now();
    if (now - this.#localAt > LOOKUP_INTERVAL) {
      this.#localAt = now;
      try {
        this.#local = new Set(Deno.networkInterfaces().map(({ address }) => address));
      } catch {
        // no permission (--allow-sys)
      }
    }
    return this.#local;
  }

  #isOutside(ip: string): boolean {
    return !isLoopback(ip) && !this.localAddresses.has(ip);
  }
}
