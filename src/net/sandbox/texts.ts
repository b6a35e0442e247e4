// Texts of addresses for scripts and operators.
import { addressText } from "../../common/address.ts";
import { canonicalIp } from "../../common/ip.ts";

/** A host as the script named it, with its address. */
export function named(host: string, addresses: string[], port: number): string {
  const [hostname = ""] = addresses;
  const ip = addressText({ hostname, port });
  return hostname === canonicalIp(host) ? ip : `${host} (${ip})`;
}

/** The error of an invalid port number, or undefined. */
export function portFault(port: number): string | undefined {
  return Number.isInteger(port) && port >= 1 && port <= 65535
    ? undefined
    : `invalid port ${port} (1 to 65535)`;
}
