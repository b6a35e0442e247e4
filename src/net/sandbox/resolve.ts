// Resolves host names of scripts.
import { canonicalIp } from "../../common/ip.ts";
import { type NameLookup, systemLookups } from "../lookups.ts";

export type { NameLookup };

/** The error in the syntax of a host, or undefined; without a look-up. */
export function hostFault(host: string): string | undefined {
  if (host === "") return "the host is empty";
  if (host.length > 253) return "the host name is too long";
  // deno-lint-ignore no-control-regex
  if (/[\s\x00-\x1f\x7f/@?#\\]/.test(host)) return `"${host}" is not a host`;
  return undefined;
}

/** By the system's resolver. */
const systemLookup: NameLookup = (name) => systemLookups.find(name);

/**
 * All addresses of a host in canonical form, IPv4 first, as most rules name IPv4 addresses.
 *
 * @throws {Error} if the name is unknown
 */
export async function resolve(host: string, lookup: NameLookup = systemLookup): Promise<string[]> {
  const ip = canonicalIp(host);
  if (ip !== undefined) return [ip];
  let found: string[] = [];
  try {
    const records = [...await lookup(host)].sort((a, b) => a.family - b.family);
    found = records.flatMap(({ address }) => canonicalIp(address) ?? []);
  } catch {
    // unknown
  }
  if (found.length === 0) throw new Error(`unknown host "${host}"`);
  return [...new Set(found)];
}
