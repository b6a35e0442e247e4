// The head of every message on the bus, and the proof at its end. NATS-103, NATS-104.
import { equalBytes } from "../bytes/equal.ts";
import { Reader } from "../bytes/reader.ts";
import { toUtf8 } from "../bytes/text.ts";
import { WireError } from "../bytes/wire_error.ts";
import { Writer } from "../bytes/writer.ts";
import { base32 } from "./subjects.ts";

const VERSION = 1;
/** Length of a server's id in bytes; random at each start. */
export const ID_LENGTH = 16;
const PROOF_LENGTH = 16;

/** Codec of one kind of message: writes and reads its body. */
export interface MessageCodec<T> {
  readonly kind: number;
  write(to: Writer, message: T): void;
  /** @throws {WireError} if the bytes break the format */
  read(from: Reader): T;
}

/** HMAC-SHA-256. */
export type Hmac = (key: Uint8Array, message: Uint8Array) => Uint8Array;

interface Opened {
  /** Base32 of the sender's id. */
  readonly sender: string;
  readonly kind: number;
  readonly body: Reader;
}

/**
 * Shape: `version u8 | kind u8 | sender 16 | body | proof 16`, the proof only with a secret: the
 * first bytes of the HMAC over subject and message, so that a message is valid only on its subject.
 */
export class Envelope {
  /** Base32 of {@link ownId}. */
  readonly self: string;

  /**
   * @param ownId 16 bytes
   * @param secret empty for messages without proof
   */
  constructor(readonly ownId: Uint8Array, readonly secret: Uint8Array, readonly hmac: Hmac) {
    this.self = base32(ownId);
  }

  seal<T>(subject: string, codec: MessageCodec<T>, message: T): Uint8Array {
    const to = new Writer(256).u8(VERSION).u8(codec.kind).bytes(this.ownId);
    codec.write(to, message);
    if (this.secret.length > 0) to.bytes(this.#proof(subject, to.copy()));
    return to.copy();
  }

  /**
   * @returns undefined for an own message
   * @throws {WireError} for a message of another version, without the right proof, or cut off
   */
  open(subject: string, bytes: Uint8Array): Opened | undefined {
    let end = bytes.length;
    if (this.secret.length > 0) {
      end -= PROOF_LENGTH;
      if (end < 0) throw new WireError("Cannot read a message of the bus: it has no proof");
      const proof = this.#proof(subject, bytes.subarray(0, end));
      if (!equalBytes(proof.subarray(0, PROOF_LENGTH), bytes.subarray(end))) {
        throw new WireError("Cannot read a message of the bus: wrong secret");
      }
    }
    const body = new Reader(bytes, 0, end);
    const version = body.u8();
    if (version !== VERSION) {
      throw new WireError(`Cannot read a message of the bus: version ${version}, not ${VERSION}`);
    }
    const kind = body.u8();
    const sender = base32(body.bytes(ID_LENGTH));
    return sender === this.self ? undefined : { sender, kind, body };
  }

  #proof(subject: string, message: Uint8Array): Uint8Array {
    const whole = new Writer(message.length + 64).bytes(toUtf8(subject)).bytes(message).copy();
    return this.hmac(this.secret, whole).subarray(0, PROOF_LENGTH);
  }
}
