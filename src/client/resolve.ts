import type { Address } from "../common/address.ts";
import { ipBytes } from "../common/ip.ts";
import { systemLookups } from "../net/lookups.ts";
import { ConnectionError } from "./status.ts";

/**
 * The addresses of a host, at most 8, as the system resolves names.
 *
 * @throws {ConnectionError} if it has none
 */
export async function resolve(
  { hostname, port }: { hostname: string; port: number },
): Promise<Address[]> {
  if (ipBytes(hostname)) return [{ hostname, port }];
  try {
    const found = await systemLookups.find(hostname);
    if (found.length > 0) {
      return found.slice(0, 8).map(({ address }) => ({ hostname: address, port }));
    }
  } catch {
    // one message for all errors
  }
  throw new ConnectionError(`Cannot find a host named ${hostname}`);
}
