import type { Libcrypto } from "./libcrypto.ts";

/** Big numbers (BIGNUM) of one exponentiation. */
interface Workspace {
  readonly base: Deno.PointerValue;
  readonly exponent: Deno.PointerValue;
  readonly result: Deno.PointerValue;
}

/** The big numbers of one call, and the context of the library. */
interface Call {
  readonly context: Deno.PointerValue;
  readonly first: Workspace;
  readonly second: Workspace;
}

/** The numbers of a computation, big-endian. */
interface Power {
  readonly base: Uint8Array;
  readonly exponent: Uint8Array;
}

/** Powers modulo one prime by OpenSSL, on other threads and of constant time. */
export class NativePowers {
  readonly #library: Libcrypto;
  readonly #modulus: Deno.PointerValue;
  readonly #montgomery: Deno.PointerValue;
  readonly #bytes: Uint8Array<ArrayBuffer>;
  readonly #idle: Call[] = [];

  /** @param prime big-endian */
  constructor(library: Libcrypto, prime: Uint8Array) {
    this.#library = library;
    this.#bytes = new Uint8Array(prime.length);
    this.#modulus = library.BN_new();
    this.#montgomery = library.BN_MONT_CTX_new();
    library.BN_bin2bn(prime as Uint8Array<ArrayBuffer>, prime.length, this.#modulus);
    library.BN_MONT_CTX_set(this.#montgomery, this.#modulus, library.BN_CTX_new());
  }

  /** How many powers one call computes: handing two to another thread costs no more than one. */
  get together(): 1 | 2 {
    return this.#library.BN_mod_exp_mont_consttime_x2 ? 2 : 1;
  }

  /**
   * @param wanted none, one, or as many as {@link together}
   * @returns big-endian, without leading zero bytes
   */
  async compute([one, other]: readonly Power[]): Promise<Uint8Array[]> {
    if (!one) return [];
    const call = this.#idle.pop() ?? this.#newCall();
    const { context, first, second } = call;
    this.#set(first, one);
    let done: number;
    if (other) {
      this.#set(second, other);
      done = await this.#library.BN_mod_exp_mont_consttime_x2!(
        first.result,
        first.base,
        first.exponent,
        this.#modulus,
        this.#montgomery,
        second.result,
        second.base,
        second.exponent,
        this.#modulus,
        this.#montgomery,
        context,
      );
    } else {
      done = await this.#library.BN_mod_exp_mont_consttime(
        first.result,
        first.base,
        first.exponent,
        this.#modulus,
        context,
        this.#montgomery,
      );
    }
    if (done !== 1) throw new Error("Cannot compute a power");
    const powers = other ? [this.#get(first), this.#get(second)] : [this.#get(first)];
    this.#idle.push(call);
    return powers;
  }

  #set({ base, exponent }: Workspace, power: Power): void {
    const library = this.#library;
    library.BN_bin2bn(power.base as Uint8Array<ArrayBuffer>, power.base.length, base);
    library.BN_bin2bn(power.exponent as Uint8Array<ArrayBuffer>, power.exponent.length, exponent);
  }

  #get({ result }: Workspace): Uint8Array {
    const bytes = this.#bytes;
    if (this.#library.BN_bn2binpad(result, bytes, bytes.length) < 0) {
      throw new Error("Cannot read a power");
    }
    let first = 0;
    while (bytes[first] === 0) first++;
    return bytes.slice(first);
  }

  #newCall(): Call {
    const library = this.#library;
    const workspace = () => ({
      base: library.BN_new(),
      exponent: library.BN_new(),
      result: library.BN_new(),
    });
    return { context: library.BN_CTX_new(), first: workspace(), second: workspace() };
  }
}
