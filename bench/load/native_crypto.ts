import { openLibcrypto } from "../../src/openssl/libcrypto.ts";
import { NativeCrypto } from "../../src/openssl/native_crypto.ts";
import type { CryptoBackend } from "../../src/rtmfp/crypto/backend.ts";
import { portable } from "../../src/rtmfp/crypto/portable.ts";

/** @returns libcrypto if it can be loaded, else the portable code: the generator must cost less than the server */
export function loadCrypto(): CryptoBackend {
  try {
    return new NativeCrypto(openLibcrypto());
  } catch {
    return portable;
  }
}
