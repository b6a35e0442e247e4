// The handshake of both ends. RTMP 1.0 §5.2, RTMP-001 to RTMP-018.
import {
  findDigest,
  type Hmac,
  MEDIA_SERVER,
  PACKET_LENGTH,
  PLAYER,
  sign,
  signAnswer,
} from "./digest.ts";
import { RtmpError } from "./rtmp_error.ts";

const VERSION = 3;
/** Bytes 4 to 7 of a first packet with a digest: the version of Flash Media Server, any but 0. */
const SERVER_VERSION = [5, 0, 17, 1];
/** The same bytes in the simple form. */
const NO_VERSION = [0, 0, 0, 0];

export type Role = "initiator" | "responder";

interface HandshakeOptions {
  random(length: number): Uint8Array;
  readonly hmac: Hmac;
  /** Bytes to send to the far end. */
  send(bytes: Uint8Array): void;
}

/**
 * One end of a handshake. The responder answers in the form and scheme of the initiator; our
 * initiator uses the simple form, which every server accepts. Only the length of the far end's echo is
 * checked, not its content: ffmpeg and GStreamer echo wrongly. RTMP-005.
 */
export class RtmpHandshake {
  /** Version and first packet of the far end, then its second packet. */
  readonly #packet = new Uint8Array(1 + PACKET_LENGTH);
  #have = 0;
  /** The far end's first packet has arrived. */
  #answered = false;
  #done = false;
  readonly #role: Role;
  readonly #options: HandshakeOptions;

  constructor(role: Role, options: HandshakeOptions) {
    this.#role = role;
    this.#options = options;
    if (role === "initiator") options.send(this.#begin(NO_VERSION));
  }

  get done(): boolean {
    return this.#done;
  }

  /**
   * Takes received bytes.
   *
   * @returns the number of bytes of the handshake; the rest are chunks
   * @throws {RtmpError} if the first byte is not version 3: RTMPE, or another protocol. RTMP-001.
   */
  receive(bytes: Uint8Array): number {
    let at = 0;
    while (!this.#done && at < bytes.length) {
      const wanted = (this.#answered ? PACKET_LENGTH : 1 + PACKET_LENGTH) - this.#have;
      const part = bytes.subarray(at, at + wanted);
      this.#packet.set(part, this.#have);
      this.#have += part.length;
      at += part.length;
      if (!this.#answered && this.#packet[0] !== VERSION) {
        throw new RtmpError("handshake", notRtmp(this.#packet[0]));
      }
      if (part.length === wanted) this.#complete();
    }
    return at;
  }

  #complete(): void {
    this.#have = 0;
    if (this.#answered) {
      this.#done = true;
      return;
    }
    this.#answered = true;
    const first = this.#packet.subarray(1);
    if (this.#role === "initiator") this.#options.send(first.slice()); // C2 echoes S1
    else this.#respond(first);
  }

  /** S0, S1 and S2 in one piece. RTMP-004. */
  #respond(first: Uint8Array): void {
    const { hmac, random, send } = this.#options;
    const versionAsked = first[4] !== 0 || first[5] !== 0 || first[6] !== 0 || first[7] !== 0;
    const found = versionAsked ? findDigest(first, PLAYER, hmac) : undefined;
    const all = new Uint8Array(1 + 2 * PACKET_LENGTH);
    all.set(this.#begin(found ? SERVER_VERSION : NO_VERSION));
    const answer = all.subarray(1 + PACKET_LENGTH);
    if (found) {
      sign(all.subarray(1, 1 + PACKET_LENGTH), found.scheme, MEDIA_SERVER, hmac);
      answer.set(random(PACKET_LENGTH));
      signAnswer(answer, found.digest, MEDIA_SERVER, hmac);
    } else answer.set(first);
    send(all);
  }

  /**
   * Version of the protocol and a first packet: time 0, version or zero, then random bytes, which also
   * determine the offset of a digest. RTMP-016.
   */
  #begin(version: readonly number[]): Uint8Array {
    const bytes = this.#options.random(1 + PACKET_LENGTH);
    bytes[0] = VERSION;
    bytes.fill(0, 1, 5);
    bytes.set(version, 5);
    return bytes;
  }
}

/** First bytes of TLS: of an alert, and of a handshake. */
const TLS_RECORDS = [0x15, 0x16];
const RTMPE = [6, 8];

function notRtmp(first: number | undefined): string {
  if (first !== undefined && TLS_RECORDS.includes(first)) {
    return "The far end speaks TLS (rtmps), this is RTMP without";
  }
  if (first !== undefined && RTMPE.includes(first)) return "Cannot speak RTMPE";
  return `Cannot speak version ${first} of RTMP`;
}
