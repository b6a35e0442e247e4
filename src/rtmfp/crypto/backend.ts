// What the rest of the room needs of cryptography, so that another implementation (a native
// library, say) can take the place of `portable.ts`.

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
  /** Releases what the key holds outside of JavaScript; the object is not used afterwards. */
  free(): void;
}

/** HMAC-SHA256 with one key. */
export interface Hmac {
  /** The 32 bytes for `data[start..end)`: a view that is good until the next call on any Hmac. */
  digest(data: Uint8Array, start: number, end: number): Uint8Array;
  /** As {@link Aes128.free}. */
  free(): void;
}

export interface CryptoBackend {
  /** For the log. */
  readonly name: string;
  /** @param key 16 bytes */
  aes(key: Uint8Array): Aes128;
  /** @param key of any length */
  hmacSha256(key: Uint8Array): Hmac;
  /** The 32 bytes of SHA-256, the caller's own. */
  sha256(bytes: Uint8Array): Uint8Array;
}

/** HMAC-SHA256 once: 32 bytes, the caller's own. */
export function hmacOnce(crypto: CryptoBackend, key: Uint8Array, message: Uint8Array): Uint8Array {
  const hmac = crypto.hmacSha256(key);
  const digest = hmac.digest(message, 0, message.length).slice();
  hmac.free();
  return digest;
}

/** Compares without telling by the time it takes where two byte strings differ. */
export function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  let difference = 0;
  for (let i = 0; i < a.length; i++) difference |= a[i] ^ b[i];
  return difference === 0;
}
