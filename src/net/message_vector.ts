// `struct mmsghdr[]` for sendmmsg and recvmmsg, with its buffers: 64-bit Linux, little-endian.

const HEADER = 64; // struct mmsghdr: a struct msghdr of 56 bytes, and msg_len at 56
const IOVEC = 16;
/** The lengths of the datagrams of a session differ by blocks of the cipher. */
const PART = 16;
/** Bytes for a `struct sockaddr_in6`. */
const NAME = 32;

/** A fixed number of datagrams and their addresses in memory that the system reads and writes. */
export class MessageVector {
  /** The buffers of the datagrams. */
  readonly buffers: Uint8Array[] = [];
  /** The addresses of the messages, from {@link nameAt}. */
  readonly names: Uint8Array;
  /** The headers as words of 32 bits, {@link WORDS} each. */
  protected readonly words: Uint32Array;
  /** For each buffer, cached views of its first bytes, by length in units of {@link PART}. */
  readonly #parts: (Uint8Array | undefined)[][] = [];
  readonly #headers: Uint8Array<ArrayBuffer>;
  readonly #lengths: Uint32Array;

  /** Creates one message per datagram. */
  constructor(readonly count: number, slotSize: number, nameSize: number) {
    const memory = new Uint8Array(count * slotSize);
    const iovecs = new DataView(new ArrayBuffer(count * IOVEC));
    this.names = new Uint8Array(count * NAME);
    this.#headers = new Uint8Array(count * HEADER);
    this.words = new Uint32Array(this.#headers.buffer);
    this.#lengths = new Uint32Array(iovecs.buffer);
    const headers = new DataView(this.#headers.buffer);
    for (let i = 0; i < count; i++) {
      this.buffers.push(memory.subarray(i * slotSize, (i + 1) * slotSize));
      this.#parts.push(new Array(Math.floor(slotSize / PART) + 1).fill(undefined));
      iovecs.setBigUint64(i * IOVEC, pointer(memory) + BigInt(i * slotSize), true);
      iovecs.setBigUint64(i * IOVEC + 8, BigInt(slotSize), true);
      headers.setBigUint64(i * HEADER, pointer(this.names) + BigInt(i * NAME), true);
      headers.setUint32(i * HEADER + 8, nameSize, true);
      headers.setBigUint64(i * HEADER + 16, pointer(iovecs) + BigInt(i * IOVEC), true);
      headers.setBigUint64(i * HEADER + 24, 1n, true);
    }
  }

  nameAt(index: number): number {
    return index * NAME;
  }

  /** Sets the number of bytes of a buffer to send. */
  setLength(index: number, length: number): void {
    this.#lengths[index * (IOVEC / 4) + 2] = length;
  }

  lengthOf(index: number): number {
    return this.#lengths[index * (IOVEC / 4) + 2]!;
  }

  /** The first `length` bytes of a buffer: a cached view. */
  part(index: number, length: number): Uint8Array {
    const parts = this.#parts[index]!;
    const part = parts[Math.floor(length / PART)];
    if (part !== undefined && part.length === length) return part;
    return parts[Math.floor(length / PART)] = this.buffers[index]!.subarray(0, length);
  }

  /** Number of bytes that the system has received into a buffer. */
  done(index: number): number {
    return this.words[index * WORDS + 14]!;
  }

  /** The headers from an index on, for the system calls. */
  from(index: number): Uint8Array<ArrayBuffer> {
    return index === 0 ? this.#headers : this.#headers.subarray(index * HEADER);
  }
}

/** Words of 32 bits in a header. */
export const WORDS = HEADER / 4;

/** The address of a buffer. Its memory must not be a short array without a view, which may move. */
export function pointer(memory: Uint8Array | DataView): bigint {
  return Deno.UnsafePointer.value(Deno.UnsafePointer.of(memory as Uint8Array<ArrayBuffer>));
}
