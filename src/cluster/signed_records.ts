// Records of a link with a secret, after the proofs: forging, changing, omitting or repeating a record
// requires the secret, also for a relay between two servers.
//
//   record    length u32 (of the bytes) | mac 16 | bytes
//   mac       HMAC-SHA-256(key of the direction, number of the record, 8 bytes | bytes), its first 16 bytes
import { equalBytes } from "../bytes/equal.ts";
import { Reader } from "../bytes/reader.ts";
import { WireError } from "../bytes/wire_error.ts";
import { Writer } from "../bytes/writer.ts";
import type { Hmac } from "./authentication.ts";

const MAC = 16;
const HEADER = 4 + MAC;
/** Maximum length of one record in bytes. */
export const MAX_RECORD = 65_536;

/** The keys of a link, by sending end. */
export interface LinkKeys {
  readonly near: Uint8Array;
  readonly far: Uint8Array;
}

export class RecordWriter {
  #number = 0;

  constructor(readonly key: Uint8Array, readonly hmac: Hmac) {}

  /** Appends bytes, as records. */
  write(to: Writer, bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length; at += MAX_RECORD) {
      const part = bytes.subarray(at, at + MAX_RECORD);
      to.u32(part.length).bytes(macOf(this.hmac, this.key, this.#number++, part)).bytes(part);
    }
  }
}

export class RecordReader {
  #number = 0;
  /** The header and bytes of an incomplete record. */
  #held = new Uint8Array(HEADER + MAX_RECORD);
  #length = 0;

  constructor(readonly key: Uint8Array, readonly hmac: Hmac) {}

  /** Number of bytes of an incomplete record. */
  get buffered(): number {
    return this.#length;
  }

  /**
   * Takes bytes that arrived in pieces of any size.
   *
   * @param deliver gets the bytes of each complete record; they are a view, valid during the call
   * @throws {WireError} if a record is not authentic
   */
  push(bytes: Uint8Array, deliver: (bytes: Uint8Array) => void): void {
    for (let at = 0; at < bytes.length;) {
      const part = bytes.subarray(at, at + this.#wanted - this.#length);
      this.#held.set(part, this.#length);
      this.#length += part.length;
      at += part.length;
      if (this.#length < HEADER || this.#length < this.#wanted) continue;
      const from = new Reader(this.#held, 4, this.#length);
      const mac = from.bytes(MAC);
      const content = from.rest();
      if (!equalBytes(mac, macOf(this.hmac, this.key, this.#number++, content))) {
        throw new WireError("a message from the other server failed its integrity check");
      }
      this.#length = 0;
      deliver(content);
    }
  }

  /** Length of the record being read; of its header until that is complete. */
  get #wanted(): number {
    if (this.#length < HEADER) return HEADER;
    const length = new Reader(this.#held, 0, 4).u32();
    if (length === 0 || length > MAX_RECORD) {
      throw new WireError(`Cannot take a record of ${length} bytes`);
    }
    return HEADER + length;
  }
}

function macOf(hmac: Hmac, key: Uint8Array, number: number, bytes: Uint8Array): Uint8Array {
  const message = new Writer(8 + bytes.length)
    .u32(Math.floor(number / 2 ** 32)).u32(number % 2 ** 32).bytes(bytes).view();
  return hmac(key, message).subarray(0, MAC);
}
