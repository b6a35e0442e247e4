// AES-128-CBC as WebAssembly that is assembled here. It is our own, unlike the hashes, as no library
// suits: every packet starts from a vector of zeros and brings its own padding, so what counts is a
// short call that allocates nothing. @noble/ciphers and node:crypto take 5 to 11 µs for 1200 bytes,
// crypto.subtle more than that.
// The blocks of a packet wait for each other when they are encrypted, so one packet by itself takes
// 7 µs, and two take no longer: of eight side by side, each takes 1.6. That is what `Batch` is for.
// Its duration depends on lengths only, not on keys or data.
import { aesModule, DATA, KEY, RECORD } from "./aes_code.ts";
import { type Aes128, type Batch, UNENCRYPTED } from "./backend.ts";
import { checksumOfSum } from "./checksum.ts";

/** Maximum length of a datagram buffer, in bytes. */
const DATAGRAM = 2_048;
/** Packets in a batch. More would not fit the L1 cache. */
const BATCH = 16;
const BLOCK = 16;

// Layout of the memory, in bytes: the constants, the slots of a batch, and the work slot, which has all the rest, more than any datagram needs.
const FIRST = 4_096;
const SLOT = DATA + DATAGRAM;
const WORK = FIRST + BATCH * SLOT;
/** Size of the memory in units of 64 KiB. */
const PAGES = 2;

/** See `aes_code.ts`. */
interface Functions {
  readonly memory: WebAssembly.Memory;
  encrypt1(...slotAndLength: number[]): void;
  encrypt2(...slotsAndLength: number[]): void;
  encrypt4(...slotsAndLength: number[]): void;
  encrypt8(...slotsAndLength: number[]): void;
  decrypt(slot: number, length: number): void;
  sum(slot: number, length: number): number;
  expand(slot: number): void;
  expandInverse(slot: number): void;
}

/** The functions and their memory. */
class Machine {
  readonly functions: Functions;
  readonly bytes: Uint8Array;
  readonly buffers: readonly Uint8Array[];
  // A view made for a call would be garbage of 100 bytes, and take longer than to copy a whole buffer.
  readonly #data: Uint8Array;
  /** Views to copy a buffer into so that its byte `i` lands at the start of the data. */
  readonly #places: readonly Uint8Array[];
  /** The first `i` blocks of the data. */
  readonly #blocks: readonly Uint8Array[];
  readonly #record: Uint8Array;

  constructor() {
    const { binary, constants } = aesModule(PAGES);
    const { exports } = new WebAssembly.Instance(new WebAssembly.Module(binary));
    this.functions = exports as unknown as Functions;
    const { buffer } = this.functions.memory;
    this.bytes = new Uint8Array(buffer);
    this.bytes.set(constants);
    const views = (count: number, view: (i: number) => Uint8Array) =>
      Array.from({ length: count }, (_, i) => view(i));
    const start = FIRST + DATA - UNENCRYPTED;
    this.buffers = views(BATCH, (i) => new Uint8Array(buffer, start + i * SLOT, DATAGRAM));
    this.#data = new Uint8Array(buffer, WORK + DATA);
    this.#places = views(BLOCK, (i) => new Uint8Array(buffer, WORK + DATA - i));
    this.#blocks = views(DATAGRAM / BLOCK + 1, (i) => this.#data.subarray(0, BLOCK * i));
    this.#record = this.bytes.subarray(WORK, WORK + RECORD);
  }

  /** Makes the record of a key, for encryption or decryption. */
  expand(key: Uint8Array, inverse: boolean): Uint8Array {
    this.bytes.set(key, WORK + KEY);
    if (inverse) this.functions.expandInverse(WORK);
    else this.functions.expand(WORK);
    return this.#record.slice();
  }

  /** Copies a key record and a part of a buffer into the memory. */
  take(record: Uint8Array, buffer: Uint8Array, start: number, end: number): void {
    this.bytes.set(record, WORK);
    if (start < BLOCK && buffer.length <= DATAGRAM) this.#places[start]!.set(buffer);
    else this.#data.set(buffer.subarray(start, end));
  }

  /** Copies the result back to where it was. */
  give(buffer: Uint8Array, start: number, end: number): void {
    buffer.set(this.#blocks[(end - start) / BLOCK] ?? this.#data.subarray(0, end - start), start);
  }
}

let made: Machine | undefined;
/** Created at first use; with a native back-end, never. */
const machine = () => made ??= new Machine();

/** AES-128-CBC; keys stay in JavaScript, so nothing needs to be freed. */
export class WasmAes implements Aes128 {
  // Key records. A key usually serves one direction, so one of them is set; both after it served the other.
  #encryption: Uint8Array | undefined;
  #decryption: Uint8Array | undefined;

  constructor(key: Uint8Array) {
    if (key.length !== 16) throw new RangeError(`Cannot use an AES-128 key of ${key.length} bytes`);
    this.#encryption = machine().expand(key, false);
  }

  encrypt(buffer: Uint8Array, start: number, end: number): void {
    const aes = machine();
    aes.take(this.#forEncryption(), buffer, start, end);
    aes.functions.encrypt1(WORK, end - start);
    aes.give(buffer, start, end);
  }

  decrypt(buffer: Uint8Array, start: number, end: number): void {
    const aes = machine();
    aes.take(this.#decryption ?? this.#invert(), buffer, start, end);
    aes.functions.decrypt(WORK, end - start);
    aes.give(buffer, start, end);
  }

  free(): void {}

  /** Copies the key to where a batch needs it. */
  copyTo(bytes: Uint8Array, slot: number): void {
    bytes.set(this.#forEncryption(), slot);
  }

  #forEncryption(): Uint8Array {
    return this.#encryption ??= machine().expand(this.#decryption!.subarray(KEY), false);
  }

  #invert(): Uint8Array {
    this.#decryption = machine().expand(this.#encryption!.subarray(KEY), true);
    this.#encryption = undefined;
    return this.#decryption;
  }
}

/** See {@link Batch}: up to eight packets side by side. */
export class WasmBatch implements Batch {
  user: unknown = undefined;
  readonly buffers: readonly Uint8Array[] = machine().buffers;
  #count = 0;
  /** Slots and their lengths, the longest first, followed by a spare slot. */
  readonly #slots: number[] = Array(BATCH + 8).fill(WORK);
  readonly #lengths: number[] = Array(BATCH).fill(0);

  add(index: number, aes: Aes128, end: number): void {
    const slot = FIRST + index * SLOT;
    (aes as WasmAes).copyTo(machine().bytes, slot);
    const length = end - UNENCRYPTED;
    const [slots, lengths] = [this.#slots, this.#lengths];
    let at = this.#count++;
    for (; at > 0 && lengths[at - 1]! < length; at--) {
      slots[at] = slots[at - 1]!;
      lengths[at] = lengths[at - 1]!;
    }
    slots[at] = slot;
    lengths[at] = length;
  }

  checksum(index: number, end: number): number {
    return checksumOfSum(machine().functions.sum(FIRST + index * SLOT, end - UNENCRYPTED));
  }

  run(): void {
    const { functions } = machine();
    const s = this.#slots;
    const count = this.#count;
    for (let i = 0; i < count;) {
      const left = count - i;
      const length = this.#lengths[i]!; // the longest one's
      // Eight take as long as four of that length and four of 0.6 times that; below half it pays.
      const four = left <= 4 || 2 * this.#lengths[i + 4]! < length;
      if (left === 1) functions.encrypt1(s[i]!, length);
      else if (left === 2) functions.encrypt2(s[i]!, s[i + 1]!, length);
      else if (four) functions.encrypt4(s[i]!, s[i + 1]!, s[i + 2]!, s[i + 3]!, length);
      else {
        // deno-fmt-ignore
        functions.encrypt8(
          s[i]!, s[i + 1]!, s[i + 2]!, s[i + 3]!, s[i + 4]!, s[i + 5]!, s[i + 6]!, s[i + 7]!, length,
        );
      }
      i += four ? 4 : 8;
    }
    this.#count = 0;
    s.fill(WORK, 0, count);
  }
}
