// The rules for sockets of scripts. The policy is checked before each step; the permissions express the
// same for Deno and bind the worker of the sockets, so that a mistake in one does not open what the
// other closes (DECISIONS 21).

/** A list for Deno's `net` permission, or true for everything. */
export type Permission = readonly string[] | true;

export interface Policy {
  /** Whether a TCP connection may be opened to an address, which a host name may have led to. */
  connect(ip: string, port: number, name?: string): boolean;
  /** Whether a datagram may be sent to an address. */
  udp(ip: string, port: number, name?: string): boolean;
  /** Whether a port of an address of this machine may be listened on, by TCP or UDP. */
  listen(ip: string, port: number): boolean;
  readonly permissions: {
    readonly connect: Permission;
    readonly udp: Permission;
    /**
     * For one address of this machine, as Deno tells listening from connecting by nothing, and for
     * the ports around one, as it reads a long list slowly.
     */
    listen(ip: string, port: number): readonly string[];
  };
  /**
   * Whether an address that may be reached is not among the permissions, as Deno has no words for
   * networks of IPv6, nor for a name whose address is looked at: it gets a worker to itself.
   */
  alone?(rule: "connect" | "udp", ip: string, port: number): boolean;
}

/** Size of a block of ports, aligned to its size; the ports of a block share a worker. */
export const PORT_BLOCK = 1024;

/** How much one application may hold, and how fast. */
export interface Limits {
  /** Sockets of all kinds that are open at once. */
  readonly sockets: number;
  /** Bytes that wait to be sent, all sockets together. */
  readonly buffered: number;
  /**
   * Connections that one listening socket takes a second, a quarter of them from one address at
   * most; more are closed at once.
   */
  readonly acceptsPerSecond: number;
  /** Milliseconds that connecting may take, name resolution included. */
  readonly connectTimeout: number;
  /** Milliseconds that a script waits for a port to be opened; the worker may have to start. */
  readonly openTimeout: number;
}

export const DEFAULT_LIMITS: Limits = {
  sockets: 1024,
  buffered: 32 * 1024 * 1024,
  acceptsPerSecond: 200,
  connectTimeout: 20_000,
  openTimeout: 5_000,
};

/** Which list of `[sandbox]` a step was checked against. */
export type RuleName = "connect" | "listen" | "udp" | "mail";

/** The sandbox does not allow a step; the message names the rule. */
export class SandboxError extends Error {
  override name = "SandboxError";
  constructor(readonly rule: RuleName, what: string) {
    super(`${what} is not allowed by [sandbox] ${rule}`);
  }
}
