import type { Writer } from "../../bytes/writer.ts";
import { CHUNK_HEADER, writeChunk } from "../wire/chunk.ts";
import { type FIHello, fiHello } from "../wire/fihello.ts";
import { ping, pingReply } from "../wire/ping.ts";
import { sessionClose, sessionCloseAck } from "../wire/session_close.ts";
import type { Counters } from "./counters.ts";

/** Pings that may wait for their answers, and the longest message that is answered. */
const MOST_PINGS = 4;
const LONGEST_PING = 1024;
/** Forwarded hellos that may wait, and the longest discriminator and tag together: all fit in a packet. */
const MOST_HELLOS = 16;
const LONGEST_HELLO = 1024;
/** Bytes of a forwarded hello besides discriminator and tag, at most. */
const HELLO = CHUNK_HEADER + 24;
const CLOSE_INTERVAL = 5000;
const EMPTY = new Uint8Array(0);

/** Chunks of a session besides acknowledgements and user data. RFC 7016 §3.5.4, §3.5.5. */
export class Control {
  /** When to ask (again) for the session to be closed. */
  closeAt = Infinity;
  /** A close acknowledgement has to be sent. */
  closeAckDue = false;
  pingDue = false;
  /** When a ping was sent last. */
  pingedAt = -Infinity;
  #replies: Uint8Array[] | undefined;
  #hellos: FIHello[] | undefined;
  readonly #counters: Counters;

  constructor(counters: Counters) {
    this.#counters = counters;
  }

  /** Whether there is anything to say. */
  due(now: number): boolean {
    return this.closeAckDue || this.pingDue || this.#replies !== undefined ||
      this.#hellos !== undefined || this.closeAt <= now;
  }

  /** Answers a ping; `message` is a view. */
  reply(message: Uint8Array): void {
    const replies = this.#replies ??= [];
    if (replies.length >= MOST_PINGS || message.length > LONGEST_PING) {
      return this.#counters.drop("limit");
    }
    replies.push(message.length > 0 ? message.slice() : EMPTY);
  }

  forward(hello: FIHello): void {
    const hellos = this.#hellos ??= [];
    if (hellos.length >= MOST_HELLOS || hello.epd.length + hello.tag.length > LONGEST_HELLO) {
      return this.#counters.drop("limit");
    }
    hellos.push(hello);
  }

  /** The session is not open any more: only its closing is left to be said. */
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
      if (to.room < HELLO + epd.length + tag.length) return;
      writeChunk(to, fiHello, hellos.shift()!);
    }
    this.#hellos = undefined;
  }
}
