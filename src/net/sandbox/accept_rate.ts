import { isLoopback, sourceKey, unmapped } from "../../common/ip.ts";

/** Maximum share of the connections per address. */
const MAX_SHARE = 1 / 4;

/**
 * Limits the connections per second of a listening socket, so that a flood from one address does not keep
 * others out. Programs on this machine, which may be proxies, have only the total
 * limit.
 */
export class AcceptRate {
  readonly #rate: number;
  #second = -1;
  #taken = 0;
  /** By address (IPv6: by /64). */
  readonly #bySource = new Map<string, number>();

  /** @param rate maximum number of connections per second */
  constructor(rate: number) {
    this.#rate = rate;
  }

  /**
   * Whether to accept one more connection; counts it.
   *
   * @param ip its remote address
   * @param now in milliseconds
   */
  takes(ip: string, now: number): boolean {
    const second = Math.floor(now / 1000);
    if (second !== this.#second) {
      this.#second = second;
      this.#taken = 0;
      this.#bySource.clear();
    }
    if (this.#taken >= this.#rate) return false;
    const hostname = unmapped(ip);
    if (!isLoopback(hostname)) {
      const source = sourceKey(hostname);
      const count = this.#bySource.get(source) ?? 0;
      if (count >= Math.ceil(this.#rate * MAX_SHARE)) return false;
      this.#bySource.set(source, count + 1);
    }
    this.#taken++;
    return true;
  }
}
