// Converts hellos that name a peer to messages of the bus, where addresses are texts, and back.
import type { Found, Lookup } from "../bus/messages.ts";
import { addressText, parseAddress } from "../common/address.ts";
import type { PeerHello } from "../rtmfp/endpoint.ts";
import { Origin, type OriginAddress } from "../rtmfp/wire/address.ts";

/** Maximum number of addresses read from a message. */
const MAX_ADDRESSES = 20;

export function lookupOf({ seeker, ...hello }: PeerHello): Omit<Lookup, "request"> {
  return { ...hello, addresses: [seeker.observed, ...seeker.reported].map(addressText) };
}

/** @returns undefined if its first address is invalid */
export function helloOf(lookup: Lookup): PeerHello | undefined {
  const { peerId, epd, tag, attempts } = lookup;
  const [observed, ...reported] = originAddresses(lookup.addresses);
  return observed && { peerId, epd, tag, attempts, seeker: { observed, reported } };
}

export function answerOf(
  { addresses, silence }: { addresses: readonly OriginAddress[]; silence: number },
): Pick<Found, "addresses" | "silence"> {
  return { addresses: addresses.map(addressText), silence: Math.max(0, Math.round(silence)) };
}

/** Parses texts and skips invalid addresses; returns none if the first, the observed one, is invalid. */
export function originAddresses(texts: readonly string[]): OriginAddress[] {
  const addresses = texts.slice(0, MAX_ADDRESSES).map(parseAddress);
  if (!addresses[0]) return [];
  return addresses.filter((address) => address !== undefined)
    .map((address, i) => ({ ...address, origin: i === 0 ? Origin.observed : Origin.reported }));
}
