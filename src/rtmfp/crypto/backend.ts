// The cryptography that the rest of the room needs, as an interface: `portable.ts` implements it, and a
// native library can.

/** Gives `length` unpredictable bytes of the caller's own. */
export type Random = (length: number) => Uint8Array;

/**
 * AES-128 in CBC mode with one key. Each call starts from an initialisation vector of zeros and
 * works in place on `buffer[start..end)`, of which the length must be a multiple of 16. Nothing is
 * padded. RFC 7425 §4.7.
 */
export interface Aes128 {
  encrypt(buffer: Uint8Array, start: number, end: number): void;
  decrypt(buffer: Uint8Array, start: number, end: number): void;
  /** Releases memory that the key holds outside of JavaScript; do not use the object afterwards. */
  free(): void;
}

/** HMAC-SHA256 with one key. */
export interface Hmac {
  /** The 32 bytes for `data[start..end)`: a view that is good until the next call on any Hmac. */
  digest(data: Uint8Array, start: number, end: number): Uint8Array;
  /** As {@link Aes128.free}. */
  free(): void;
}

/** Bytes of a datagram before the encrypted part: the session id. RFC 7016 §2.2. */
export const UNENCRYPTED = 4;

/**
 * Encrypts several packets side by side, each by its own key, for a back-end that does so faster than
 * one after the other. Callers write them into buffers of the batch, from which nothing is sent.
 */
export interface Batch {
  /** Buffers that callers write the packets into. */
  readonly buffers: readonly Uint8Array[];
  /** The current user of the one batch, which sets it; undefined while it is free. */
  user: unknown;
  /**
   * Takes `buffers[index][UNENCRYPTED..end)`, whole blocks that {@link run} is to encrypt as
   * {@link Aes128.encrypt} would. The key may be freed at once. Bytes before and behind those may change.
   */
  add(index: number, aes: Aes128, end: number): void;
  /** As `checksum(buffers[index], UNENCRYPTED, end)` in checksum.ts; whole blocks, not encrypted yet. */
  checksum(index: number, end: number): number;
  /** Encrypts the added packets and empties the batch. */
  run(): void;
}

export interface CryptoBackend {
  /** Name for the log. */
  readonly name: string;
  /** @param key 16 bytes */
  aes(key: Uint8Array): Aes128;
  /** @param key of any length */
  hmacSha256(key: Uint8Array): Hmac;
  /** The 32 bytes of SHA-256, the caller's own. */
  sha256(bytes: Uint8Array): Uint8Array;
  /** Takes keys of this back-end. Undefined if one by one is as fast. */
  readonly batch?: Batch | undefined;
}

/** HMAC-SHA256 once: 32 bytes, the caller's own. */
export function hmacOnce(crypto: CryptoBackend, key: Uint8Array, message: Uint8Array): Uint8Array {
  const hmac = crypto.hmacSha256(key);
  const digest = hmac.digest(message, 0, message.length).slice();
  hmac.free();
  return digest;
}
