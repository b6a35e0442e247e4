import type { Libcrypto } from "./libcrypto.ts";

/** Numbers in big-endian bytes that the library holds during one exponentiation. */
interface Workspace {
  readonly context: Deno.PointerValue;
  readonly base: Deno.PointerValue;
  readonly exponent: Deno.PointerValue;
  readonly result: Deno.PointerValue;
}

/** Powers modulo one prime by OpenSSL, on other threads and of constant time. */
export class NativePowers {
  readonly #library: Libcrypto;
  readonly #size: number;
  readonly #modulus: Deno.PointerValue;
  readonly #montgomery: Deno.PointerValue;
  readonly #idle: Workspace[] = [];

  /** @param prime big-endian */
  constructor(library: Libcrypto, prime: Uint8Array) {
    this.#library = library;
    this.#size = prime.length;
    this.#modulus = library.BN_new();
    this.#montgomery = library.BN_MONT_CTX_new();
    library.BN_bin2bn(prime as Uint8Array<ArrayBuffer>, prime.length, this.#modulus);
    library.BN_MONT_CTX_set(this.#montgomery, this.#modulus, library.BN_CTX_new());
  }

  /** All numbers big-endian; the result without leading zero bytes. */
  async power(base: Uint8Array, exponent: Uint8Array): Promise<Uint8Array> {
    const library = this.#library;
    const work = this.#idle.pop() ?? {
      context: library.BN_CTX_new(),
      base: library.BN_new(),
      exponent: library.BN_new(),
      result: library.BN_new(),
    };
    library.BN_bin2bn(base as Uint8Array<ArrayBuffer>, base.length, work.base);
    library.BN_bin2bn(exponent as Uint8Array<ArrayBuffer>, exponent.length, work.exponent);
    const done = await library.BN_mod_exp_mont_consttime(
      work.result,
      work.base,
      work.exponent,
      this.#modulus,
      work.context,
      this.#montgomery,
    );
    const bytes = new Uint8Array(this.#size);
    if (done !== 1 || library.BN_bn2binpad(work.result, bytes, bytes.length) < 0) {
      throw new Error("Cannot compute a power");
    }
    this.#idle.push(work);
    const first = bytes.findIndex((byte) => byte !== 0);
    return first < 0 ? bytes.subarray(0, 0) : bytes.subarray(first);
  }
}
