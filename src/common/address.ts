import { ipBytes, ipText } from "./ip.ts";

/**
 * One end of a connection, or where a datagram comes from or goes to. `hostname` is an IP address in
 * its canonical text form (IPv6 without brackets; an IPv4 address is never written as IPv6), unless
 * the owner says that it may be a host name.
 */
export interface Address {
  readonly hostname: string;
  readonly port: number;
}

/** Whether two addresses are the same; both in canonical form. */
export function sameAddress(a: Address, b: Address): boolean {
  return a === b || (a.port === b.port && a.hostname === b.hostname);
}

/** `ip:port`, or `[ip]:port` for IPv6. */
export function addressText({ hostname, port }: Address): string {
  return `${hostText(hostname)}:${port}`;
}

/** A host as URLs have it: IPv6 in brackets. */
export function hostText(hostname: string): string {
  return hostname.includes(":") ? `[${hostname}]` : hostname;
}

/** Reads what {@link addressText} writes; undefined for anything else, or for port 0. */
export function parseAddress(text: string): Address | undefined {
  const [, ipv6, ipv4 = "", digits] =
    /^(?:\[([0-9a-fA-F:.]+)\]|([0-9.]+)):(\d{1,5})$/.exec(text.trim()) ?? [];
  if (digits === undefined) return undefined;
  const ip = ipBytes(ipv6 ?? ipv4);
  const port = Number(digits);
  if (!ip || port < 1 || port > 65535) return undefined;
  return { hostname: ipText(ip), port };
}
