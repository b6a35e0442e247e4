import type { Address } from "../common/address.ts";
import { mapped } from "../common/ip.ts";

/** An address with its form for the system, created once for all its datagrams. */
export class Remote implements Address {
  /** For {@link Deno.DatagramConn}: on an IPv6 socket an IPv4 address is mapped into IPv6. */
  readonly wire: Deno.NetAddr;
  /** The address in the form of another implementation, if it has one. */
  raw: Uint8Array | undefined;
  /** Whether the system takes several datagrams to this address in one message. */
  segmented = true;

  constructor(readonly hostname: string, readonly port: number, ipv6: boolean) {
    this.wire = {
      transport: "udp",
      hostname: ipv6 ? mapped(hostname) : hostname,
      port,
    };
  }
}

/** Maximum number of values in a generation. */
const GENERATION = 8_192;

/** Cache of recently used values by key: keeps at most two generations. */
export class Recent<K, V> {
  #young = new Map<K, V>();
  #old = new Map<K, V>();

  get(key: K): V | undefined {
    const value = this.#young.get(key);
    if (value !== undefined) return value;
    const old = this.#old.get(key);
    if (old !== undefined) this.set(key, old);
    return old;
  }

  set(key: K, value: V): void {
    if (this.#young.size >= GENERATION) {
      this.#old = this.#young;
      this.#young = new Map();
    }
    this.#young.set(key, value);
  }
}
