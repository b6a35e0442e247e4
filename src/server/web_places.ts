import type { Address } from "../common/address.ts";
import { isLoopback, sourceKey } from "../common/ip.ts";
import type { Config } from "../config/settings.ts";

/** Counts WebSockets and HTTP viewers, in total and by address. WEB-705. */
export class WebPlaces {
  readonly #config: () => Config;
  readonly #taken = new Map<string, number>();
  #all = 0;

  constructor(config: () => Config) {
    this.#config = config;
  }

  /** Number of taken places. */
  get size(): number {
    return this.#all;
  }

  /** Reason why an address gets no further place; undefined if it gets one. */
  full(from: Address): string | undefined {
    const config = this.#config();
    if (this.#all >= config["web.viewers"]) {
      return `The server has ${config["web.viewers"]} viewers, its limit: [web] viewers`;
    }
    if (isLoopback(from.hostname)) return undefined;
    const most = config["web.viewersOfAddress"];
    const taken = this.#taken.get(sourceKey(from.hostname)) ?? 0;
    return taken >= most ? `Your address has ${most} viewers, the limit` : undefined;
  }

  /** Takes a place. @returns a function that frees it; further calls have no effect */
  take(from: Address): () => void {
    const key = sourceKey(from.hostname);
    this.#all++;
    this.#taken.set(key, (this.#taken.get(key) ?? 0) + 1);
    let taken = true;
    return () => {
      if (!taken) return;
      taken = false;
      this.#all--;
      const left = this.#taken.get(key)! - 1;
      if (left > 0) this.#taken.set(key, left);
      else this.#taken.delete(key);
    };
  }
}
