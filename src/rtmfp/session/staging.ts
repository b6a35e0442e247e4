import type { Address } from "../../common/address.ts";
import type { Batch } from "../crypto/backend.ts";
import type { PacketCipher } from "../crypto/packet_cipher.ts";
import type { Outbox } from "../outbox.ts";

/** Buffers are copied in multiples of this many bytes, for which views exist. */
const UNIT = 256;

/** A staged packet. */
class Waiting {
  cipher: PacketCipher | undefined;
  /** Length of the datagram once sealed, in bytes. */
  length = 0;
  sessionId = 0;
  to: Address | undefined;
}

/**
 * Packets that wait to be sealed together, which costs less than one by one. They are in buffers of
 * a batch and are copied to the outbox once sealed, in the order of building. Bytes after the end of a
 * datagram may be those of an earlier one, and are not sent. The caller that adds a packet makes sure
 * that the outbox has room for all.
 */
export class Staging {
  readonly #batch: Batch;
  /** For each buffer, views of its first 1, 2, 3… units. */
  readonly #parts: readonly (readonly Uint8Array[])[];
  readonly #waiting: readonly Waiting[];
  #count = 0;

  constructor(batch: Batch) {
    this.#batch = batch;
    this.#waiting = batch.buffers.map(() => new Waiting());
    this.#parts = batch.buffers.map((buffer) =>
      Array.from({ length: buffer.length / UNIT }, (_, i) => buffer.subarray(0, UNIT * (i + 1)))
    );
  }

  /** Packets that wait. */
  get count(): number {
    return this.#count;
  }

  /** Whether packets of `size` bytes fit, and the batch is free. */
  takes(size: number): boolean {
    const { buffers, user } = this.#batch;
    return size <= buffers[0]!.length && (user === undefined || user === this);
  }

  /** Buffer for the next packet; undefined: {@link post} the staged ones first. */
  get buffer(): Uint8Array | undefined {
    return this.#batch.buffers[this.#count];
  }

  /** Takes the packet in {@link buffer}; returns the length of its datagram. */
  add(cipher: PacketCipher, packetEnd: number, sessionId: number, to: Address): number {
    const index = this.#count;
    const length = cipher.stage(this.#batch, index, packetEnd);
    this.#batch.user = this;
    this.#count++;
    const waiting = this.#waiting[index]!;
    waiting.cipher = cipher;
    waiting.length = length;
    waiting.sessionId = sessionId;
    waiting.to = to;
    return length;
  }

  /** Seals and posts all waiting packets. The keys of their sessions may be freed afterwards. */
  post(out: Outbox): void {
    const count = this.#count;
    if (count === 0) return;
    this.#count = 0;
    try {
      this.#batch.run();
      for (let i = 0; i < count; i++) {
        const { cipher, length, sessionId, to } = this.#waiting[i]!;
        cipher!.finish(this.#batch.buffers[i]!, length, sessionId);
        const part = this.#parts[i]![Math.ceil(length / UNIT) - 1]!;
        out.buffer(part.length)!.set(part);
        out.post(length, to!);
      }
    } finally {
      this.#batch.user = undefined;
    }
  }
}
