import { WireError } from "./wire_error.ts";

const scratch = new DataView(new ArrayBuffer(8));

/**
 * Reads bytes front to back, integers big-endian. Arrays it returns are views, not copies.
 *
 * Every read throws {@link WireError} if the input ends before it, and then has read nothing.
 */
export class Reader {
  #input: Uint8Array;
  #at: number;
  #end: number;

  /** Reads `input` from `start` up to `end`, both byte offsets. */
  constructor(input: Uint8Array, start = 0, end = input.length) {
    this.#input = input;
    this.#at = start;
    this.#end = end;
  }

  /** Starts over on other bytes, so that a packet path needs no new reader for each datagram. */
  reset(input: Uint8Array, start = 0, end = input.length): this {
    this.#input = input;
    this.#at = start;
    this.#end = end;
    return this;
  }

  /** All bytes of the input, read or not. */
  get input(): Uint8Array {
    return this.#input;
  }

  /** Offset of the next byte in {@link input}. */
  get at(): number {
    return this.#at;
  }

  /** How many bytes are left. */
  get left(): number {
    return this.#end - this.#at;
  }

  u8(): number {
    return this.#input[this.#take(1)]!;
  }

  i8(): number {
    return (this.u8() << 24) >> 24;
  }

  u16(): number {
    const at = this.#take(2);
    return (this.#input[at]! << 8) | this.#input[at + 1]!;
  }

  i16(): number {
    return (this.u16() << 16) >> 16;
  }

  u24(): number {
    const at = this.#take(3);
    return (this.#input[at]! << 16) | (this.#input[at + 1]! << 8) | this.#input[at + 2]!;
  }

  u32(): number {
    return this.i32() >>> 0;
  }

  i32(): number {
    const at = this.#take(4);
    const input = this.#input;
    return (input[at]! << 24) | (input[at + 1]! << 16) | (input[at + 2]! << 8) | input[at + 3]!;
  }

  f32(): number {
    scratch.setInt32(0, this.i32());
    return scratch.getFloat32(0);
  }

  f64(): number {
    const at = this.#take(8);
    for (let i = 0; i < 8; i++) scratch.setUint8(i, this.#input[at + i]!);
    return scratch.getFloat64(0);
  }

  /**
   * Reads a variable length unsigned integer: base 128, most significant first.
   *
   * @returns an integer from 0; values above 2^53 - 1 saturate there
   * @throws {WireError} if the input ends inside the integer
   * @see RFC 7016 §2.1.2
   */
  vlu(): number {
    const input = this.#input;
    const start = this.#at;
    let value = 0;
    let byte: number;
    do {
      if (this.#at >= this.#end) {
        this.#at = start;
        throw new WireError(`Cannot read an integer of variable length at ${start}`);
      }
      byte = input[this.#at++]!;
      value = value * 128 + (byte & 0x7f); // `<<` would wrap at 32 bits
    } while (byte & 0x80);
    return value < Number.MAX_SAFE_INTEGER ? value : Number.MAX_SAFE_INTEGER;
  }

  /** The next `length` bytes. */
  bytes(length: number): Uint8Array {
    const at = this.#take(length);
    return this.#input.subarray(at, at + length);
  }

  /** All bytes that are left. */
  rest(): Uint8Array {
    return this.bytes(this.left);
  }

  /** Passes over `length` bytes. */
  skip(length: number): void {
    this.#take(length);
  }

  /** The next byte, which stays unread. */
  peek(): number {
    const byte = this.u8();
    this.#at--;
    return byte;
  }

  /** The one bounds check, but for {@link vlu}: all others go through it. */
  #take(length: number): number {
    const start = this.#at;
    if (!(length >= 0 && length <= this.#end - start)) {
      throw new WireError(`Cannot read ${length} bytes at ${start}: ${this.left} left`);
    }
    this.#at += length;
    return start;
  }
}
