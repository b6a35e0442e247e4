import type { CryptoBackend } from "./backend.ts";

const identity = { encrypt() {}, decrypt() {}, free() {} };

/**
 * A back-end for tests and debugging: nothing is encrypted, so packets can be read and changed on
 * their way, while all the rest (padding, checksums, keys agreed upon) is as it is with `crypto`.
 */
export function plainBackend(crypto: CryptoBackend): CryptoBackend {
  return {
    name: `plain (${crypto.name})`,
    aes: () => identity,
    hmacSha256: (key) => crypto.hmacSha256(key),
    sha256: (bytes) => crypto.sha256(bytes),
  };
}
