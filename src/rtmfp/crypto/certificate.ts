// Certificates: the identity of an endpoint and the groups or keys to agree on a secret with it.
// RFC 7425 §4.3. Nothing is signed: holding the Diffie-Hellman key proves the identity.
import { equalBytes } from "../../bytes/equal.ts";
import { Reader } from "../../bytes/reader.ts";
import { WireError } from "../../bytes/wire_error.ts";
import { Writer } from "../../bytes/writer.ts";
import type { Epd } from "../wire/epd.ts";
import { writeEpd } from "../wire/epd.ts";
import { readOption, writeOption } from "../wire/options.ts";
import type { CryptoBackend, Random } from "./backend.ts";
import type { GroupId } from "./dh_groups.ts";

const HOSTNAME = 0x00;
const ACCEPTS_ANCILLARY = 0x0a;
const EXTRA_RANDOMNESS = 0x0e;
const SUPPORTED_GROUP = 0x15;
const STATIC_KEY = 0x1d;

/** A public key and the number of its group, which need not be an implemented one. */
export interface GroupKey {
  readonly group: number;
  readonly publicKey: Uint8Array;
}

/** A certificate. Either `ephemeralGroups` or `staticKeys` is empty, never both. */
export interface Certificate {
  /** The certificate itself. When read, all the arrays are views. */
  readonly bytes: Uint8Array;
  readonly hostname: Uint8Array | undefined;
  /** It belongs to a server, which any ancillary data select. */
  readonly acceptsAncillary: boolean;
  /** Groups in which the endpoint makes a new key for each session. */
  readonly ephemeralGroups: readonly number[];
  /** Keys that are always the same, at most one of each group. */
  readonly staticKeys: readonly GroupKey[];
  /** SHA-256: the peer id, `nearID` and `farID` of ActionScript. 32 bytes. */
  readonly fingerprint: Uint8Array;
}

/**
 * Reads a certificate. A Marker ends it: bytes behind the Marker are ignored, also for the
 * fingerprint.
 *
 * @throws {WireError} if it is cut off, has both ephemeral groups and static keys or neither, or two
 *   keys of one group
 */
export function readCertificate(crypto: CryptoBackend, bytes: Uint8Array): Certificate {
  let hostname: Uint8Array | undefined;
  let acceptsAncillary = false;
  const ephemeralGroups: number[] = [];
  const staticKeys: GroupKey[] = [];
  const from = new Reader(bytes);
  while (from.left > 0) {
    const option = readOption(from);
    if (!option) break;
    const value = new Reader(option.value);
    if (option.type === HOSTNAME) hostname ??= option.value;
    else if (option.type === ACCEPTS_ANCILLARY) acceptsAncillary = true;
    else if (option.type === SUPPORTED_GROUP) ephemeralGroups.push(value.vlu());
    else if (option.type === STATIC_KEY) {
      staticKeys.push({ group: value.vlu(), publicKey: value.rest() });
    }
  }
  if ((ephemeralGroups.length === 0) === (staticKeys.length === 0)) {
    throw new WireError("Cannot use a certificate of both or neither kind of key");
  }
  if (staticKeys.some(({ group }, i) => staticKeys.findIndex((key) => key.group === group) < i)) {
    throw new WireError("Cannot use a certificate with two keys of one group");
  }
  const fingerprint = crypto.sha256(bytes.subarray(0, from.at));
  return { bytes, hostname, acceptsAncillary, ephemeralGroups, staticKeys, fingerprint };
}

/** Length of server certificates in bytes: older clients read exactly that many and parse nothing. */
const SERVER_CERTIFICATE = 77;

/**
 * Makes a unique certificate for a server: 77 bytes.
 * Shape: `accepts ancillary data | randomness | supported group…`.
 *
 * @param groupIds at most 20. Flash knows only 2; rtmfp-cpp picks the best one at any position. So 2 comes
 *   first, as in certificates of earlier servers
 */
export function serverCertificate(
  random: Random,
  groupIds: readonly GroupId[] = [2, 14, 16],
): Uint8Array {
  const to = new Writer(SERVER_CERTIFICATE);
  writeOption(to, ACCEPTS_ANCILLARY, new Uint8Array(0));
  const sizeOfGroups = 3 * groupIds.length;
  writeOption(to, EXTRA_RANDOMNESS, random(SERVER_CERTIFICATE - to.at - 2 - sizeOfGroups));
  for (const id of groupIds) writeOption(to, SUPPORTED_GROUP, Uint8Array.of(id));
  return to.copy();
}

/** Makes the certificate of a client: static keys and nothing else. */
export function clientCertificate(keys: readonly GroupKey[]): Uint8Array {
  const to = new Writer();
  for (const { group, publicKey } of keys) {
    writeOption(to, STATIC_KEY, new Writer().vlu(group).bytes(publicKey).view());
  }
  return to.copy();
}

/**
 * Whether an endpoint discriminator selects the endpoint of a certificate. With a fingerprint only that
 * counts; otherwise a hostname must be the certificate's, and ancillary data selects every server.
 * RFC 7425 §4.4.2.
 */
export function isSelected({ hostname, ancillary, fingerprint }: Epd, by: Certificate): boolean {
  if (fingerprint) return equalBytes(fingerprint, by.fingerprint);
  if (hostname && !(by.hostname && equalBytes(hostname, by.hostname))) return false;
  if (ancillary) return by.acceptsAncillary;
  return hostname !== undefined;
}

/** The discriminator that means one endpoint and no other: 34 bytes. RFC 7425 §4.4.4. */
export function canonicalEpd(fingerprint: Uint8Array): Uint8Array {
  return writeEpd({ fingerprint });
}

/**
 * Whether the near end's attempt continues, not the far one's, when two endpoints open a session to each
 * other at once: the smaller certificate prevails. RFC 7425 §4.3.6.
 */
export function prevails(nearCertificate: Uint8Array, farCertificate: Uint8Array): boolean {
  const length = Math.min(nearCertificate.length, farCertificate.length);
  for (let i = 0; i < length; i++) {
    if (nearCertificate[i] !== farCertificate[i]) return nearCertificate[i]! < farCertificate[i]!;
  }
  return nearCertificate.length < farCertificate.length;
}
