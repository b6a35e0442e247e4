import type { Address } from "../../common/address.ts";
import type { Batch } from "../crypto/backend.ts";
import type { PacketCipher } from "../crypto/packet_cipher.ts";
import type { Outbox } from "../outbox.ts";

/** Buffers are copied in units of this many bytes, for which views exist. */
const UNIT = 256;

/** A staged packet. */
class Waiting {
  cipher: PacketCipher | undefined;
  /** Bytes of the datagram to be. */
  length = 0;
  sessionId = 0;
  to: Address | undefined;
}

/**
 * Packets that wait to be sealed together, which costs less than one by one. They stand in buffers of
 * a batch and are copied to the outbox once sealed (bytes behind the end of a datagram may be left of
 * another one, and are not sent). Their order is that of building. The caller that adds a packet makes
 * sure that the outbox has room for all.
 */
export class Staging {
  readonly #batch: Batch;
  /** By buffer, its first bytes in units. */
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

  /** Seals and posts all that wait. The keys of their sessions may go afterwards. */
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
