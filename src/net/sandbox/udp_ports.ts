import { ANY_ADDRESS } from "./messages.ts";

/**
 * The UDP ports that scripts have chosen: the system lets several sockets of one program share a port, so one
 * application could receive the datagrams of another.
 */
export class UdpPorts {
  readonly #byPort = new Map<number, Set<string>>();

  /** Whether a port is taken at an address, or at all addresses. */
  taken(ip: string, port: number): boolean {
    const taken = this.#byPort.get(port);
    return taken !== undefined && (isAny(ip) || taken.has(ip) || [...taken].some(isAny));
  }

  take(ip: string, port: number): void {
    const taken = this.#byPort.get(port);
    if (taken) taken.add(ip);
    else this.#byPort.set(port, new Set([ip]));
  }

  release(ip: string, port: number): void {
    const taken = this.#byPort.get(port);
    taken?.delete(ip);
    if (taken?.size === 0) this.#byPort.delete(port);
  }
}

const isAny = (ip: string) => (ANY_ADDRESS as readonly string[]).includes(ip);
