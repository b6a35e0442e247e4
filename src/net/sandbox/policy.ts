// The rules for sockets of scripts. The policy is checked before each step; the permissions express the
// same for Deno and bind the worker of the sockets, so that a mistake in one does not open an address that the other closes (DECISIONS 21).

/** A list for Deno's `net` permission, or true for all addresses. */
export type Permission = readonly string[] | true;

export interface SandboxPolicy {
  /** Whether a TCP connection may be opened to an address. @param name the host name it was resolved from */
  connect(ip: string, port: number, name?: string): boolean;
  /** Whether a datagram may be sent to an address. */
  udp(ip: string, port: number, name?: string): boolean;
  /** Whether a port of an address of this machine may be listened on, by TCP or UDP. */
  listen(ip: string, port: number): boolean;
  readonly permissions: {
    readonly connect: Permission;
    readonly udp: Permission;
    /**
     * Permissions for one address of this machine only, as Deno does not distinguish listening from
     * connecting, and for the block of a port only, as Deno parses a long list slowly.
     */
    listen(ip: string, port: number): readonly string[];
  };
  /**
   * Whether an allowed address is not among the permissions, as Deno's lists cannot express networks of
   * IPv6 or resolved names: such an address gets a worker of its own.
   */
  alone?(rule: "connect" | "udp", ip: string, port: number): boolean;
}

/** Size of a block of ports, aligned to its size; the ports of a block share a worker. */
export const PORT_BLOCK = 1024;

/** Limits of one application. */
export interface SocketLimits {
  /** Maximum number of open sockets of all kinds. */
  readonly sockets: number;
  /** Maximum number of bytes that wait to be sent on all sockets together. */
  readonly buffered: number;
  /**
   * Maximum number of connections that a listening socket accepts per second, at most a quarter of
   * them from one address; further ones are closed at once.
   */
  readonly acceptsPerSecond: number;
  /** Maximum time (ms) for connecting, name resolution included. */
  readonly connectTimeout: number;
  /** Maximum time (ms) that a script waits until a port is open; the worker may have to start. */
  readonly openTimeout: number;
}

export const DEFAULT_SOCKET_LIMITS: SocketLimits = {
  sockets: 1024,
  buffered: 32 * 1024 * 1024,
  acceptsPerSecond: 200,
  connectTimeout: 20_000,
  openTimeout: 5_000,
};

/** The list of `[sandbox]` that a step was checked against. */
export type RuleName = "connect" | "listen" | "udp" | "mail";

/** The sandbox does not allow a step; the message names the rule. */
export class SandboxError extends Error {
  override name = "SandboxError";
  constructor(readonly rule: RuleName, what: string) {
    super(`${what} is not allowed by [sandbox] ${rule}`);
  }
}
