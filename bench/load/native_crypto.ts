import { openLibcrypto } from "../../src/openssl/libcrypto.ts";
import { NativeCrypto } from "../../src/openssl/native_crypto.ts";
import type { CryptoBackend } from "../../src/rtmfp/crypto/backend.ts";
import { portable } from "../../src/rtmfp/crypto/portable.ts";

/**
 * libcrypto where it can be loaded, else what the project has in TypeScript: the load generator
 * must cost less than what it measures.
 */
export function loadCrypto(): CryptoBackend {
  try {
    return new NativeCrypto(openLibcrypto());
  } catch {
    return portable;
  }
}
