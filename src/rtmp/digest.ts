// The digest form of the handshake, which Flash Player 9.0.115 and later require to decode H.264 and AAC.
// It is not in Adobe's specification. RTMP-010 to RTMP-016.
import { concat } from "../bytes/concat.ts";
import { equalBytes } from "../bytes/equal.ts";
import { toUtf8 } from "../bytes/text.ts";

/** HMAC-SHA-256. */
export type Hmac = (key: Uint8Array, bytes: Uint8Array) => Uint8Array;

/** Length of C1, C2, S1 and S2 in bytes. */
export const PACKET_LENGTH = 1536;
const DIGEST_LENGTH = 32;

/** Scheme of the digest: bytes 8 to 11 (0) or 772 to 775 (1) determine its offset. RTMP-010. */
type Scheme = 0 | 1;

const SPREAD = 728;
const OFFSET_AT = [8, 772] as const;

const KEY_END = Uint8Array.fromHex(
  "f0eec24a8068bee82e00d0d1029e7e576eec5d2d29806fab93b8e636cfeb31ae",
);

/** Keys of one end: `key` signs its first packet, `fullKey` its second. RTMP-011, 012. */
interface Signer {
  readonly key: Uint8Array;
  readonly fullKey: Uint8Array;
}

function signer(text: string): Signer {
  const key = toUtf8(text);
  return { key, fullKey: concat([key, KEY_END]) };
}

export const PLAYER: Signer = signer("Genuine Adobe Flash Player 001");
export const MEDIA_SERVER: Signer = signer("Genuine Adobe Flash Media Server 001");

/** Offset of the digest in a packet. */
export function digestOffset(packet: Uint8Array, scheme: Scheme): number {
  const at = OFFSET_AT[scheme];
  const sum = packet.subarray(at, at + 4).reduce((sum, byte) => sum + byte, 0);
  return sum % SPREAD + at + 4;
}

/** The expected digest of a packet of this scheme, 32 bytes. RTMP-011. */
function digestOf(packet: Uint8Array, scheme: Scheme, { key }: Signer, hmac: Hmac): Uint8Array {
  const offset = digestOffset(packet, scheme);
  return hmac(key, concat([packet.subarray(0, offset), packet.subarray(offset + DIGEST_LENGTH)]));
}

/** Writes the digest of a first packet into it, and returns those 32 bytes. */
export function sign(
  packet: Uint8Array,
  scheme: Scheme,
  signer: Signer,
  hmac: Hmac,
): Uint8Array {
  const digest = digestOf(packet, scheme, signer, hmac);
  packet.set(digest, digestOffset(packet, scheme));
  return digest;
}

/** The digest of a first packet and its scheme; undefined if no digest is valid. RTMP-014. */
export function findDigest(
  packet: Uint8Array,
  signer: Signer,
  hmac: Hmac,
): { scheme: Scheme; digest: Uint8Array } | undefined {
  for (const scheme of [1, 0] as const) {
    const offset = digestOffset(packet, scheme);
    const found = packet.slice(offset, offset + DIGEST_LENGTH);
    if (equalBytes(found, digestOf(packet, scheme, signer, hmac))) return { scheme, digest: found };
  }
  return undefined;
}

/** Writes the last 32 bytes of a second packet, which answers the digest of the far end. RTMP-012. */
export function signAnswer(
  packet: Uint8Array,
  farDigest: Uint8Array,
  { fullKey }: Signer,
  hmac: Hmac,
): void {
  const at = PACKET_LENGTH - DIGEST_LENGTH;
  packet.set(hmac(hmac(fullKey, farDigest), packet.subarray(0, at)), at);
}
