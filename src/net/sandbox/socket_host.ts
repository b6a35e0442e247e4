// Shared by the sockets of all applications: the policy, the workers and the counts.
import { addressText } from "../../common/address.ts";
import { within } from "../../common/wait.ts";
import { type Descriptors, descriptors as ownDescriptors } from "../descriptors.ts";
import {
  DEFAULT_SOCKET_LIMITS,
  type Permission,
  PORT_BLOCK,
  type RuleName,
  SandboxError,
  type SandboxPolicy,
  type SocketLimits,
} from "./policy.ts";
import { ANY_ADDRESS } from "./messages.ts";
import { type NameLookup, resolve } from "./resolve.ts";
import { UdpPorts } from "./udp_ports.ts";
import { WorkerLink } from "./worker_link.ts";

/** Maximum number of workers for one address each; a new one replaces an idle one. */
const MAX_ALONE = 16;
/** Maximum number of workers for ports; likewise. */
const MAX_FOR_PORTS = 16;
/** Maximum number of workers, about 9 MB each, including ending ones that still send for some seconds. */
const MAX_WORKERS = 48;
/** Maximum number of blocks of ports that are prepared. */
const MAX_BLOCKS = 8;

/** The sockets that scripts are likely to open. */
export interface Expected {
  /** Ports that they may listen on or bind. */
  readonly ports: readonly number[];
  /** Whether they may open connections. */
  readonly connects: boolean;
}

export class SocketHost {
  readonly refusals: Record<RuleName, number> = { connect: 0, listen: 0, udp: 0, mail: 0 };
  /** Ports that scripts listen on. */
  readonly openPorts = new Set<number>();
  /** UDP ports that scripts have chosen. */
  readonly udpPorts = new UdpPorts();
  readonly #workers = new Map<string, WorkerLink>();
  /** Workers for single addresses by address, the most recently used last. */
  readonly #alone = new Map<string, WorkerLink>();
  readonly #retired = new Set<WorkerLink>();
  #policy: SandboxPolicy;
  #limits: SocketLimits;

  readonly #lookup: NameLookup | undefined;
  readonly descriptors: Descriptors;

  /**
   * @param lookup finds the addresses of names; the system's resolver by default
   * @param descriptors of the process
   */
  constructor(
    policy: SandboxPolicy,
    limits: SocketLimits = DEFAULT_SOCKET_LIMITS,
    lookup?: NameLookup,
    descriptors: Descriptors = ownDescriptors,
  ) {
    this.descriptors = descriptors;
    this.#policy = policy;
    this.#limits = limits;
    this.#lookup = lookup;
  }

  /** The addresses of a host. @throws {Error} if it has none, or the look-up times out */
  resolve(host: string): Promise<string[]> {
    const { connectTimeout } = this.#limits;
    const late = `resolving "${host}" took more than ${connectTimeout / 1000} s`;
    return within(resolve(host, this.#lookup), connectTimeout, late);
  }

  get policy(): SandboxPolicy {
    return this.#policy;
  }

  get limits(): SocketLimits {
    return this.#limits;
  }

  /** Applies another policy and other limits; open sockets stay. */
  reload(policy: SandboxPolicy, limits: SocketLimits): void {
    this.#limits = limits;
    if (policy === this.#policy) return;
    this.#policy = policy;
    for (const worker of new Set([...this.#workers.values(), ...this.#alone.values()])) {
      this.#retire(worker);
    }
    this.#workers.clear();
    this.#alone.clear();
  }

  #retire(worker: WorkerLink): void {
    this.#retired.add(worker);
    worker.retire(() => this.#retired.delete(worker));
  }

  /**
   * Starts the workers that scripts will need: a later start would delay clients, as it blocks this thread
   * for 30 to 80 ms, until Deno's worker is up.
   */
  prepare({ ports, connects }: Expected): void {
    const { listen, permissions: { connect } } = this.#policy;
    const allowed = ports.filter((port) => ANY_ADDRESS.some((ip) => listen(ip, port)));
    const blocks = [...new Map(allowed.map((port) => [blockOf(port), port])).values()]
      .slice(0, MAX_BLOCKS);
    const kind = this.#together() ? "bound" : "listen";
    const missing = (key: string) => !this.#workers.has(key);
    const keys = blocks.map((port) => this.#keyOf(kind, port)).filter(missing);
    if (keys.length > 0) {
      if (kind === "bound") keys.push(...["udp"].filter(missing));
      this.#start(this.#workers, keys, this.#portsPermission(kind, blocks));
    }
    if (connects && (connect === true || connect.length > 0)) this.#listed("connect");
  }

  /** The worker of connections, or of UDP sockets at any port; starts at first use. */
  #listed(kind: "connect" | "udp"): WorkerLink {
    const { permissions } = this.#policy;
    return this.#workers.get(kind) ??
      this.#start(
        this.#workers,
        [kind],
        kind === "udp" ? anyPort(permissions.udp) : permissions.connect,
      );
  }

  /**
   * The worker of TCP servers in the block of a port. They listen on all addresses of this machine.
   *
   * @returns the reason if there is none
   */
  listening(port: number): WorkerLink | string {
    return this.#ports("listen", port);
  }

  /**
   * The worker of UDP sockets bound to an address of this machine.
   *
   * @returns the reason if there is none
   */
  bound(ip: string, port: number): WorkerLink | string {
    if (isAny(ip)) return port === 0 ? this.#listed("udp") : this.#ports("bound", port);
    const { udp, listen } = this.#policy.permissions;
    return this.#single(`bound ${ip} ${blockOf(port)}`, () => {
      const own = [...listen(ip, port), addressText({ hostname: ip, port: 0 })];
      return udp === true ? true : [...udp, ...own];
    });
  }

  #ports(kind: "listen" | "bound", port: number): WorkerLink | string {
    const key = this.#keyOf(kind, port);
    const worker = this.#workers.get(key);
    if (worker) return worker;
    const fault = this.#roomForPorts() ?? this.#crowd();
    return fault ?? this.#start(this.#workers, [key], this.#portsPermission(kind, [port]));
  }

  /** Retires an idle worker for ports if there are too many. @returns the reason if none is idle */
  #roomForPorts(): string | undefined {
    const entries = [...this.#workers];
    const links = new Set(entries.filter(([key]) => key.includes(" ")).map(([, link]) => link));
    if (links.size < MAX_FOR_PORTS) return undefined;
    const idle = [...links].find(({ idle }) => idle);
    if (!idle) return `${MAX_FOR_PORTS} blocks of ${PORT_BLOCK} ports are in use`;
    for (const [key, link] of entries) if (link === idle) this.#workers.delete(key);
    this.#retire(idle);
    return undefined;
  }

  /** The reason why no more workers can start now, or undefined. */
  #crowd(): string | undefined {
    const count = new Set(this.#workers.values()).size + this.#alone.size + this.#retired.size;
    return count < MAX_WORKERS
      ? undefined
      : `${MAX_WORKERS} workers of sockets are in use or ending: try again later`;
  }

  #keyOf(kind: "listen" | "bound", port: number): string {
    return `${this.#together() ? "ports" : kind} ${blockOf(port)}`;
  }

  /** Permission for the blocks of some ports on all addresses of this machine, and for UDP for the allowed destinations. */
  #portsPermission(kind: "listen" | "bound", ports: readonly number[]): Permission {
    const { udp, listen } = this.#policy.permissions;
    const own = ports.flatMap((port) => ANY_ADDRESS.flatMap((ip) => listen(ip, port)));
    if (kind === "listen" && !this.#together()) return own;
    return udp === true ? true : [...anyPort(udp) as string[], ...own];
  }

  /**
   * Whether TCP servers and UDP sockets share workers: Deno does not distinguish TCP from UDP, so they can
   * only where TCP is allowed to all addresses of UDP, as by default.
   */
  #together(): boolean {
    const { connect, udp } = this.#policy.permissions;
    if (connect === true) return true;
    const hosts = new Set(connect);
    return udp !== true && udp.every((host) => hosts.has(host));
  }

  /**
   * The worker for an address that the policy allows.
   *
   * @returns the reason if there is none
   */
  workerFor(kind: "connect" | "udp", ip: string, port: number): WorkerLink | string {
    if (!this.#policy.alone?.(kind, ip, port)) return this.#listed(kind);
    const address = addressText({ hostname: ip, port });
    return this.#single(
      `${kind} ${address}`,
      () => kind === "udp" ? anyPort([address]) : [address],
    );
  }

  /** A worker for one address; retires an idle one if there are too many. */
  #single(key: string, permission: () => Permission): WorkerLink | string {
    const worker = this.#alone.get(key);
    const crowd = worker ? undefined : this.#crowd();
    if (crowd) return crowd;
    this.#alone.delete(key);
    if (!worker && this.#alone.size >= MAX_ALONE) {
      const idle = [...this.#alone].find(([, { idle }]) => idle);
      if (!idle) return `${MAX_ALONE} workers for addresses of networks or names are in use`;
      this.#alone.delete(idle[0]);
      this.#retire(idle[1]);
    }
    if (!worker) return this.#start(this.#alone, [key], permission());
    this.#alone.set(key, worker);
    return worker;
  }

  #start(into: Map<string, WorkerLink>, keys: readonly string[], net: Permission): WorkerLink {
    const link = new WorkerLink(net, this.#limits.openTimeout, () => {
      for (const key of keys) if (into.get(key) === link) into.delete(key);
    });
    for (const key of keys) into.set(key, link);
    return link;
  }

  refuse(rule: RuleName, what: string): SandboxError {
    this.refusals[rule]++;
    return new SandboxError(rule, what);
  }

  close(): void {
    for (const workers of [new Set(this.#workers.values()), this.#alone.values(), this.#retired]) {
      for (const worker of workers) worker.terminate();
    }
    this.#workers.clear();
    this.#alone.clear();
    this.#retired.clear();
  }
}

const isAny = (ip: string) => (ANY_ADDRESS as readonly string[]).includes(ip);

const blockOf = (port: number): number => Math.floor(port / PORT_BLOCK);

/** A UDP socket is bound to a port before it sends; any port is allowed if none is given. */
function anyPort(udp: Permission): Permission {
  return udp === true
    ? true
    : [...udp, ...ANY_ADDRESS.map((ip) => addressText({ hostname: ip, port: 0 }))];
}
