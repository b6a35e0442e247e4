// The functions of OpenSSL's libcrypto that the native back-end calls.

const { pointer, buffer, i32, usize } = {
  pointer: "pointer",
  buffer: "buffer",
  i32: "i32",
  usize: "usize",
} as const;

const symbols = {
  EVP_aes_128_cbc: { parameters: [], result: pointer },
  EVP_CIPHER_CTX_new: { parameters: [], result: pointer },
  EVP_CIPHER_CTX_free: { parameters: [pointer], result: "void" },
  EVP_CIPHER_CTX_set_padding: { parameters: [pointer, i32], result: i32 },
  EVP_CipherInit_ex: {
    parameters: [pointer, pointer, pointer, buffer, buffer, i32],
    result: i32,
  },
  EVP_Cipher: { parameters: [pointer, pointer, pointer, "u32"], result: i32 },
  SHA256_Init: { parameters: [buffer], result: i32 },
  SHA256_Update: { parameters: [buffer, buffer, usize], result: i32 },
  SHA256_Final: { parameters: [buffer, buffer], result: i32 },
  BN_new: { parameters: [], result: pointer },
  BN_CTX_new: { parameters: [], result: pointer },
  BN_MONT_CTX_new: { parameters: [], result: pointer },
  BN_MONT_CTX_set: { parameters: [pointer, pointer, pointer], result: i32 },
  BN_bin2bn: { parameters: [buffer, i32, pointer], result: pointer },
  BN_bn2binpad: { parameters: [pointer, buffer, i32], result: i32 },
  BN_mod_exp_mont_consttime: {
    parameters: [pointer, pointer, pointer, pointer, pointer, pointer],
    result: i32,
    nonblocking: true,
  },
  /** Since 3.0. */
  BN_mod_exp_mont_consttime_x2: {
    parameters: [
      ...[pointer, pointer, pointer, pointer, pointer],
      ...[pointer, pointer, pointer, pointer, pointer],
      pointer,
    ],
    result: i32,
    nonblocking: true,
    optional: true,
  },
  OpenSSL_version: { parameters: [i32], result: pointer },
} as const;

export type Libcrypto = Deno.DynamicLibrary<typeof symbols>["symbols"];

/** By operating system. macOS's own libcrypto ends a process that loads it. */
const NAMES: Partial<Record<typeof Deno.build.os, string[]>> = {
  linux: ["libcrypto.so.3", "libcrypto.so.1.1"],
  darwin: [
    "/opt/homebrew/opt/openssl@3/lib/libcrypto.3.dylib",
    "/usr/local/opt/openssl@3/lib/libcrypto.3.dylib",
  ],
};

/** @throws if no libcrypto is found or loading is not allowed */
export function openLibcrypto(): Libcrypto {
  let reason: unknown = new Error(`no libcrypto is known on ${Deno.build.os}`);
  for (const name of NAMES[Deno.build.os] ?? []) {
    try {
      return Deno.dlopen(name, symbols).symbols;
    } catch (error) {
      reason = error;
    }
  }
  throw reason;
}

/** "OpenSSL 3.0.22 25 Aug 2026" and the like. */
export function versionOf(library: Libcrypto): string {
  const text = library.OpenSSL_version(0);
  return text ? Deno.UnsafePointerView.getCString(text) : "libcrypto";
}
