import { canonicalIp } from "../common/ip.ts";
import { systemLookups } from "../net/lookups.ts";

/** Lifetime (ms) of an answer, and maximum number of answers kept. */
const LIFETIME = 60_000;
const MAX_NAMES = 1_024;

interface Name {
  ip: string | undefined;
  at: number;
  asking: boolean;
}

/**
 * Resolves host names without waiting: the first request starts a look-up, and a later one gets the result.
 * Clients repeat the handshake that is to be redirected every second or two.
 */
export class HostNames {
  readonly #names = new Map<string, Name>();
  readonly #now: () => number;
  readonly #log: (text: string) => void;
  readonly #lookUp: (name: string) => Promise<string>;

  constructor(
    now: () => number,
    log: (text: string) => void,
    lookUp = systemLookUp,
  ) {
    this.#now = now;
    this.#log = log;
    this.#lookUp = lookUp;
  }

  /** The IP address of a host; undefined if the look-up failed or has not ended yet. */
  resolve(host: string): string | undefined {
    const ip = canonicalIp(host);
    if (ip) return ip;
    let name = this.#names.get(host);
    if (!name) {
      if (this.#names.size >= MAX_NAMES) this.#names.clear();
      this.#names.set(host, name = { ip: undefined, at: -Infinity, asking: false });
    }
    if (!name.asking && this.#now() - name.at >= LIFETIME) this.#ask(host, name);
    return name.ip;
  }

  async #ask(host: string, name: Name): Promise<void> {
    name.asking = true;
    try {
      name.ip = canonicalIp(await this.#lookUp(host));
    } catch (error) {
      name.ip = undefined;
      this.#log(`Cannot resolve host ${host}: ${(error as Error).message}`);
    }
    name.at = this.#now();
    name.asking = false;
  }
}

async function systemLookUp(name: string): Promise<string> {
  const [first] = await systemLookups.find(name);
  if (!first) throw new Error("no address for it");
  return first.address;
}
