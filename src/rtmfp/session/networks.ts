// Which addresses of an endpoint another one can reach: RFC 1918, RFC 6598, RFC 3927, RFC 4193, RFC 4291.
import type { Address } from "../../common/address.ts";
import { ipBytes } from "../../common/ip.ts";

/**
 * Where an address can be reached from: everywhere, within a private network, within one machine, or
 * nowhere (multicast, link-local and unspecified addresses).
 */
type Reach = "everywhere" | "network" | "machine" | "nowhere";

function reachOf(ip: Uint8Array): Reach {
  const [a = 0, b = 0] = ip;
  if (ip.length === 16) {
    if (ip.subarray(0, 15).every((byte) => byte === 0)) return ip[15] === 1 ? "machine" : "nowhere";
    if ((a & 0xfe) === 0xfc) return "network";
    return a === 0xff || (a === 0xfe && b >= 0x80 && b <= 0xbf) ? "nowhere" : "everywhere";
  }
  if (a === 127) return "machine";
  const isPrivate = a === 10 || (a === 172 && b >> 4 === 1) || (a === 192 && b === 168) ||
    (a === 100 && b >> 6 === 1);
  if (isPrivate) return "network";
  return a === 0 || a >= 224 || (a === 169 && b === 254) ? "nowhere" : "everywhere";
}

/** Addresses of an endpoint: the one it is seen at, and those it reports. */
export interface Whereabouts {
  readonly observed: Address;
  readonly reported: readonly Address[];
}

/**
 * The reported addresses of `one` that `other` can reach: private ones if both are in one network,
 * loopback ones if both are on one machine. Two endpoints are in one network if the server sees them at
 * the same address (a NAT's, or an IPv6 prefix), or both at private addresses.
 */
export function usableAddresses(one: Whereabouts, other: Whereabouts): Address[] {
  if (one.reported.length === 0) return [];
  const ips = (where: Whereabouts) => [where.observed, ...where.reported].map(ipOf);
  const [near, far] = [ips(one), ips(other)];
  const seen = [near[0], far[0]].map((ip) => ip ? reachOf(ip) : "nowhere");
  const local = (reach: Reach) => reach === "network" || reach === "machine";
  const sameMachine = one.observed.hostname === other.observed.hostname ||
    seen.every((reach) => reach === "machine");
  let sameNetwork: boolean | undefined;
  return one.reported.filter((_, i) => {
    const ip = near[i + 1];
    const reach = ip ? reachOf(ip) : "nowhere";
    if (reach === "everywhere") return true;
    if (reach === "machine") return sameMachine;
    if (reach === "nowhere") return false;
    return sameNetwork ??= seen.every(local) ||
      near.some((a) => far.some((b) => a && b && areOneSite(a, b)));
  });
}

const ipOf = ({ hostname }: Address) => ipBytes(hostname);

/** Whether two public addresses are of one site: equal for IPv4, the first 64 bits for IPv6. */
function areOneSite(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length || reachOf(a) !== "everywhere") return false;
  const length = a.length === 16 ? 8 : 4;
  return a.subarray(0, length).every((byte, i) => byte === b[i]);
}
