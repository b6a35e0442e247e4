import type { Reader } from "../../bytes/reader.ts";
import { WireError } from "../../bytes/wire_error.ts";
import type { Writer } from "../../bytes/writer.ts";
import type { Address } from "../../common/address.ts";
import { ipBytes, ipText } from "../../common/ip.ts";

/** Source of the claim that an address belongs to an endpoint. RFC 7016 §2.1.5. */
export const Origin = { unknown: 0, reported: 1, observed: 2, relay: 3 } as const;
export type Origin = typeof Origin[keyof typeof Origin];

/** An address in a chunk. */
export interface OriginAddress extends Address {
  readonly origin: Origin;
}

const IPV6 = 0x80;

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
