// The frames of a link between two servers: CLU-060 to CLU-068.
//
//   length u32 (of what follows) | handler | payload
//   handler   first use: length u8 (1 to 255) | name      it gets the next number, from 1
//             later:     00 | number, base 128, least significant group first
//             identification: 00 00
import { Reader } from "../bytes/reader.ts";
import { WireError } from "../bytes/wire_error.ts";
import { Writer } from "../bytes/writer.ts";

/** Maximum length of a frame without its length field, in bytes (CLU-068). */
export const MAX_FRAME = 16 * 1024 * 1024;
/** Maximum number of handler names in one direction of a link; each is remembered. */
const MAX_HANDLERS = 4_096;

/** Number of the identification frame (CLU-062). */
const IDENTIFICATION = 0;

/** A frame as it arrived; `handler` is undefined for the identification. */
export interface Frame {
  readonly handler: string | undefined;
  /** A view, valid until more bytes are pushed. */
  readonly payload: Uint8Array;
}

/** Reads an unsigned integer in base 128, least significant group first (CLU-061, CLU-063). */
export function readVarint(from: Reader): number {
  let value = 0;
  for (let scale = 1; scale <= 2 ** 28; scale *= 128) {
    const byte = from.u8();
    value += (byte & 0x7f) * scale;
    if (byte < 0x80) return value;
  }
  throw new WireError("Cannot read an integer of more than five bytes");
}

/** Writes an unsigned integer of at most 35 bits; see {@link readVarint}. */
export function writeVarint(to: Writer, value: number): Writer {
  while (value >= 128) {
    to.u8(0x80 | (value % 128));
    value = Math.floor(value / 128);
  }
  return to.u8(value);
}

/** Writes frames, and assigns numbers to handler names. */
export class FrameWriter {
  readonly #numbers = new Map<string, number>();
  readonly #names: (handler: string) => Uint8Array;

  /** @param encode returns the bytes of a handler's name, 1 to 255 */
  constructor(encode: (handler: string) => Uint8Array) {
    this.#names = encode;
  }

  /** Appends a frame; `handler` undefined is the identification. */
  write(to: Writer, handler: string | undefined, payload: Uint8Array): void {
    const start = to.at;
    to.u32(0);
    this.#writeHandler(to, handler);
    to.bytes(payload);
    const end = to.at;
    to.at = start;
    to.u32(end - start - 4);
    to.at = end;
  }

  #writeHandler(to: Writer, handler: string | undefined): void {
    if (handler === undefined) {
      writeVarint(to.u8(0), IDENTIFICATION);
      return;
    }
    const number = this.#numbers.get(handler);
    if (number !== undefined) {
      writeVarint(to.u8(0), number);
      return;
    }
    if (this.#numbers.size >= MAX_HANDLERS) {
      throw new WireError(`Cannot send "${handler}": ${MAX_HANDLERS} handlers are in use`);
    }
    this.#numbers.set(handler, this.#numbers.size + 1);
    const name = this.#names(handler);
    to.u8(name.length).bytes(name);
  }
}

/** Reads frames from segments of any size. */
export class FrameReader {
  #buffer = new Uint8Array(0);
  #start = 0;
  #end = 0;
  readonly #handlers: string[] = [];
  readonly #decode: (name: Uint8Array) => string;
  /** Maximum length of a frame in bytes. */
  limit = MAX_FRAME;
  /** Number of ignored frames whose number has no name (CLU-067). */
  unknown = 0;

  constructor(decode: (name: Uint8Array) => string) {
    this.#decode = decode;
  }

  /** Bytes of incomplete frames. */
  get buffered(): number {
    return this.#end - this.#start;
  }

  /** Copies received bytes. */
  push(bytes: Uint8Array): void {
    const held = this.buffered;
    if (this.#end + bytes.length > this.#buffer.length) {
      const target = held + bytes.length <= this.#buffer.length
        ? this.#buffer
        : new Uint8Array(Math.max(4096, 2 * held, held + bytes.length));
      target.set(this.#buffer.subarray(this.#start, this.#end));
      this.#buffer = target;
      this.#start = 0;
      this.#end = held;
    }
    this.#buffer.set(bytes, this.#end);
    this.#end += bytes.length;
  }

  /**
   * The next complete frame, or undefined if there is none yet.
   *
   * @throws {WireError} on malformed bytes: the reader cannot be used after that
   */
  next(): Frame | undefined {
    while (this.buffered >= 4) {
      const from = new Reader(this.#buffer, this.#start, this.#end);
      const length = from.u32();
      if (length > this.limit) throw new WireError(`Cannot take a frame of ${length} bytes`);
      if (from.left < length) return undefined;
      const frame = new Reader(this.#buffer, from.at, from.at + length);
      this.#start = from.at + length;
      const handler = this.#readHandler(frame);
      if (handler !== null) return { handler, payload: frame.rest() };
      this.unknown++;
    }
    return undefined;
  }

  /** The handler's name, undefined for the identification, null for an unknown number. */
  #readHandler(from: Reader): string | undefined | null {
    const length = from.u8();
    if (length === 0) {
      const number = readVarint(from);
      return number === IDENTIFICATION ? undefined : this.#handlers[number - 1] ?? null;
    }
    if (this.#handlers.length >= MAX_HANDLERS) {
      throw new WireError(`Cannot take more than ${MAX_HANDLERS} handlers`);
    }
    const name = this.#decode(from.bytes(length));
    this.#handlers.push(name);
    return name;
  }
}
