import { WireError } from "./wire_error.ts";

const scratch = new DataView(new ArrayBuffer(8));

/**
 * Writes bytes front to back, integers big-endian. It grows as it needs to, unless it was
 * made {@link over} a buffer of the caller's. Every write returns the writer.
 */
export class Writer {
  #output: Uint8Array;
  #at = 0;
  #limit: number;

  /** Starts with room for `capacity` bytes and grows. */
  constructor(capacity = 64) {
    this.#output = new Uint8Array(capacity);
    this.#limit = Infinity;
  }

  /**
   * A writer into `buffer` from offset `at` on, which never grows: a write that does not fit
   * throws {@link WireError} and leaves the writer where it was.
   */
  static over(buffer: Uint8Array, at = 0): Writer {
    const writer = new Writer(0);
    return writer.reset(buffer, at);
  }

  /** Starts over, growing no more, in `buffer` from offset `at` on. */
  reset(buffer: Uint8Array, at = 0, limit = buffer.length): this {
    this.#output = buffer;
    this.#at = at;
    this.#limit = limit;
    return this;
  }

  /** Discards the bytes written and keeps the buffer. */
  clear(): this {
    this.#at = 0;
    return this;
  }

  /** Offset of the next byte. */
  get at(): number {
    return this.#at;
  }

  /** Goes back to an earlier offset, to write over what follows or to drop it. */
  set at(offset: number) {
    this.#at = offset;
  }

  /** How many bytes still fit; Infinity for a writer that grows. */
  get room(): number {
    return this.#limit - this.#at;
  }

  /** The buffer written to; it is another one after the writer has grown. */
  get buffer(): Uint8Array {
    return this.#output;
  }

  u8(value: number): this {
    const at = this.#take(1); // first: it may exchange #output
    this.#output[at] = value;
    return this;
  }

  u16(value: number): this {
    const at = this.#take(2);
    this.#output[at] = value >>> 8;
    this.#output[at + 1] = value;
    return this;
  }

  u24(value: number): this {
    return this.u8(value >>> 16).u16(value);
  }

  /** Also writes a signed integer of 32 bits. */
  u32(value: number): this {
    this.#put32(this.#take(4), value);
    return this;
  }

  /** Writes over four bytes that stand at an offset. */
  u32At(at: number, value: number): this {
    this.#put32(at, value);
    return this;
  }

  f32(value: number): this {
    scratch.setFloat32(0, value);
    return this.u32(scratch.getUint32(0));
  }

  f64(value: number): this {
    scratch.setFloat64(0, value);
    const at = this.#take(8);
    this.#put32(at, scratch.getInt32(0));
    this.#put32(at + 4, scratch.getInt32(4));
    return this;
  }

  /** A variable length unsigned integer of at most 53 bits, in as few bytes as it takes. RFC 7016 §2.1.2. */
  vlu(value: number): this {
    let at = this.#take(vluLength(value)) + vluLength(value);
    let more = 0;
    do {
      this.#output[--at] = (value % 128) | more;
      value = Math.floor(value / 128);
      more = 0x80;
    } while (value > 0);
    return this;
  }

  bytes(bytes: Uint8Array): this {
    const at = this.#take(bytes.length); // first: it may exchange #output
    this.#output.set(bytes, at);
    return this;
  }

  /** The bytes of `bytes` from offset `start` up to `end`. */
  part(bytes: Uint8Array, start: number, end: number): this {
    let at = this.#take(end - start);
    const output = this.#output;
    if (end - start < 48) { // where a loop is quicker than a view of the part
      while (start < end) output[at++] = bytes[start++]!;
    } else output.set(bytes.subarray(start, end), at);
    return this;
  }

  /** The bytes written so far: a view, good until the next write. */
  view(): Uint8Array {
    return this.#output.subarray(0, this.#at);
  }

  /** The bytes written so far, as a copy of the caller's own. */
  copy(): Uint8Array<ArrayBuffer> {
    return new Uint8Array(this.view());
  }

  #put32(at: number, value: number): void {
    const output = this.#output;
    output[at] = value >>> 24;
    output[at + 1] = value >>> 16;
    output[at + 2] = value >>> 8;
    output[at + 3] = value;
  }

  #take(length: number): number {
    const start = this.#at;
    const end = start + length;
    if (end > this.#output.length || end > this.#limit) this.#grow(end);
    this.#at = end;
    return start;
  }

  #grow(needed: number): void {
    if (this.#limit !== Infinity) {
      throw new WireError(`Cannot write up to ${needed}: the buffer ends at ${this.#limit}`);
    }
    const larger = new Uint8Array(Math.max(needed, 2 * this.#output.length, 32));
    larger.set(this.#output);
    this.#output = larger;
  }
}

/** How many bytes {@link Writer.vlu} takes for a value. */
export function vluLength(value: number): number {
  let length = 1;
  while (value >= 128) {
    value = Math.floor(value / 128);
    length++;
  }
  return length;
}
