// Compares AES-128-CBC of both back-ends with @noble/ciphers, which shares no code with OpenSSL, the
// reference of aes_test.ts and the native back-end.
import assert from "node:assert/strict";
import { cbc } from "@noble/ciphers/aes.js";
import { NativeCrypto } from "../../../src/openssl/native_crypto.ts";
import { openLibcrypto } from "../../../src/openssl/libcrypto.ts";
import type { CryptoBackend } from "../../../src/rtmfp/crypto/backend.ts";
import { portable } from "../../../src/rtmfp/crypto/portable.ts";
import { seeded, seededBytes } from "../../support/random.ts";

const ZEROS = new Uint8Array(16);

function agrees(backend: Pick<CryptoBackend, "aes">): void {
  const next = seeded(2400);
  const random = seededBytes(7016);
  for (let round = 0; round < 200; round++) {
    const key = random(16);
    const aes = backend.aes(key);
    for (let packet = 0; packet < 3; packet++) {
      const plain = random(16 * Math.floor(1 + next() * 90));
      const start = Math.floor(next() * 9);
      const end = start + plain.length;
      const buffer = new Uint8Array(end + 5);
      const reference = () => cbc(key, ZEROS, { disablePadding: true });
      buffer.set(plain, start);
      aes.encrypt(buffer, start, end);
      assert.deepEqual(buffer.slice(start, end), reference().encrypt(plain));
      buffer.set(plain, start);
      aes.decrypt(buffer, start, end);
      assert.deepEqual(buffer.slice(start, end), reference().decrypt(plain));
    }
    aes.free();
  }
}

Deno.test("The portable back-end computes the same AES-128-CBC as @noble/ciphers", () =>
  agrees(portable));

const library = openLibrary();
Deno.test({
  name:
    "The native back-end computes the same AES-128-CBC as @noble/ciphers (where libcrypto is installed)",
  ignore: library === undefined,
  sanitizeResources: false,
  fn: () => agrees(new NativeCrypto(library!)),
});

function openLibrary() {
  try {
    return openLibcrypto();
  } catch {
    return undefined;
  }
}
