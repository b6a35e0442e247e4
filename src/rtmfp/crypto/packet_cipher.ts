// Converts between plain packets and datagrams. RFC 7016 §2.2, RFC 7425 §4.7.
//
//     datagram:  scrambled session id u32 | ciphertext | HMAC [opt]
//     decrypted: sequence number VLU [opt] | checksum u16 [unless HMAC] | packet | 0xff padding
import { equalBytes } from "../../bytes/equal.ts";
import { vluLength } from "../../bytes/writer.ts";
import { type Aes128, type Batch, type CryptoBackend, type Hmac, UNENCRYPTED } from "./backend.ts";
import { checksum } from "./checksum.ts";
import { ReplayWindow } from "./replay_window.ts";

const SESSION_ID = UNENCRYPTED;
const CHECKSUM = 2;
const BLOCK = 16;
const PADDING = 0xff;

/** The key of packets until a session has its own: "Adobe Systems 02". RFC 7425 §4.1. */
const DEFAULT_KEY: Uint8Array = new TextEncoder().encode("Adobe Systems 02");

/** Why a datagram was not opened. */
export type Drop =
  /** No block of ciphertext, or not whole blocks. */
  | "size"
  | "hmac"
  | "checksum"
  /** The sequence number is missing. */
  | "sequence"
  /** The sequence number has been seen before, or is too old to tell. */
  | "replay";

/** Keys and protection of one direction of a session. */
interface Direction {
  readonly aes: Aes128;
  /** Replaces the checksum by the first `length` bytes of an HMAC, 4 to 32. */
  readonly hmac?: { readonly hmac: Hmac; readonly length: number } | undefined;
  /** Packets are numbered. */
  readonly sequence?: boolean;
}

/**
 * Encrypts outgoing packets of one session and decrypts incoming ones, both in place.
 * It holds the sequence numbers of both directions.
 */
export class PacketCipher {
  /** Reason why the last datagram was refused. */
  dropped: Drop = "size";
  /** End offset of the packet last opened, padding included. */
  packetEnd = 0;
  readonly #out: Direction;
  readonly #in: Direction;
  #nextSequence = 0;
  readonly #window = new ReplayWindow();

  constructor(out: Direction, into: Direction) {
    this.#out = out;
    this.#in = into;
  }

  /** Number of bytes before the next packet in its datagram; it changes from packet to packet. */
  get headroom(): number {
    return SESSION_ID + (this.#out.sequence ? vluLength(this.#nextSequence) : 0) +
      (this.#out.hmac ? 0 : CHECKSUM);
  }

  /** Maximum length (bytes) of the next packet, for a datagram of at most `datagramSize` bytes. */
  maxPacket(datagramSize: number): number {
    const room = datagramSize - SESSION_ID - (this.#out.hmac?.length ?? 0);
    return room - room % BLOCK - (this.headroom - SESSION_ID);
  }

  /**
   * Makes a datagram of the packet in `buffer[headroom..packetEnd)`.
   *
   * @param sessionId the one that the far end has chosen; 0 for packets without session
   * @returns the length of the datagram, which begins at offset 0
   * @throws {RangeError} if the buffer is too short for padding and HMAC
   */
  seal(buffer: Uint8Array, packetEnd: number, sessionId: number): number {
    const end = this.#prepare(buffer, packetEnd);
    this.#out.aes.encrypt(buffer, SESSION_ID, end);
    const length = end + (this.#out.hmac?.length ?? 0);
    this.finish(buffer, length, sessionId);
    return length;
  }

  /**
   * Does the first half of {@link seal} to a packet in a buffer of a batch; {@link finish} does the other
   * half after the batch has run.
   *
   * @returns the length of the datagram to be
   * @throws {RangeError} as `seal`
   */
  stage(batch: Batch, index: number, packetEnd: number): number {
    const end = this.#prepare(batch.buffers[index]!, packetEnd, batch, index);
    batch.add(index, this.#out.aes, end);
    return end + (this.#out.hmac?.length ?? 0);
  }

  /** Adds HMAC and session id to an encrypted packet, for a datagram of `length` bytes. */
  finish(buffer: Uint8Array, length: number, sessionId: number): void {
    const { hmac } = this.#out;
    if (hmac) {
      const end = length - hmac.length;
      const digest = hmac.hmac.digest(buffer, SESSION_ID, end);
      for (let i = 0; i < hmac.length; i++) buffer[end + i] = digest[i]!;
    }
    writeSessionId(buffer, sessionId);
  }

  /**
   * Decrypts a datagram in place, also one that it then refuses.
   *
   * @returns a view of the packet, padding included; undefined (see {@link dropped}) for a datagram that
   *   is not from the far end of this session, or is a replay
   */
  open(datagram: Uint8Array): Uint8Array | undefined {
    const start = this.unseal(datagram);
    return start < 0 ? undefined : datagram.subarray(start, this.packetEnd);
  }

  /** As {@link open}, without a view: @returns where the packet begins, which ends at {@link packetEnd}; or -1 */
  unseal(datagram: Uint8Array): number {
    const { aes, hmac, sequence } = this.#in;
    const end = datagram.length - (hmac?.length ?? 0);
    if (end < SESSION_ID + BLOCK || (end - SESSION_ID) % BLOCK !== 0) return this.#drop("size");
    if (hmac) {
      const digest = hmac.hmac.digest(datagram, SESSION_ID, end).subarray(0, hmac.length);
      if (!equalBytes(digest, datagram.subarray(end))) return this.#drop("hmac");
    }
    aes.decrypt(datagram, SESSION_ID, end);
    let at = SESSION_ID;
    let number = 0;
    if (sequence) {
      let byte;
      do {
        if (at === end) return this.#drop("sequence");
        byte = datagram[at++]!;
        number = number * 128 + (byte & 0x7f);
      } while (byte & 0x80);
    }
    if (!hmac) {
      at += CHECKSUM;
      if (at > end) return this.#drop("checksum");
      const sum = (datagram[at - 2]! << 8) | datagram[at - 1]!;
      if (sum !== checksum(datagram, at, end)) return this.#drop("checksum");
    }
    if (sequence && !this.#window.accept(number)) return this.#drop("replay");
    this.packetEnd = end;
    return at;
  }

  /** Releases the keys. */
  free(): void {
    for (const { aes, hmac } of [this.#out, this.#in]) {
      aes.free();
      hmac?.hmac.free();
    }
  }

  /** Adds sequence number, checksum and padding to a packet. @returns the end offset of the encrypted part */
  #prepare(buffer: Uint8Array, packetEnd: number, batch?: Batch, index = 0): number {
    const { hmac, sequence } = this.#out;
    const end = packetEnd + (-(packetEnd - SESSION_ID) & (BLOCK - 1));
    const length = end + (hmac?.length ?? 0);
    if (length > buffer.length) {
      throw new RangeError(`Cannot seal ${length} bytes in a buffer of ${buffer.length}`);
    }
    for (let i = packetEnd; i < end; i++) buffer[i] = PADDING;
    let at = SESSION_ID;
    if (sequence) at = writeVlu(buffer, at, this.#nextSequence++);
    if (!hmac) {
      buffer[at] = buffer[at + 1] = 0; // so that a sum that includes them is the same
      const sum = batch && !sequence
        ? batch.checksum(index, end)
        : checksum(buffer, at + CHECKSUM, end);
      buffer[at] = sum >>> 8;
      buffer[at + 1] = sum;
    }
    return end;
  }

  #drop(reason: Drop): -1 {
    this.dropped = reason;
    return -1;
  }
}

/** The cipher of packets without session, and of the responder's part of a handshake. */
export function startupCipher(crypto: CryptoBackend): PacketCipher {
  const aes = crypto.aes(DEFAULT_KEY);
  return new PacketCipher({ aes }, { aes });
}

/**
 * Session id of a datagram: the number that its receiver has chosen, or 0 for none. Missing bytes
 * count as zero. RFC 7016 §2.2.2.
 */
export function sessionIdOf(datagram: Uint8Array): number {
  return (word(datagram, 0) ^ word(datagram, 4) ^ word(datagram, 8)) >>> 0;
}

function writeSessionId(datagram: Uint8Array, sessionId: number): void {
  const scrambled = sessionId ^ word(datagram, 4) ^ word(datagram, 8);
  datagram[0] = scrambled >>> 24;
  datagram[1] = scrambled >>> 16;
  datagram[2] = scrambled >>> 8;
  datagram[3] = scrambled;
}

function word(bytes: Uint8Array, at: number): number {
  return (bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!;
}

/** Writes an integer of variable length; returns the offset after it. */
function writeVlu(bytes: Uint8Array, at: number, value: number): number {
  const end = at + vluLength(value);
  for (let i = end - 1, more = 0; i >= at; i--, more = 0x80) {
    bytes[i] = (value % 128) | more;
    value = Math.floor(value / 128);
  }
  return end;
}
