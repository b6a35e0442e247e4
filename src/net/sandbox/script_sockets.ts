// The sockets of one application's script, on the thread that runs scripts. Only opening a port blocks,
// as a script gets the outcome at once (SOCK-032, SOCK-042).
import { addressText } from "../../common/address.ts";
import { canonicalIp } from "../../common/ip.ts";
import type { ListenEvents, Tcp, TcpEvents, Udp, UdpEvents } from "../../common/socket_events.ts";
import { Connection } from "./connection.ts";
import { ScriptDatagramSocket } from "./datagrams.ts";
import type { Ledger } from "./ledger.ts";
import { Listener } from "./listener.ts";
import { ANY_ADDRESS } from "./messages.ts";
import { hostFault } from "./resolve.ts";
import type { SocketHost } from "./socket_host.ts";
import { named, portFault } from "./texts.ts";

/** Counts the waiting bytes of all applications. */
interface Memory {
  /** @returns false if the limit is reached */
  take(bytes: number): boolean;
  release(bytes: number): void;
}

/** The sockets of one application. */
export class ScriptSockets {
  readonly #host: SocketHost;
  readonly #open = new Set<{ close(): void }>();
  readonly #memory: Memory | undefined;
  #buffered = 0;

  /** @param memory counts bytes that wait to be sent, in addition to the limit of this application */
  constructor(host: SocketHost, memory?: Memory) {
    this.#host = host;
    this.#memory = memory;
  }

  /** Number of open sockets. */
  get count(): number {
    return this.#open.size;
  }

  /** Closes all sockets without events. */
  close(): void {
    for (const socket of [...this.#open]) socket.close();
  }

  /**
   * Opens a connection; reports the outcome to `events`, never during the call.
   *
   * @returns the reason of an immediate refusal, or the connection, which accepts bytes already
   */
  connect(host: string, port: number, events: TcpEvents): Tcp | string {
    const fault = hostFault(host) ?? portFault(port) ?? this.#crowdFault();
    if (fault) return fault;
    const ip = canonicalIp(host);
    if (ip !== undefined && !this.#host.policy.connect(ip, port)) {
      return this.#host.refuse("connect", `connecting to ${addressText({ hostname: ip, port })}`)
        .message;
    }
    const connection = new Connection(this.#ledger(), events);
    this.#dial(connection, host, port);
    return connection;
  }

  /** Listens on a TCP port. @returns the reason of a failure, or the listening socket */
  listen(port: number, events: ListenEvents): { readonly port: number; close(): void } | string {
    const fault = portFault(port) ?? this.#roomFault();
    if (fault) return fault;
    if (!ANY_ADDRESS.some((ip) => this.#host.policy.listen(ip, port))) {
      return this.#host.refuse("listen", `listening on port ${port} of all addresses`).message;
    }
    const outcome = Listener.open(this.#ledger(), this.#host, port, events);
    if (typeof outcome === "string") return outcome;
    const { openPorts } = this.#host;
    openPorts.add(outcome.port);
    return {
      port: outcome.port,
      close: () => {
        openPorts.delete(outcome.port);
        outcome.close();
      },
    };
  }

  /**
   * Opens a UDP socket.
   *
   * @param port 0 for any free one
   * @param broadcast whether it may send to broadcast addresses, if the policy allows them as well
   * @returns the reason of a failure, or the socket
   */
  bind(hostname: string, port: number, events: UdpEvents, broadcast = false): Udp | string {
    const ip = canonicalIp(hostname);
    const fault = (ip === undefined ? `"${hostname}" is not an IP address` : undefined) ??
      this.#roomFault();
    if (fault || ip === undefined) return fault!;
    if (port !== 0 && !this.#host.policy.listen(ip, port)) {
      return this.#host.refuse("listen", `listening on ${addressText({ hostname: ip, port })}`)
        .message;
    }
    if (port !== 0 && this.#host.udpPorts.taken(ip, port)) return "Address already in use";
    return ScriptDatagramSocket.open(this.#ledger(), this.#host, ip, port, events, broadcast);
  }

  /** Resolves a name, checks every address and connects to the first allowed one. */
  async #dial(connection: Connection, host: string, port: number): Promise<void> {
    const { policy, limits } = this.#host;
    const started = performance.now();
    try {
      const addresses = await this.#host.resolve(host);
      const name = canonicalIp(host) === undefined ? host : undefined;
      const allowed = addresses.find((ip) => policy.connect(ip, port, name));
      if (allowed === undefined) {
        throw this.#host.refuse("connect", `connecting to ${named(host, addresses, port)}`);
      }
      const full = this.#host.descriptors.take();
      if (full !== undefined) throw new Error(full);
      const left = limits.connectTimeout - (performance.now() - started);
      const worker = this.#host.workerFor("connect", allowed, port);
      if (typeof worker === "string") throw new Error(worker);
      connection.connect(worker, allowed, port, Math.max(left, 1));
    } catch (error) {
      connection.fail((error as Error).message);
    }
  }

  #roomFault(): string | undefined {
    return this.#crowdFault() ?? this.#host.descriptors.take();
  }

  #crowdFault(): string | undefined {
    const { sockets } = this.#host.limits;
    return this.#open.size < sockets ? undefined : `${sockets} sockets are open already`;
  }

  #ledger(): Ledger {
    return {
      opened: (socket) => this.#open.add(socket),
      closed: (socket) => this.#open.delete(socket),
      hold: (bytes) => {
        if (this.#buffered + bytes > this.#host.limits.buffered) return false;
        if (this.#memory && !this.#memory.take(bytes)) return false;
        this.#buffered += bytes;
        return true;
      },
      release: (bytes) => {
        this.#buffered -= bytes;
        this.#memory?.release(bytes);
      },
      full: () => this.#roomFault() !== undefined,
    };
  }
}
