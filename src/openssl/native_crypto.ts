// Cryptography by OpenSSL: the shape of CryptoBackend in rtmfp/crypto, several times as fast as
// TypeScript, and of constant time where the processor has AES instructions.
import { CipherContexts } from "./cipher_contexts.ts";
import { type Libcrypto, versionOf } from "./libcrypto.ts";

const BLOCK = 16;

/** Number of cached pointers, a power of 2. */
const PLACES = 4_096;

/**
 * Addresses of buffers in memory. The buffers of a socket, and the parts of them that
 * datagrams fill, are the same views again and again; looking up a pointer each time costs more than a short packet
 * does, and leaves garbage.
 */
class PointerCache {
  readonly #buffers: (Uint8Array | undefined)[] = new Array(PLACES).fill(undefined);
  readonly #starts: number[] = new Array(PLACES).fill(0);
  readonly #pointers: Deno.PointerValue[] = new Array(PLACES).fill(null);

  of(buffer: Uint8Array, start: number): Deno.PointerValue {
    // Slots of 2 KiB, and in them lengths that differ by blocks.
    const place = ((buffer.byteOffset >>> 11) * 131 + (buffer.length >>> 4)) & (PLACES - 1);
    if (this.#buffers[place] === buffer && this.#starts[place] === start) {
      return this.#pointers[place]!;
    }
    // The view, unlike a short array without one, also keeps the bytes in their place.
    const pointer = Deno.UnsafePointer.of(buffer.subarray(start) as Uint8Array<ArrayBuffer>);
    this.#buffers[place] = buffer;
    this.#starts[place] = start;
    return this.#pointers[place] = pointer;
  }
}

// Outgoing and incoming packets are in different buffers.
const outgoing = new PointerCache();
const incoming = new PointerCache();

/** Number of records on a page of {@link Keys}. */
const KEYS_PER_PAGE = 64;
/** Offsets in a key's record: the key is at 0, then the last block of ciphertext of each direction. */
const SENT = 16;
const TAKEN = 32;
const RECORD = 48;

/**
 * Allocates key records, many in one buffer: a buffer each would take some 300 bytes more. A page is
 * freed when none of its records is used any more.
 */
class Keys {
  #page = new Uint8Array(0);
  #at = 0;

  /** Begins a record of zeros: `page` from `at` on. */
  take(): { page: Uint8Array<ArrayBuffer>; at: number } {
    if (this.#at === this.#page.length) {
      this.#page = new Uint8Array(KEYS_PER_PAGE * RECORD);
      this.#at = 0;
    }
    const at = this.#at;
    this.#at += RECORD;
    return { page: this.#page, at };
  }
}

const keys = new Keys();
/** The last block of the data deciphered in place. */
const last = new Uint8Array(BLOCK);

/**
 * See `Aes128` in rtmfp/crypto.
 *
 * A cipher context chains each call to the one before. Setting the vector back to zeros costs more than
 * a short packet, so the chaining is undone instead: the first block of plaintext is the only one that
 * the block of ciphertext before it changes.
 */
class NativeAes {
  readonly #library: Libcrypto;
  readonly #page: Uint8Array<ArrayBuffer>;
  readonly #at: number;
  /** Created at first use: most keys serve one direction. */
  #encryption: Deno.PointerValue = null;
  #decryption: Deno.PointerValue = null;

  constructor(library: Libcrypto, key: Uint8Array) {
    if (key.length !== 16) throw new RangeError(`Cannot use an AES-128 key of ${key.length} bytes`);
    const { page, at } = keys.take();
    page.set(key, at);
    this.#library = library;
    this.#page = page;
    this.#at = at;
  }

  encrypt(buffer: Uint8Array, start: number, end: number): void {
    if (checkBlocks(buffer, start, end) === 0) return;
    const context = this.#encryption ??= this.#begin(true);
    const page = this.#page;
    const at = this.#at + SENT;
    for (let i = 0; i < BLOCK; i++) buffer[start + i]! ^= page[at + i]!;
    this.#run(context, outgoing.of(buffer, start), end - start);
    for (let i = 0; i < BLOCK; i++) page[at + i] = buffer[end - BLOCK + i]!;
  }

  decrypt(buffer: Uint8Array, start: number, end: number): void {
    if (checkBlocks(buffer, start, end) === 0) return;
    const context = this.#decryption ??= this.#begin(false);
    const page = this.#page;
    const at = this.#at + TAKEN;
    for (let i = 0; i < BLOCK; i++) last[i] = buffer[end - BLOCK + i]!;
    this.#run(context, incoming.of(buffer, start), end - start);
    for (let i = 0; i < BLOCK; i++) {
      buffer[start + i]! ^= page[at + i]!;
      page[at + i] = last[i]!;
    }
  }

  free(): void {
    if (this.#encryption) contextsOf(this.#library, true).give(this.#encryption);
    if (this.#decryption) contextsOf(this.#library, false).give(this.#decryption);
    this.#encryption = this.#decryption = null;
    this.#page.fill(0, this.#at, this.#at + RECORD);
  }

  #begin(encrypt: boolean): Deno.PointerValue {
    const key = this.#page.subarray(this.#at, this.#at + BLOCK);
    return contextsOf(this.#library, encrypt).take(key);
  }

  /** Works in place on `length` bytes. */
  #run(context: Deno.PointerValue, at: Deno.PointerValue, length: number): void {
    if (this.#library.EVP_Cipher(context, at, at, length) <= 0) {
      throw new Error(`Cannot cipher ${length} bytes`);
    }
  }
}

/**
 * Length in bytes of a range of whole blocks; any other range would break the chaining of a
 * {@link NativeAes}.
 *
 * @throws {RangeError} on such a range */
function checkBlocks(buffer: Uint8Array, start: number, end: number): number {
  const length = end - start;
  if (length % BLOCK !== 0 || length < 0 || start < 0 || end > buffer.length) {
    throw new RangeError(`Cannot cipher ${length} bytes: not whole blocks`);
  }
  return length;
}

const contexts = new Map<Libcrypto, Record<"in" | "out", CipherContexts>>();

function contextsOf(library: Libcrypto, encrypt: boolean): CipherContexts {
  let both = contexts.get(library);
  if (!both) {
    both = { in: new CipherContexts(library, false), out: new CipherContexts(library, true) };
    contexts.set(library, both);
  }
  return encrypt ? both.out : both.in;
}

/** Bytes of a SHA256_CTX: eight words of state, two of length, sixteen of data, two numbers. */
const SHA256_CTX = 112;
const SHA256_BLOCK = 64;

const digest = new Uint8Array(32);
const running = new Uint8Array(SHA256_CTX);
const block = new Uint8Array(SHA256_BLOCK);

/** Both states of an HMAC, reused, as their allocation costs more than their use. */
interface Keyed {
  readonly inner: Uint8Array<ArrayBuffer>;
  readonly outer: Uint8Array<ArrayBuffer>;
}
const newKeyed = (): Keyed => ({
  inner: new Uint8Array(SHA256_CTX),
  outer: new Uint8Array(SHA256_CTX),
});
const spare: Keyed[] = [];
const MAX_SPARE = 16;

/** See `Hmac` in rtmfp/crypto: RFC 2104, both keyed states made once and copied. */
class NativeHmac {
  readonly #library: Libcrypto;
  #keyed: Keyed | undefined;

  constructor(library: Libcrypto, key: Uint8Array) {
    this.#library = library;
    const short = key.length > SHA256_BLOCK ? sha256(library, key) : key;
    const keyed = this.#keyed = spare.pop() ?? newKeyed();
    begin(library, keyed.inner, short, 0x36);
    begin(library, keyed.outer, short, 0x5c);
    block.fill(0);
  }

  digest(data: Uint8Array, start: number, end: number): Uint8Array {
    const library = this.#library;
    const keyed = this.#keyed;
    if (!keyed) throw new Error("Cannot use a freed key");
    const whole = start === 0 && end === data.length;
    const part = (whole ? data : data.subarray(start, end)) as Uint8Array<ArrayBuffer>;
    running.set(keyed.inner);
    library.SHA256_Update(running, part, BigInt(part.length));
    library.SHA256_Final(digest, running);
    running.set(keyed.outer);
    library.SHA256_Update(running, digest, 32n);
    library.SHA256_Final(digest, running);
    return digest;
  }

  free(): void {
    const keyed = this.#keyed;
    if (!keyed) return;
    this.#keyed = undefined;
    keyed.inner.fill(0);
    keyed.outer.fill(0);
    if (spare.length < MAX_SPARE) spare.push(keyed);
  }
}

function begin(
  library: Libcrypto,
  state: Uint8Array<ArrayBuffer>,
  key: Uint8Array,
  padding: number,
): void {
  for (let i = 0; i < SHA256_BLOCK; i++) block[i] = padding ^ (key[i] ?? 0);
  library.SHA256_Init(state);
  library.SHA256_Update(state, block, BigInt(SHA256_BLOCK));
}

function sha256(library: Libcrypto, bytes: Uint8Array): Uint8Array {
  const result = new Uint8Array(32);
  library.SHA256_Init(running);
  library.SHA256_Update(running, bytes as Uint8Array<ArrayBuffer>, BigInt(bytes.length));
  library.SHA256_Final(result, running);
  return result;
}

/** The back-end on a library that has passed a self-test. */
export class NativeCrypto {
  readonly name: string;
  readonly #library: Libcrypto;

  /** @throws if the library computes wrong results */
  constructor(library: Libcrypto) {
    this.#library = library;
    this.name = versionOf(library);
    this.#selfTest();
  }

  aes(key: Uint8Array): NativeAes {
    return new NativeAes(this.#library, key);
  }

  hmacSha256(key: Uint8Array): NativeHmac {
    return new NativeHmac(this.#library, key);
  }

  sha256(bytes: Uint8Array): Uint8Array {
    return sha256(this.#library, bytes);
  }

  /** Compares known answers of FIPS 197 C.1 and RFC 4231 §4.3: other versions may lay out memory differently. */
  #selfTest(): void {
    const block = Uint8Array.fromHex("00112233445566778899aabbccddeeff");
    const aes = this.aes(Uint8Array.fromHex("000102030405060708090a0b0c0d0e0f"));
    for (let round = 0; round < 2; round++) {
      const buffer = block.slice();
      aes.encrypt(buffer, 0, BLOCK);
      const sealed = buffer.toHex();
      aes.decrypt(buffer, 0, BLOCK);
      if (sealed !== "69c4e0d86a7b0430d8cdb78070b4c55a" || buffer.toHex() !== block.toHex()) {
        throw new Error(`${this.name}: wrong result of AES`);
      }
    }
    aes.free();
    const text = new TextEncoder().encode("what do ya want for nothing?");
    const mac = this.hmacSha256(new TextEncoder().encode("Jefe")).digest(text, 0, text.length);
    const answer = "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843";
    if (mac.toHex() !== answer) throw new Error(`${this.name}: wrong result of HMAC`);
  }
}
