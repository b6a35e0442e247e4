import { sleep } from "../../../common/wait.ts";
import { AcceptRate } from "../accept_rate.ts";
import { remember } from "./closing.ts";
import { WorkerConnection } from "./connection.ts";
import { addressOf, isIpv4, say, textOf } from "./output.ts";

/** Open ports by id. */
export const listeners = new Map<number, WorkerListener>();
let lastChild = 0;

/** One TCP port that a script listens on. */
export class WorkerListener {
  readonly #listeners: Deno.TcpListener[];
  readonly #ipv6Only: boolean;
  readonly ended: Promise<void>;
  readonly #rate: AcceptRate;

  constructor(
    readonly id: number,
    hostnames: readonly string[],
    readonly port: number,
    rate: number,
  ) {
    this.#rate = new AcceptRate(rate);
    this.#listeners = listenOn(hostnames, port);
    this.#ipv6Only = !hostnames.includes("0.0.0.0");
    listeners.set(id, this);
    const accepting = this.#listeners.map((listener) => this.#accept(listener));
    this.ended = Promise.all(accepting).then(() => {});
  }

  end(): void {
    listeners.delete(this.id);
    remember(`tcp ${this.port}`, this.ended);
    for (const listener of this.#listeners) listener.close();
  }

  async #accept(listener: Deno.TcpListener): Promise<void> {
    while (listeners.has(this.id)) {
      try {
        const conn = await listener.accept();
        const from = conn.remoteAddr;
        const refused = this.#ipv6Only && isIpv4(from);
        if (refused || !this.#rate.takes(from.hostname, performance.now())) {
          conn.close();
          continue;
        }
        const connection = new WorkerConnection(--lastChild);
        say({
          ev: "accepted",
          id: this.id,
          child: connection.id,
          local: addressOf(conn.localAddr),
          peer: addressOf(from),
        });
        connection.open(conn);
      } catch (error) {
        if (!listeners.has(this.id)) return;
        say({ ev: "failed", id: this.id, error: textOf(error) });
        await sleep(100); // such as too many open files
      }
    }
  }
}

/**
 * Listens on all addresses of this machine, of the families that it has. Where an IPv6 socket serves both
 * families, as on Linux, it takes the port of IPv4 as well.
 *
 * @throws {Error} if listening on the port fails
 */
function listenOn(hostnames: readonly string[], port: number): Deno.TcpListener[] {
  const { AddrInUse, NotCapable, PermissionDenied } = Deno.errors;
  const opened: Deno.TcpListener[] = [];
  let fault: unknown;
  for (const hostname of hostnames) {
    try {
      opened.push(Deno.listen({ hostname, port }));
    } catch (error) {
      const inUse = error instanceof AddrInUse;
      if (inUse && opened.length > 0 && Deno.build.os !== "windows") continue;
      const forbidden = error instanceof NotCapable || error instanceof PermissionDenied;
      fault = error;
      if (hostname === "::" && !inUse && !forbidden) continue; // the machine has no IPv6
      for (const listener of opened) listener.close();
      throw error;
    }
  }
  if (opened.length === 0) throw fault;
  return opened;
}
