import type { Writer } from "../../bytes/writer.ts";
import { CHUNK_HEADER, writeChunk } from "../wire/chunk.ts";
import { type FIHello, fiHello } from "../wire/fihello.ts";
import { ping, pingReply } from "../wire/ping.ts";
import { sessionClose, sessionCloseAck } from "../wire/session_close.ts";
import type { Counters } from "./counters.ts";

/** Maximum number of pings that wait for their answers. */
const MAX_PINGS = 4;
/** Maximum length of the message of a ping in bytes; longer ones are not answered. */
const MAX_PING_LENGTH = 1024;
/** Maximum number of forwarded hellos that wait. */
const MAX_HELLOS = 16;
/** Maximum length of discriminator and tag together in bytes: a hello must fit in a packet. */
const MAX_HELLO_LENGTH = 1024;
/** Maximum length of a forwarded hello without discriminator and tag, in bytes. */
const HELLO_OVERHEAD = CHUNK_HEADER + 24;
/** Time (ms) between two requests to close. */
const CLOSE_INTERVAL = 5000;
const EMPTY = new Uint8Array(0);

/** Chunks of a session besides acknowledgements and user data. RFC 7016 §3.5.4, §3.5.5. */
export class Control {
  /** Time (ms) of the next request to close the session. */
  closeAt = Infinity;
  /** A close acknowledgement has to be sent. */
  closeAckDue = false;
  pingDue = false;
  /** Time (ms) at which a ping was sent last. */
  pingedAt = -Infinity;
  #replies: Uint8Array[] | undefined;
  #hellos: FIHello[] | undefined;
  readonly #counters: Counters;

  constructor(counters: Counters) {
    this.#counters = counters;
  }

  /** Whether {@link write} has something to write. */
  due(now: number): boolean {
    return this.closeAckDue || this.pingDue || this.#replies !== undefined ||
      this.#hellos !== undefined || this.closeAt <= now;
  }

  /** Answers a ping; `message` is a view. */
  reply(message: Uint8Array): void {
    const replies = this.#replies ??= [];
    if (replies.length >= MAX_PINGS || message.length > MAX_PING_LENGTH) {
      return this.#counters.drop("limit");
    }
    replies.push(message.length > 0 ? message.slice() : EMPTY);
  }

  forward(hello: FIHello): void {
    const hellos = this.#hellos ??= [];
    if (hellos.length >= MAX_HELLOS || hello.epd.length + hello.tag.length > MAX_HELLO_LENGTH) {
      return this.#counters.drop("limit");
    }
    hellos.push(hello);
  }

  /** The session is not open any more: drops all but the chunks of closing. */
  leaveOpen(): void {
    this.#replies = this.#hellos = undefined;
    this.pingDue = false;
  }

  /** Writes the chunks that are due and fit. */
  write(to: Writer, now: number): void {
    if (this.closeAckDue) {
      writeChunk(to, sessionCloseAck, undefined);
      this.closeAckDue = false;
    }
    if (this.closeAt <= now) {
      writeChunk(to, sessionClose, undefined);
      this.closeAt = now + CLOSE_INTERVAL;
    }
    if (this.pingDue) {
      writeChunk(to, ping, EMPTY);
      this.pingDue = false;
      this.pingedAt = now;
    }
    const replies = this.#replies;
    while (replies && replies.length > 0) {
      if (to.room < CHUNK_HEADER + replies[0]!.length) return;
      writeChunk(to, pingReply, replies.shift()!);
    }
    this.#replies = undefined;
    const hellos = this.#hellos;
    while (hellos && hellos.length > 0) {
      const { epd, tag } = hellos[0]!;
      if (to.room < HELLO_OVERHEAD + epd.length + tag.length) return;
      writeChunk(to, fiHello, hellos.shift()!);
    }
    this.#hellos = undefined;
  }
}
