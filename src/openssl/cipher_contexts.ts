import type { Libcrypto } from "./libcrypto.ts";

/** Maximum number of unused contexts kept per direction. */
const MAX_SPARE = 64;
const ZEROS = new Uint8Array(16);

/**
 * Contexts of AES-128-CBC with a zero vector and without padding. Creating a context and looking up the
 * cipher costs several times as much as setting a key, so returned contexts are reused.
 */
export class CipherContexts {
  readonly #library: Libcrypto;
  readonly #encrypt: boolean;
  readonly #spare: Deno.PointerValue[] = [];

  constructor(library: Libcrypto, encrypt: boolean) {
    this.#library = library;
    this.#encrypt = encrypt;
  }

  /** @param key 16 bytes */
  take(key: Uint8Array<ArrayBuffer>): Deno.PointerValue {
    const context = this.#spare.pop() ?? this.#make();
    this.#begin(context, null, key);
    return context;
  }

  /** Takes a context back and overwrites its key. */
  give(context: Deno.PointerValue): void {
    if (this.#spare.length >= MAX_SPARE) return this.#library.EVP_CIPHER_CTX_free(context);
    this.#begin(context, null, ZEROS);
    this.#spare.push(context);
  }

  #make(): Deno.PointerValue {
    const context = this.#library.EVP_CIPHER_CTX_new();
    this.#begin(context, this.#library.EVP_aes_128_cbc(), ZEROS);
    if (this.#library.EVP_CIPHER_CTX_set_padding(context, 0) !== 1) {
      throw new Error("Cannot use AES-128-CBC without padding");
    }
    return context;
  }

  #begin(
    context: Deno.PointerValue,
    cipher: Deno.PointerValue,
    key: Uint8Array<ArrayBuffer>,
  ): void {
    const encrypt = this.#encrypt ? 1 : 0;
    if (this.#library.EVP_CipherInit_ex(context, cipher, null, key, ZEROS, encrypt) !== 1) {
      throw new Error("Cannot begin AES-128-CBC");
    }
  }
}
