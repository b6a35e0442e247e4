import type { Address } from "../common/address.ts";
import { isLoopback, sourceKey } from "../common/ip.ts";
import type { Config } from "../config/settings.ts";

/** Counts WebSockets and viewers by HTTP, in all and by address. WEB-705. */
export class WebPlaces {
  readonly #config: () => Config;
  readonly #taken = new Map<string, number>();
  #all = 0;

  constructor(config: () => Config) {
    this.#config = config;
  }

  /** How many there are. */
  get size(): number {
    return this.#all;
  }

  /** Why an address may have no further place; undefined if it may. */
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

  /** @returns gives the place back; may be called again */
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
