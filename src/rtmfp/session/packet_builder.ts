import { Writer } from "../../bytes/writer.ts";
import type { Address } from "../../common/address.ts";
import type { Batch } from "../crypto/backend.ts";
import type { PacketCipher } from "../crypto/packet_cipher.ts";
import type { Outbox } from "../outbox.ts";
import { PacketFlag, timestampOf } from "../wire/packet.ts";
import type { Counters } from "./counters.ts";
import { Staging } from "./staging.ts";

/** Maximum number of bytes that sealing adds: sequence number, padding, HMAC. */
const SEALING = 64;
/** Length of a timestamp echo in bytes. */
const ECHO = 2;

/**
 * Builds packets in a buffer of the outbox, or in the staging buffer if several are sealed together.
 * An endpoint has one, so between {@link open} and {@link send} no other packet can be built.
 */
export class PacketBuilder {
  /** Chunks are written into it. */
  readonly to: Writer = new Writer(0);
  #buffer: Uint8Array = new Uint8Array(0);
  #start = 0;
  #empty = 0;
  readonly #staging: Staging | undefined;
  /** Whether the packet is built in the staging buffer. */
  #staged = false;
  /** Destination of the staged packets. */
  #out: Outbox | undefined;

  constructor(
    readonly clock: { readonly now: number },
    readonly counters: Counters,
    /** Maximum length of a datagram in bytes. */
    readonly datagram: number,
    batch?: Batch,
  ) {
    this.#staging = batch && new Staging(batch);
  }

  /**
   * Begins a packet with its header.
   *
   * @param flags mode and time-critical flags; the timestamp flag is added
   * @param reserve bytes to leave free because later packets have fewer: a fragment that fits once must
   *   always fit. The echo is always reserved
   * @returns undefined if the outbox is full
   */
  open(
    out: Outbox,
    cipher: PacketCipher,
    flags: number,
    echo: number | undefined,
    reserve = 0,
    datagram = this.datagram,
  ): Writer | undefined {
    const buffer = this.#place(out, datagram + SEALING);
    if (!buffer) return undefined;
    const start = cipher.headroom;
    const { to } = this;
    to.reset(
      buffer,
      start,
      start + cipher.maxPacket(datagram) - reserve - (echo === undefined ? ECHO : 0),
    );
    to.u8(flags | PacketFlag.timestamp | (echo === undefined ? 0 : PacketFlag.timestampEcho));
    to.u16(timestampOf(this.clock.now));
    if (echo !== undefined) to.u16(echo);
    this.#buffer = buffer;
    this.#start = start;
    this.#empty = to.at;
    return to;
  }

  /** Whether the packet consists of its header only. */
  get empty(): boolean {
    return this.to.at === this.#empty;
  }

  /** Adds a flag to the header. */
  flag(flag: number): void {
    this.#buffer[this.#start]! |= flag;
  }

  /** Seals the packet and sends it, at the latest in {@link finish}. @returns the length of the datagram */
  send(out: Outbox, cipher: PacketCipher, sessionId: number, address: Address): number {
    const length = this.#staged
      ? this.#staging!.add(cipher, this.to.at, sessionId, address)
      : cipher.seal(this.#buffer, this.to.at, sessionId);
    if (!this.#staged) out.post(length, address);
    this.counters.datagramsOut++;
    this.counters.bytesOut += length;
    return length;
  }

  /** Seals and sends the staged packets: at the end of a flush, and before a key is freed. */
  finish(): void {
    const out = this.#out;
    this.#out = undefined;
    if (out) this.#staging!.post(out);
  }

  /** Buffer for the next packet; undefined if the outbox is full. */
  #place(out: Outbox, size: number): Uint8Array | undefined {
    const staging = this.#staging;
    this.#staged = staging !== undefined && staging.takes(size);
    if (!this.#staged) {
      this.finish();
      return out.buffer(size);
    }
    // The outbox has room for the staged packets; check for one more.
    if (staging!.count === 0 || !staging!.buffer || staging!.count >= out.room) {
      this.finish();
      if (!out.buffer(size)) return undefined;
      this.#out = out;
    }
    return staging!.buffer;
  }
}
