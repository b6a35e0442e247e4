// Rules about addresses in `[sandbox]` and `[servers] allow`: DECISIONS 19 and 21.
import { ipBytes } from "../common/ip.ts";

/** The addresses that share the first `bits` bits with a given one. */
export interface Range {
  readonly ip: Uint8Array;
  readonly bits: number;
}

/** The hosts of a rule. */
type Hosts =
  | { readonly kind: "any" | "public" | "private" | "loopback" }
  | { readonly kind: "range"; readonly range: Range }
  /** A name as a client asks for it; `*.` at its beginning stands for any names before it. */
  | { readonly kind: "name"; readonly name: string };

/** One entry of a list: which hosts, and which of their ports. */
export interface AddressRule {
  /** The text of the rule. */
  readonly text: string;
  readonly hosts: Hosts;
  /** The ports, both included. */
  readonly from: number;
  readonly to: number;
  /**
   * @param ip the address to connect to
   * @param port its port
   * @param name the name that was resolved to `ip`, if any
   */
  matches(ip: string, port: number, name?: string): boolean;
}

/** The form of an {@link AddressRule}, completing "expected …". */
export const addressRuleForm =
  "host, host:port, host:from-to, where host is a name, *.name, an IP address, address/bits, " +
  "public, private, loopback or *";

/** Reads one rule; undefined if the text is invalid. */
export function parseAddressRule(text: string): AddressRule | undefined {
  const match =
    /^(?:\[([0-9a-fA-F:.]+(?:\/\d{1,3})?)\]|([^:\s[\]]+)|([0-9a-fA-F:.]+(?:\/\d{1,3})?))(?::(\*|\d{1,5}(?:-\d{1,5})?))?$/
      .exec(text.trim());
  if (!match) return undefined;
  const [, bracketed, plain, ipv6 = "", ports] = match;
  const host = bracketed ?? plain;
  if (host === undefined && ipv6.split(":").length < 3) return undefined; // no IPv6 address
  const hosts = parseHosts((host ?? ipv6).toLowerCase());
  const [from, to] = parsePorts(ports);
  if (!hosts || !(from <= to) || to > 65535) return undefined;
  return {
    text,
    hosts,
    from,
    to,
    matches: (ip, port, name) =>
      port >= from && port <= to && includes(hosts, ip, name?.toLowerCase()),
  };
}

function parsePorts(text: string | undefined): [number, number] {
  if (text === undefined || text === "*") return [0, 65535];
  const [from = 0, to = from] = text.split("-").map(Number);
  return [from, to];
}

function parseHosts(host: string): Hosts | undefined {
  if (host === "*") return { kind: "any" };
  if (host === "public" || host === "private" || host === "loopback") return { kind: host };
  const range = parseRange(host);
  if (range) return { kind: "range", range };
  const named = /^(\*\.)?[a-z0-9_]([a-z0-9_.-]*[a-z0-9])?$/.test(host) && /[a-z]/.test(host);
  return named ? { kind: "name", name: host } : undefined;
}

function includes(hosts: Hosts, ip: string, name: string | undefined): boolean {
  switch (hosts.kind) {
    case "any":
      return true;
    case "public":
      return within(ip, GLOBAL) && !within(ip, SPECIAL);
    case "private":
      return within(ip, PRIVATE);
    case "loopback":
      return within(ip, LOOPBACK);
    case "range":
      return within(ip, [hosts.range]);
    case "name":
      return hosts.name.startsWith("*.")
        ? name?.endsWith(hosts.name.slice(1)) ?? false
        : name === hosts.name;
  }
}

function parseRange(text: string): Range | undefined {
  const [address = "", suffix] = text.split("/");
  const ip = ipBytes(address);
  if (suffix === "") return undefined;
  const bits = suffix === undefined ? (ip?.length ?? 0) * 8 : Number(suffix);
  return ip && bits <= ip.length * 8 ? { ip, bits } : undefined;
}

const ranges = (text: string) => text.split(" ").map((range) => parseRange(range)!);
export const PRIVATE = ranges("10.0.0.0/8 172.16.0.0/12 192.168.0.0/16 fc00::/7");
export const LOOPBACK = ranges("127.0.0.0/8 ::1/128");
/** IANA's special-purpose ranges; of IPv6, those within 2000::/3, and those that hold IPv4. */
export const SPECIAL = ranges(
  "0.0.0.0/8 10.0.0.0/8 100.64.0.0/10 127.0.0.0/8 169.254.0.0/16 172.16.0.0/12 192.0.0.0/24 " +
    "192.0.2.0/24 192.88.99.0/24 192.168.0.0/16 198.18.0.0/15 198.51.100.0/24 203.0.113.0/24 " +
    "224.0.0.0/3 2001::/23 2001:db8::/32 2002::/16 3fff::/20",
);
const GLOBAL = ranges("0.0.0.0/0 2000::/3");

function within(text: string, ranges: readonly Range[]): boolean {
  const ip = ipBytes(text);
  return ip !== undefined && ranges.some((range) => {
    if (range.ip.length !== ip.length) return false;
    return range.ip.every((byte, i) => {
      const bits = Math.min(8, Math.max(0, range.bits - 8 * i));
      return ((byte ^ (ip[i] ?? 0)) >> (8 - bits)) === 0;
    });
  });
}
