import { Writer } from "../../bytes/writer.ts";
import type { PacketCipher } from "../crypto/packet_cipher.ts";
import type { Outbox } from "../outbox.ts";
import type { Address } from "../wire/address.ts";
import { PacketFlag, timestampOf } from "../wire/packet.ts";
import type { Counters } from "./counters.ts";

/** What sealing may add: sequence number, padding, HMAC. */
const SEALING = 64;
const ECHO = 2;

/**
 * Builds packets where the outbox wants them: the one writer of an endpoint. Between {@link open}
 * and {@link send} nobody else writes.
 */
export class PacketBuilder {
  /** Where chunks are written to. */
  readonly to: Writer = new Writer(0);
  #buffer: Uint8Array = new Uint8Array(0);
  #start = 0;
  #empty = 0;

  constructor(
    readonly clock: { readonly now: number },
    readonly counters: Counters,
    /** Bytes of a datagram at most. */
    readonly datagram: number,
  ) {}

  /**
   * Begins a packet with its header.
   *
   * @param flags mode and time-critical flags; that there is a timestamp goes without saying
   * @param reserve bytes to leave free because later packets have fewer: what fits once must
   *   always fit. The echo is reserved anyway
   * @returns undefined if the outbox takes nothing now
   */
  open(
    out: Outbox,
    cipher: PacketCipher,
    flags: number,
    echo: number | undefined,
    reserve = 0,
    datagram = this.datagram,
  ): Writer | undefined {
    const buffer = out.buffer(datagram + SEALING);
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

  /** Whether nothing stands after the header. */
  get empty(): boolean {
    return this.to.at === this.#empty;
  }

  /** Adds a flag to the header. */
  flag(flag: number): void {
    this.#buffer[this.#start] |= flag;
  }

  /** Seals the packet and sends it; returns the length of the datagram. */
  send(out: Outbox, cipher: PacketCipher, sessionId: number, address: Address): number {
    const length = cipher.seal(this.#buffer, this.to.at, sessionId);
    out.post(length, address);
    this.counters.datagramsOut++;
    this.counters.bytesOut += length;
    return length;
  }
}
