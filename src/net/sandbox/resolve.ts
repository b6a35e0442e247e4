// From what a script calls a host to the addresses that are checked and then used.
import { type Lookup, systemLookups } from "../lookups.ts";

export type { Lookup };

const IPV4 = /^((25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)(\.(?!$)|$)){4}$/;

/**
 * An IP address in the one form that rules are held against: an IPv4 address that is mapped
 * into IPv6 as IPv4, no zone, no brackets.
 *
 * @returns undefined if the text is no IP address; `127.1` and the like are host names here
 */
export function canonicalIp(text: string): string | undefined {
  const [bare] = text.replace(/^\[(.*)\]$/, "$1").split("%", 1);
  if (IPV4.test(bare)) return bare;
  const url = bare.includes(":") && /^[\da-f:.]+$/i.test(bare)
    ? URL.parse(`http://[${bare}]/`)
    : null;
  if (!url) return undefined;
  const ipv6 = url.hostname.slice(1, -1);
  const mapped = /^::ffff:([0-9a-f]{1,4}):([0-9a-f]{1,4})$/.exec(ipv6);
  if (!mapped) return ipv6;
  const words = [parseInt(mapped[1], 16), parseInt(mapped[2], 16)];
  return words.flatMap((word) => [word >> 8, word & 255]).join(".");
}

/** Why a host can be none, or undefined; what it costs nothing to find out. */
export function hostFault(host: string): string | undefined {
  if (host === "") return "the host is empty";
  if (host.length > 253) return "the host name is too long";
  // deno-lint-ignore no-control-regex
  if (/[\s\x00-\x1f\x7f/@?#\\]/.test(host)) return `"${host}" is no host`;
  return undefined;
}

/** By the system's resolver. */
const systemLookup: Lookup = (name) => systemLookups.find(name);

/**
 * All addresses of a host, in canonical form, IPv4 first: most hosts of a list of rules are.
 *
 * @throws {Error} saying that the name is not known
 */
export async function resolve(host: string, lookup: Lookup = systemLookup): Promise<string[]> {
  const ip = canonicalIp(host);
  if (ip !== undefined) return [ip];
  let found: string[] = [];
  try {
    const records = [...await lookup(host)].sort((a, b) => a.family - b.family);
    found = records.flatMap(({ address }) => canonicalIp(address) ?? []);
  } catch {
    // not known
  }
  if (found.length === 0) throw new Error(`host "${host}" is not known`);
  return [...new Set(found)];
}
