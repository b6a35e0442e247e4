// IP addresses as text and as bytes.
import { toHex } from "../bytes/hex.ts";

const DOT = 0x2e;
const ZERO = 0x30;

/** The canonical text (RFC 5952) of 4 or 16 bytes; an IPv4 address mapped into IPv6 becomes IPv4. */
export function ipText(ip: Uint8Array): string {
  if (ip.length === 4) return ip.join(".");
  const view = new DataView(ip.buffer, ip.byteOffset, ip.byteLength);
  const words = Array.from({ length: 8 }, (_, i) => view.getUint16(2 * i));
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

/** The 4 or 16 bytes of an IP address; undefined if the text is not one. */
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

/** The bytes of groups between colons; the last group may be an IPv4 address. */
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

/**
 * The canonical text of an IP address, without brackets and zone: the one form that addresses are
 * compared in and rules are applied to.
 *
 * @returns undefined if the text is not an IP address; `127.1` and the like are host names here
 */
export function canonicalIp(text: string): string | undefined {
  const [bare = ""] = text.replace(/^\[(.*)\]$/, "$1").split("%", 1);
  const ip = ipBytes(bare);
  return ip && (ip.length === 4 ? bare : ipText(ip));
}

/** An IPv4 address that is mapped into IPv6 as IPv4; any other text as it is. */
export function unmapped(hostname: string): string {
  return hostname.startsWith("::ffff:") && hostname.includes(".") ? hostname.slice(7) : hostname;
}

/** An IPv4 address mapped into IPv6, as sockets of both families take it; any other text as it is. */
export function mapped(hostname: string): string {
  return hostname.includes(":") ? hostname : `::ffff:${hostname}`;
}

/**
 * The source that an address is counted under: an IPv4 address, or the /64 network of an IPv6
 * address, since one owner is likely to have all of it.
 *
 * @param hostname canonical text
 */
export function sourceKey(hostname: string): string {
  if (!hostname.includes(":")) return hostname;
  const ip = ipBytes(hostname);
  return ip ? toHex(ip.subarray(0, 8)) : hostname;
}

/** Whether an IP address in canonical form is one of this machine alone. */
export function isLoopback(hostname: string): boolean {
  return hostname.startsWith("127.") || hostname === "::1";
}
