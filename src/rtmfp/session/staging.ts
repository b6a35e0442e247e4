import type { Address } from "../../common/address.ts";
import type { Batch } from "../crypto/backend.ts";
import type { PacketCipher } from "../crypto/packet_cipher.ts";
import type { Outbox } from "../outbox.ts";

/** Buffers are copied in units of so many bytes, of which views are at hand. */
const UNIT = 256;

/** What is known of a packet that waits. */
class Waiting {
  cipher: PacketCipher | undefined;
  /** Bytes of the datagram to be. */
  length = 0;
  sessionId = 0;
  to: Address | undefined;
}

/**
 * Packets that wait to be sealed together, because that costs less than one by one. They stand in
 * buffers of a batch, from where nothing is sent: a datagram that the outbox gets is sealed (behind
 * its end may be the rest of another one, which is not sent). They come in the order in which they
 * were built. Whoever adds a packet has made sure that the outbox has room for all.
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

  /** Whether packets of so many bytes fit, and nobody else is using the batch now. */
  takes(size: number): boolean {
    const { buffers, user } = this.#batch;
    return size <= buffers[0].length && (user === undefined || user === this);
  }

  /** Where the next packet is to be built; undefined: {@link post} those that wait. */
  get buffer(): Uint8Array | undefined {
    return this.#batch.buffers[this.#count];
  }

  /** Takes the packet in {@link buffer}; returns the length of its datagram. */
  add(cipher: PacketCipher, packetEnd: number, sessionId: number, to: Address): number {
    const index = this.#count;
    const length = cipher.stage(this.#batch, index, packetEnd);
    this.#batch.user = this;
    this.#count++;
    const waiting = this.#waiting[index];
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
        const { cipher, length, sessionId, to } = this.#waiting[i];
        cipher!.finish(this.#batch.buffers[i], length, sessionId);
        const part = this.#parts[i][Math.ceil(length / UNIT) - 1];
        out.buffer(part.length)!.set(part);
        out.post(length, to!);
      }
    } finally {
      this.#batch.user = undefined;
    }
  }
}
