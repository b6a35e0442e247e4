import type { Reader } from "../../bytes/reader.ts";
import { WireError } from "../../bytes/wire_error.ts";
import type { Writer } from "../../bytes/writer.ts";

/**
 * Where a datagram comes from or goes to. `hostname` is an IP address in its canonical text
 * form (IPv6 without brackets; an IPv4 address is never written as IPv6).
 */
export interface Address {
  readonly hostname: string;
  readonly port: number;
}

/** Who says that an address is one of an endpoint's. RFC 7016 §2.1.5. */
export const Origin = { unknown: 0, reported: 1, observed: 2, relay: 3 } as const;
export type Origin = typeof Origin[keyof typeof Origin];

/** An address as it travels in chunks. */
export interface OriginAddress extends Address {
  readonly origin: Origin;
}

const IPV6 = 0x80;
const DOT = 0x2e;
const ZERO = 0x30;

/** Reads an address. Shape: `flags u8 | IP 4 or 16 | port u16`. RFC 7016 §2.1.5. */
export function readAddress(from: Reader): OriginAddress {
  const flags = from.u8();
  const ip = from.bytes(flags & IPV6 ? 16 : 4);
  const port = from.u16();
  return { hostname: ipText(ip), port, origin: (flags & 3) as Origin };
}

/** Writes an address; see {@link readAddress}. */
export function writeAddress(to: Writer, { hostname, port, origin }: OriginAddress): Writer {
  const ip = ipBytes(hostname);
  if (!ip) throw new WireError(`Cannot write "${hostname}": not an IP address`);
  return to.u8(origin | (ip.length === 16 ? IPV6 : 0)).bytes(ip).u16(port);
}

export function sameAddress(a: Address, b: Address): boolean {
  return a === b || (a.port === b.port && a.hostname === b.hostname);
}

/** `ip:port`, or `[ip]:port` for IPv6. */
export function addressText({ hostname, port }: Address): string {
  return hostname.includes(":") ? `[${hostname}]:${port}` : `${hostname}:${port}`;
}

/** Reads what {@link addressText} writes; undefined for anything else, or for port 0. */
export function parseAddress(text: string): Address | undefined {
  const match = /^(?:\[([0-9a-fA-F:.]+)\]|([0-9.]+)):(\d{1,5})$/.exec(text.trim());
  if (!match) return undefined;
  const ip = ipBytes(match[1] ?? match[2]);
  const port = Number(match[3]);
  if (!ip || port < 1 || port > 65535) return undefined;
  return { hostname: ipText(ip), port };
}

/** The canonical text (RFC 5952) of 4 or 16 bytes; an IPv4 address mapped into IPv6 becomes IPv4. */
export function ipText(ip: Uint8Array): string {
  if (ip.length === 4) return ip.join(".");
  const words = Array.from({ length: 8 }, (_, i) => (ip[2 * i] << 8) | ip[2 * i + 1]);
  if (words.slice(0, 5).every((word) => word === 0) && words[5] === 0xffff) {
    return ip.subarray(12).join(".");
  }
  let best = { at: 0, length: 1 }; // a single zero group is not shortened
  for (let at = 0; at < 8; at++) {
    let length = 0;
    while (at + length < 8 && words[at + length] === 0) length++;
    if (length > best.length) best = { at, length };
  }
  const hex = words.map((word) => word.toString(16));
  if (best.length < 2) return hex.join(":");
  return `${hex.slice(0, best.at).join(":")}::${hex.slice(best.at + best.length).join(":")}`;
}

/** 4 or 16 bytes of an IP address in text; undefined if it is none. */
export function ipBytes(text: string): Uint8Array | undefined {
  if (!text.includes(":")) return ipv4Bytes(text);
  const halves = text.split("::");
  if (halves.length > 2) return undefined;
  const groups = halves.map((half) => half === "" ? [] : half.split(":"));
  const bytes = groups.map(groupBytes);
  const [head, tail] = bytes;
  if (!head || (halves.length === 2 && !tail)) return undefined;
  const length = head.length + (tail?.length ?? 0);
  if (halves.length === 1 ? length !== 16 : length > 14) return undefined;
  const ip = new Uint8Array(16);
  ip.set(head);
  if (tail) ip.set(tail, 16 - tail.length);
  return ip;
}

/** Four numbers below 256 without leading zeros. */
function ipv4Bytes(text: string): Uint8Array | undefined {
  const ip = new Uint8Array(4);
  let part = 0;
  let start = 0;
  let value = 0;
  for (let at = 0; at <= text.length; at++) {
    const code = at < text.length ? text.charCodeAt(at) : DOT;
    if (code === DOT) {
      const digits = at - start;
      if (part === 4 || digits === 0 || value > 255) return undefined;
      if (digits > 1 && text.charCodeAt(start) === ZERO) return undefined;
      ip[part++] = value;
      start = at + 1;
      value = 0;
    } else if (code >= ZERO && code <= ZERO + 9) value = value * 10 + code - ZERO;
    else return undefined;
  }
  return part === 4 ? ip : undefined;
}

/** The bytes of groups between colons, of which the last may be an IPv4 address. */
function groupBytes(groups: string[]): number[] | undefined {
  const bytes: number[] = [];
  for (const [i, group] of groups.entries()) {
    if (/^[0-9a-fA-F]{1,4}$/.test(group)) {
      const word = parseInt(group, 16);
      bytes.push(word >> 8, word & 255);
      continue;
    }
    const ipv4 = i === groups.length - 1 ? ipv4Bytes(group) : undefined;
    if (!ipv4) return undefined;
    bytes.push(...ipv4);
  }
  return bytes;
}
